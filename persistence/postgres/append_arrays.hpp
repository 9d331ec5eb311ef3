#pragma once

#include <map>
#include <string>

#include "persistence/postgres/connection.hpp"

namespace fondaco::persistence::postgres {

/// The arrays of one append, and the statement that takes them: tables that the batch does not touch have no part in
/// it.
class append_arrays {
public:
  /// Counts the entity and its events for its shard's row. Gives the offset of its first event from the last position.
  int64_t add_shard(const entity_append& a);
  /// An entity's first row.
  void add_new(const entity_append& a, int64_t key);
  /// An entity's next state.
  void add_update(const entity_append& a, int64_t key);
  /// An event at its offset from the shard's last position.
  void add_event(const entity_append& a, int64_t key, int64_t offset, int64_t seq, const event_record& e,
                 std::string_view link);
  /// A wake-up that is set, or cleared if `due` is empty.
  void add_wake(shard_number shard, int64_t key, std::optional<int64_t> due);
  /// The last link of a tenant in a shard, which followed `previous` (empty: the first).
  void add_link(std::string_view owner, shard_number shard, std::string_view previous, std::string_view link);
  /// Marks, names and documents.
  void add_beside(const entity_append& a);

  /// Runs the statement. Rows: shard, the position before the first new event; a fenced shard has none.
  outcome<result> execute(connection& c, const std::string& group) &&;

private:
  struct shard_counts {
    int64_t epoch = 0;
    int64_t events = 0;
    /// Rows of `entity` and `tenant_chain` that have to be written if the shard is ours.
    int64_t rows = 0;
    int64_t names = 0;
  };
  void add_documents(const entity_append& a);

  std::map<shard_number, shard_counts> shards_;
  array update_key_{type::int8}, update_shard_{type::int4}, update_expected_{type::int8}, update_seq_{type::int8},
      update_status_{type::text}, update_view_{type::text}, update_at_{type::int8};
  array new_key_{type::int8}, new_tenant_{type::text}, new_kind_{type::text}, new_id_{type::text},
      new_shard_{type::int4}, new_seq_{type::int8}, new_status_{type::text}, new_view_{type::text}, new_at_{type::int8};
  array event_shard_{type::int4}, event_offset_{type::int8}, event_entity_{type::int8}, event_seq_{type::int8},
      event_type_{type::text}, event_version_{type::int2}, event_format_{type::character}, event_payload_{type::bytea},
      event_at_{type::int8}, event_cause_{type::text}, event_chain_{type::bytea};
  array link_tenant_{type::text}, link_shard_{type::int4}, link_previous_{type::bytea}, link_chain_{type::bytea};
  array first_tenant_{type::text}, first_shard_{type::int4}, first_chain_{type::bytea};
  array wake_entity_{type::int8}, wake_shard_{type::int4}, wake_due_{type::int8};
  array clear_entity_{type::int8}, clear_shard_{type::int4};
  array seen_shard_{type::int4}, seen_tenant_{type::text}, seen_id_{type::text}, seen_until_{type::int8};
  array name_shard_{type::int4}, name_space_{type::text}, name_name_{type::text}, name_tenant_{type::text},
      name_kind_{type::text}, name_id_{type::text};
  array put_shard_{type::int4}, put_tenant_{type::text}, put_kind_{type::text}, put_id_{type::text},
      put_body_{type::text}, put_at_{type::int8};
  array drop_shard_{type::int4}, drop_tenant_{type::text}, drop_kind_{type::text}, drop_id_{type::text};
};

/// What a failed append of a single entity means.
journal_errc append_errc_of(const failure& f) noexcept;

} // namespace fondaco::persistence::postgres
