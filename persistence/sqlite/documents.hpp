#pragma once

#include <memory>

#include "persistence/documents.hpp"
#include "persistence/store.hpp"

namespace fondaco::persistence {

/// The documents and entity rows of a SQLite database whose schema is up to date; opens its connections when they are
/// needed.
std::unique_ptr<document_store> make_sqlite_documents(const store_options& options);

} // namespace fondaco::persistence
