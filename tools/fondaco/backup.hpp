#pragma once

#include <string>

namespace fondaco::tools {

/// Writes all that the store of a configuration holds to a new file, as of one moment, whether its node runs or not.
/// Secrets are in it as they are in the store: sealed, so the key-encryption key has to be kept apart. Gives a
/// `store_exit`.
int run_backup(const std::string& config_file, const std::string& file);

/// Checks a backup file alone: its form, that it is whole, its counts and its digest. Gives a `store_exit`.
int run_verify(const std::string& file, bool as_json);

/// Checks a backup file and fills the empty store of a configuration with it: a node that had the shards before is
/// fenced, and what was being sent is asked for at the peer before it is sent again. Gives a `store_exit`.
int run_restore(const std::string& config_file, const std::string& file);

} // namespace fondaco::tools
