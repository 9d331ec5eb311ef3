#include "cells/control_plane/process.hpp"

#include <algorithm>

#include "protocols/base/ids.hpp"

namespace fondaco::control_plane {

std::string_view name_of(cause_side s) noexcept {
  switch (s) {
  case cause_side::local: return "local";
  case cause_side::peer: return "peer";
  case cause_side::data_plane: return "data_plane";
  }
  return "local";
}

namespace {

/// Cuts at a character's border, so that the text stays UTF-8.
void cut(std::string& text, size_t bytes_max) {
  if (text.size() <= bytes_max)
    return;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  text.resize(end);
}

} // namespace

void add_cause(std::vector<process_cause>& chain, process_cause cause) {
  cut(cause.text, limits::cause_bytes_max);
  if (cause.text.empty() || (!chain.empty() && chain.back() == cause))
    return;
  if (chain.size() >= limits::causes_max)
    chain.erase(chain.begin() + limits::causes_max / 2);
  chain.push_back(std::move(cause));
}

json::array causes_json(const std::vector<process_cause>& chain) {
  json::array out;
  for (const auto& c : chain)
    out.push_back(planes::to_json(c));
  return out;
}

void remember_message(std::vector<std::string>& ids, const std::string& id) {
  if (id.empty() || std::ranges::find(ids, id) != ids.end())
    return;
  if (ids.size() >= limits::accepted_message_ids_max)
    ids.erase(ids.begin());
  ids.push_back(id);
}

std::string derive_part_id(std::string_view process_id, std::string_view part) {
  const auto own = parse_uuid(process_id);
  return derive_uuid(own ? own->shard() : shard_number{0}, {process_id, part}).text();
}

std::string derive_message_id(std::string_view process_id, int64_t number) {
  return derive_part_id(process_id, "message " + std::to_string(number));
}

std::string in_words(milliseconds length) {
  const auto ms = length.count();
  if (ms != 0 && ms % 86'400'000 == 0)
    return std::to_string(ms / 86'400'000) + " d";
  if (ms != 0 && ms % 3'600'000 == 0)
    return std::to_string(ms / 3'600'000) + " h";
  if (ms != 0 && ms % 1000 == 0)
    return std::to_string(ms / 1000) + " s";
  return std::to_string(ms) + " ms";
}

std::string termination_text(std::string_view code, const std::vector<std::string>& reasons) {
  std::string out = "The counterparty terminated the process";
  if (!code.empty())
    out += " with code " + std::string(code);
  for (size_t i = 0; i < reasons.size(); ++i)
    out += (i == 0 ? ": " : "; ") + reasons[i];
  return out;
}

} // namespace fondaco::control_plane
