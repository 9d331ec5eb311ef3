#include "persistence/journal.hpp"

#include "protocols/base/hash.hpp"

namespace fondaco::persistence {

std::string_view name_of(journal_errc e) noexcept {
  switch (e) {
  case journal_errc::fenced: return "fenced";
  case journal_errc::rejected: return "rejected";
  case journal_errc::duplicate: return "duplicate";
  case journal_errc::name_taken: return "name_taken";
  case journal_errc::outcome_unknown: return "outcome_unknown";
  case journal_errc::unavailable: return "unavailable";
  }
  return "unknown";
}

namespace {

void put(std::string& out, uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(v >> shift));
}

// Each part goes with its length, so that no two different lists of parts give the same bytes.
void put(std::string& out, std::string_view part) {
  put(out, uint64_t{part.size()});
  out.append(part);
}

} // namespace

std::string chain_link(std::string_view previous, const entity_key& key, int64_t seq, const event_record& e,
                       timepoint at) {
  std::string bytes;
  bytes.reserve(192 + key.owner.id().size() + key.kind.size() + key.id.size() + e.payload.size());
  put(bytes, previous);
  put(bytes, key.owner.id());
  put(bytes, key.kind);
  put(bytes, key.id);
  put(bytes, static_cast<uint64_t>(seq));
  put(bytes, e.type);
  put(bytes, uint64_t{e.version});
  put(bytes, std::string_view(&e.format, 1));
  put(bytes, e.payload);
  put(bytes, e.cause);
  put(bytes, static_cast<uint64_t>(to_epoch_ms(at)));
  return sha256(bytes);
}

} // namespace fondaco::persistence
