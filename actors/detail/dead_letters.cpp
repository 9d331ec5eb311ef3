#include "actors/detail/dead_letters.hpp"

#include <algorithm>

namespace fondaco::actors::detail {

void letter_box::failed(const persistence::entity_key& key, shard_number shard, const std::string& effect,
                        std::string error, timepoint now, std::optional<timepoint> next_try) {
  std::scoped_lock lock(mutex_);
  auto found = letters_.find({key, effect});
  if (found == letters_.end()) {
    if (letters_.size() >= max_)
      return;
    found = letters_.emplace(name{key, effect}, dead_letter{key, shard, effect, 0, now, now, {}, {}}).first;
  }
  auto& l = found->second;
  ++l.attempts;
  l.last_failed_at = now;
  l.next_try = next_try;
  if (!error.empty())
    l.error = std::move(error);
}

void letter_box::done(const persistence::entity_key& key, const std::string& effect) {
  std::scoped_lock lock(mutex_);
  letters_.erase({key, effect});
}

void letter_box::keep_only(const persistence::entity_key& key, const std::vector<erased_effect>& owed) {
  std::scoped_lock lock(mutex_);
  auto it = letters_.lower_bound({key, ""});
  while (it != letters_.end() && it->first.first == key) {
    const bool still = std::ranges::any_of(owed, [&](const auto& e) { return e.key == it->first.second; });
    it = still ? std::next(it) : letters_.erase(it);
  }
}

void letter_box::forget(const std::string& owner, const std::vector<std::string>& kinds,
                        const std::optional<std::string>& id) {
  std::scoped_lock lock(mutex_);
  std::erase_if(letters_, [&](const auto& kept) {
    const auto& key = kept.first.first;
    return key.owner.id() == owner && std::ranges::find(kinds, key.kind) != kinds.end() && (!id || key.id == *id);
  });
}

std::vector<dead_letter> letter_box::list(size_t rows_max) const {
  std::scoped_lock lock(mutex_);
  std::vector<dead_letter> out;
  for (const auto& [name, letter] : letters_) {
    if (out.size() == rows_max)
      break;
    out.push_back(letter);
  }
  return out;
}

size_t letter_box::size() const {
  std::scoped_lock lock(mutex_);
  return letters_.size();
}

} // namespace fondaco::actors::detail
