#include <utility>

#include "persistence/detail/audit_parts.hpp"

namespace fondaco::persistence::detail {

namespace {

constexpr auto integer = column_type::integer;
constexpr auto text = column_type::text;
constexpr auto bytes = column_type::bytes;

constexpr const char* lost_cure =
    "restore a backup that `fondaco verify` calls whole: what is gone cannot be made again";
constexpr const char* unread_cure = "run the program that wrote it, or a newer one: this one does not know the format";
constexpr const char* snapshot_cure =
    "stop the node and delete the entity's row of the table `snapshot`: the events are the truth, and give it again";
constexpr const char* row_cure =
    "give the entity its next command, which writes its row again; until then lists are wrong";

int64_t number(const cell& c) { return std::holds_alternative<int64_t>(c) ? std::get<int64_t>(c) : 0; }
std::string words(const cell& c) { return std::holds_alternative<std::string>(c) ? std::get<std::string>(c) : ""; }

/// One entity at a time: its row, its snapshot, its events in their order.
class history_walk {
public:
  history_walk(const fold_maker& fold, audit_notes& notes) : make_(fold), notes_(notes) {}

  void take(std::span<const cell> row) {
    if (!begun_ || number(row[0]) != surrogate_)
      begin(row);
    if (!std::holds_alternative<std::monostate>(row[9]))
      event(row);
  }

  void end() {
    if (!begun_)
      return;
    begun_ = false;
    if (seq_ != row_seq_)
      note(seq_, "Its row says " + std::to_string(row_seq_) + " events, and it has " + std::to_string(seq_) + ".",
           lost_cure);
    else if (fold_ && readable_ && fold_->status() != status_)
      note(seq_, "Its row says " + status_ + ", and its events give " + fold_->status() + ".", row_cure);
    if (snapshot_ && snapshot_->seq > seq_)
      note(snapshot_->seq, "Its snapshot is of an event that it does not have.", lost_cure);
  }

private:
  void begin(std::span<const cell> row) {
    end();
    begun_ = readable_ = true;
    surrogate_ = number(row[0]);
    const entity_key key{tenant(words(row[1])), words(row[2]), words(row[3])};
    key_ = key;
    row_seq_ = number(row[4]);
    status_ = words(row[5]);
    seq_ = 0;
    snapshot_.reset();
    if (!std::holds_alternative<std::monostate>(row[6])) {
      snapshot_ = snapshot{key, number(row[6]), static_cast<uint16_t>(number(row[7])), words(row[8])};
      ++notes_.report.snapshots;
    }
    fold_ = make_(key);
    if (!fold_)
      note(0, "This program knows no entities of the kind '" + key.kind + "'.", unread_cure);
    ++notes_.report.entities;
  }

  void event(std::span<const cell> row) {
    const auto seq = number(row[9]);
    if (seq != seq_ + 1)
      note(seq_ + 1, "The event is missing; the next one that is there is " + std::to_string(seq) + ".", lost_cure);
    seq_ = seq;
    if (!fold_ || !readable_)
      return;
    const auto format = words(row[12]);
    readable_ = fold_->replay({words(row[10]), static_cast<uint16_t>(number(row[11])), format.empty() ? 'j' : format[0],
                               words(row[13]), words(row[14])});
    if (!readable_)
      return note(seq_,
                  "The event " + words(row[10]) + ", version " + std::to_string(number(row[11])) + ", cannot be read.",
                  unread_cure);
    if (snapshot_ && snapshot_->seq == seq_)
      compare();
  }

  // Both as this program would write them: a snapshot of an older one lacks what is newer.
  void compare() {
    const auto kept = make_(*key_);
    if (!kept->restore(*snapshot_))
      note(seq_, "Its snapshot cannot be read.", snapshot_cure);
    else if (kept->state() != fold_->state())
      note(seq_, "Its events up to this one give another state than its snapshot.", snapshot_cure);
  }

  void note(int64_t seq, std::string what, const char* cure) { notes_.add({key_, seq, std::move(what), cure}); }

  const fold_maker& make_;
  audit_notes& notes_;
  bool begun_ = false;
  bool readable_ = true;
  int64_t surrogate_ = 0;
  std::optional<entity_key> key_;
  int64_t row_seq_ = 0;
  int64_t seq_ = 0;
  std::string status_;
  std::optional<snapshot> snapshot_;
  std::unique_ptr<history_fold> fold_;
};

} // namespace

std::expected<void, fault> audit_histories(store_reader& store, const fold_maker& fold, audit_notes& notes) {
  constexpr column_type types[] = {integer, text,    text, text,    integer, text,  integer, integer,
                                   bytes,   integer, text, integer, text,    bytes, text};
  history_walk walk(fold, notes);
  auto read = store.read("select e.key, e.tenant, e.kind, e.id, e.seq, e.status, s.seq, s.version, s.payload, "
                         "j.seq, j.type, j.version, j.format, j.payload, j.cause from entity e "
                         "left join snapshot s on s.entity = e.key left join journal j on j.entity = e.key "
                         "order by e.key, j.seq",
                         types, [&](auto row) -> std::expected<void, fault> {
                           walk.take(row);
                           return {};
                         });
  if (read)
    walk.end();
  return read;
}

} // namespace fondaco::persistence::detail
