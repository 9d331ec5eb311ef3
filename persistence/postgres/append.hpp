#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "persistence/postgres/append_arrays.hpp"
#include "persistence/postgres/connection.hpp"

namespace fondaco::persistence {

namespace limits {
/// The most entities and tenants whose row's key, wake-up and last link a writer remembers before it starts afresh.
inline constexpr size_t append_memory_rows_max = 100'000;
} // namespace limits

namespace postgres {

/// Writes batches for one group. It remembers the rows that it wrote, so that the common batch is one statement without
/// a read before it. Not safe from two threads at once.
class append_writer {
public:
  /// A writer for this group over its own connection.
  append_writer(connection c, std::string group) : connection_(std::move(c)), group_(std::move(group)) {}

  /// The outcome of each entity's part.
  std::vector<append_result> write(std::span<const entity_append> batch);

  /// As `journal::move_wake`.
  std::expected<void, journal_errc> move_wake(const entity_key& key, shard_number shard, int64_t epoch,
                                              std::optional<timepoint> wake);

  /// Forgets what it knows of a tenant's rows, after somebody else changed them.
  void forget(const tenant& owner);

private:
  struct entity_memory {
    int64_t key = 0;
    /// The epoch in which `due` was known; another owner may have moved it in any other.
    int64_t epoch = 0;
    std::optional<int64_t> due;
  };
  struct link_memory {
    int64_t epoch = 0;
    std::string link;
  };
  struct key_hash {
    size_t operator()(const entity_key& k) const noexcept;
  };
  using link_key = std::pair<std::string, shard_number>;
  using indices = std::vector<size_t>;

  void write_some(const indices& some);
  outcome<void> attempt(const indices& some);
  outcome<void> recall_entities(const indices& some);
  outcome<void> recall_links(const indices& some);
  outcome<int64_t> next_key();
  outcome<void> add_entities(const indices& some, append_arrays& arrays);
  void add_entity(const entity_append& a, int64_t key, append_arrays& arrays);
  void acknowledge(const indices& some, const result& rows);
  void forget(const indices& some);
  void fail(const indices& some, journal_errc why);

  connection connection_;
  std::string group_;
  std::unordered_map<entity_key, entity_memory, key_hash> entities_;
  std::map<link_key, link_memory> links_;
  int64_t next_key_ = 0;
  int64_t keys_end_ = 0;

  // The batch that is being written.
  std::span<const entity_append> batch_;
  std::vector<append_result> results_;
  std::map<link_key, std::string> new_links_;
};

} // namespace postgres
} // namespace fondaco::persistence
