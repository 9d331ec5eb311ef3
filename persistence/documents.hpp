#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/journal.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::persistence {

/// A criterion of a query, as QuerySpec has it ("operandLeft operator operandRight"); all criteria must hold.
struct criterion {
  /// The path of the field in the body: names joined by '.'; a segment in single quotes may itself hold dots.
  std::string operand_left;
  /// One of = != < <= > >= in, not in, like, ilike, contains (any case).
  std::string op;
  json::value operand_right;
};

/// A query over one tenant's documents or entities of one kind.
struct query_spec {
  std::vector<criterion> filter;
  /// A path as in `criterion::operand_left`; empty keeps the order of creation.
  std::string sort_field;
  bool descending = false;
  size_t offset = 0;
  size_t limit = 50;
};

/// Why a query gave no rows.
enum class query_errc : uint8_t {
  /// The operator is unknown or its operand has the wrong shape. The caller must correct the query.
  bad_criterion = 1,
  /// A path or a sort field is not well formed. The caller must correct the query.
  bad_path,
  /// The store cannot be reached. The caller may try again.
  unavailable,
};

/// A refused query: why, and a sentence for the caller.
struct query_error {
  query_errc code;
  std::string detail;
};

/// A stored document.
struct document {
  entity_key key;
  int64_t version = 0;
  /// JSON text.
  std::string body;
  timepoint created_at;
  timepoint updated_at;
};

/// The read side of documents and entity rows: SQL always, so that there is one meaning of a query. Writes go through
/// the journal's append. Calls block and may come from any thread.
class document_store {
public:
  virtual ~document_store() = default;

  /// The document with this key, or nothing.
  virtual std::expected<std::optional<document>, query_error> get(const entity_key& key) = 0;

  /// The tenant's documents of a kind that match, in order.
  virtual std::expected<std::vector<document>, query_error> query(const tenant& owner, std::string_view kind,
                                                                  const query_spec& spec) = 0;

  /// The tenant's entities of a kind that match; paths look into `view`, and `state` means the row's status.
  virtual std::expected<std::vector<entity_row>, query_error> query_entities(const tenant& owner, std::string_view kind,
                                                                             const query_spec& spec) = 0;

  /// Entities of all tenants for the operator's tools, newest change first; an empty kind means every kind.
  virtual std::expected<std::vector<entity_row>, query_error> list_entities(std::string_view kind, size_t offset,
                                                                            size_t limit) = 0;

  /// The entities of every tenant that have this id (an operator has an id and nothing else).
  virtual std::expected<std::vector<entity_row>, query_error> find_entities(std::string_view id) = 0;
};

} // namespace fondaco::persistence
