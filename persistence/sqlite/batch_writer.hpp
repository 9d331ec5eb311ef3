#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "persistence/sqlite/connection.hpp"

namespace fondaco::persistence::sqlite {

/// One transaction over a batch: every check comes before the first write of its entity, so that a refused entity
/// leaves nothing and its neighbours stand.
class batch_writer {
public:
  /// Writes the batch for this group through the connection, which nobody else uses meanwhile.
  batch_writer(connection& c, const std::string& group) : db_(c), group_(group) {}

  /// The outcome of each entity's part.
  std::vector<append_result> write(std::span<const entity_append> batch);

private:
  struct shard_state {
    int64_t epoch = 0;
    int64_t last_position = 0;
  };
  struct entity_state {
    int64_t key = 0;
    int64_t seq = 0;
    std::optional<int64_t> due;
  };
  using refusal = std::optional<journal_errc>;
  using chain_key = std::pair<std::string, shard_number>;

  outcome<void> attempt(std::span<const entity_append> batch, std::vector<append_result>& results, size_t& at);
  outcome<append_result> write_one(const entity_append& a);
  outcome<shard_state*> shard_of(shard_number shard);
  outcome<std::string*> link_of(const entity_append& a);
  outcome<entity_state> entity_of(const entity_key& key);
  outcome<refusal> refused(const entity_append& a);
  outcome<int64_t> write_entity(const entity_append& a, const entity_state& e);
  outcome<void> write_events(const entity_append& a, int64_t key, shard_state& shard);
  outcome<void> write_wake(const entity_append& a, int64_t key, std::optional<int64_t> due);
  outcome<void> write_beside(const entity_append& a);
  outcome<void> write_document(const entity_append& a, const document_write& d);
  outcome<void> write_shards();

  connection& db_;
  const std::string& group_;
  std::map<shard_number, shard_state> shards_;
  std::map<chain_key, std::string> links_;
};

} // namespace fondaco::persistence::sqlite
