#include "cells/issuer_service/status_lists.hpp"

#include <algorithm>
#include <utility>

#include "cells/identity/keys.hpp"
#include "cells/issuer_service/routes.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/errors.hpp"
#include "planes/api/records.hpp"
#include "planes/codec/path.hpp"
#include "protocols/jose/jwt.hpp"

namespace fondaco::issuer_service {

namespace {

namespace api = planes::api;
using actors::task;
using cells::cell_services;

constexpr const char* list_type = "StatusList";
constexpr const char* name_space = "status_list";

fault for_now(std::string detail) { return {"unavailable", std::move(detail), cure::retry}; }

/// The number of the purpose's latest list; 0 if there is none yet. Nothing if the store does not answer. Blocks.
std::optional<int64_t> latest_number(cell_services& s, const tenant& owner, const std::string& purpose) {
  persistence::query_spec spec;
  spec.filter.push_back({"purpose", "=", json::value(purpose)});
  spec.sort_field = "number";
  spec.descending = true;
  spec.limit = 1;
  const auto rows = s.documents.query_entities(owner, status_list::kind, spec);
  if (!rows)
    return std::nullopt;
  return rows->empty() ? 0 : json::integer_at(api::stored_object(rows->front().view), "number").value_or(0);
}

persistence::entity_key key_of(const tenant& owner, const std::string& list_id) {
  return {owner, cells::kinds::status_list, list_id};
}

bool is_full(const actors::ask_error& e) {
  return e.code == actors::ask_errc::refused && e.why.code == name_of(list_errc::full);
}

task<std::expected<status_list::reply, actors::ask_error>> tell(cell_services& s, tenant owner, std::string list_id,
                                                                status_list::command command) {
  const auto shard = s.runtime.shard_for(owner);
  auto key = key_of(owner, list_id);
  auto asking =
      actors::ask<status_list>(s.runtime, s.edge, std::move(key), shard, std::move(command), s.command_timeout_ms);
  co_return co_await std::move(asking);
}

std::vector<status_place> places_of(const status_list::reply& given, const std::string& purpose) {
  std::vector<status_place> out;
  for (const auto index : given.indices)
    out.push_back({purpose, given.id, index});
  return out;
}

} // namespace

std::string status_list_url(const cells::cell_settings& settings, const std::string& list_id) {
  return settings.protocol_url + "/statuslist/" + planes::path_segment(list_id);
}

std::string status_list_id(const cell_services& s, const tenant& owner, const std::string& purpose, int64_t number) {
  return derive_uuid(s.runtime.shard_for(owner), {owner.id(), "status list", purpose, std::to_string(number)}).text();
}

task<std::expected<std::vector<status_place>, fault>>
allocate_places(cell_services& s, tenant owner, std::string purpose, std::vector<std::string> keys) {
  auto reading =
      actors::in_pool(s.pool, s.edge, owner, [&s, owner, purpose] { return latest_number(s, owner, purpose); });
  const auto latest = co_await std::move(reading);
  if (!latest || !*latest)
    co_return std::unexpected(for_now("The status lists cannot be read now."));
  for (auto number = **latest; number < **latest + limits::lists_tried_max; ++number) {
    status_list::allocate wanted;
    wanted.id = status_list_id(s, owner, purpose, number);
    wanted.purpose = purpose;
    wanted.number = number;
    wanted.keys = keys;
    auto list_id = wanted.id;
    status_list::command command = std::move(wanted);
    auto asking = tell(s, owner, std::move(list_id), std::move(command));
    const auto given = co_await std::move(asking);
    if (given)
      co_return places_of(*given, purpose);
    if (!is_full(given.error()))
      co_return std::unexpected(for_now("No place in a status list was had: " + given.error().why.detail));
  }
  co_return std::unexpected(for_now("Every status list that was asked is full; the next try asks further ones."));
}

task<std::expected<void, actors::ask_error>> set_bit(cell_services& s, tenant owner, status_place place, bool value,
                                                     std::string cause) {
  status_list::command command = status_list::set_bit{place.index, value, std::move(cause)};
  auto asking = tell(s, std::move(owner), place.list_id, std::move(command));
  auto set = co_await std::move(asking);
  if (!set)
    co_return std::unexpected(std::move(set.error()));
  co_return std::expected<void, actors::ask_error>();
}

std::optional<bool> read_bit(cell_services& s, const tenant& owner, const status_place& place) {
  const auto found = s.documents.get(key_of(owner, place.list_id));
  if (!found || !*found)
    return std::nullopt;
  const auto body = api::stored_object((*found)->body);
  const auto bits = vc::status_bits::decode(json::string_at(body, "encodedList").value_or(""));
  const auto bit = bits && place.index >= 0 ? bits->at(static_cast<uint64_t>(place.index))
                                            : std::expected<bool, fault>(std::unexpected(fault{}));
  return bit ? std::optional(*bit) : std::nullopt;
}

namespace {

gateway::response unavailable(std::string detail) {
  return api::error_response(503, {{std::move(detail), "Unavailable", "", nullptr}});
}

struct media_range {
  std::string_view type;
  double quality = 1;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

double quality_of(std::string_view text) {
  // RFC 9110, section 12.4.2: 0 to 1 with at most three digits; anything else is taken as 1.
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1'))
    return 1;
  double out = text[0] - '0', digit = 0.1;
  for (const char c : text.substr(std::min<size_t>(2, text.size()))) {
    if (c < '0' || c > '9')
      return 1;
    out += (c - '0') * digit;
    digit /= 10;
  }
  return std::min(out, 1.0);
}

std::vector<media_range> ranges_of(std::string_view accept) {
  std::vector<media_range> out;
  for (size_t begin = 0; begin <= accept.size();) {
    const auto end = std::min(accept.find(',', begin), accept.size());
    auto part = trimmed(accept.substr(begin, end - begin));
    begin = end + 1;
    media_range range{trimmed(part.substr(0, part.find(';'))), 1};
    for (auto at = part.find(';'); at != std::string_view::npos; at = part.find(';', at + 1)) {
      const auto parameter = trimmed(part.substr(at + 1, part.find(';', at + 1) - at - 1));
      if (parameter.starts_with("q=") || parameter.starts_with("Q="))
        range.quality = quality_of(parameter.substr(2));
    }
    if (!range.type.empty())
      out.push_back(range);
  }
  return out;
}

/// How much a type is wanted: the most specific range that fits it counts.
double wanted(const std::vector<media_range>& ranges, std::string_view type) {
  for (const std::string_view fitting : {type, std::string_view("application/*"), std::string_view("*/*")})
    for (const auto& range : ranges)
      if (range.type == fitting)
        return range.quality;
  return 0;
}

/// The credential inside the JWT, which is what it proves.
std::string unsigned_form(std::string_view compact) {
  const auto token = jose::parse_jwt(compact);
  invariant(token.has_value(), "a status list that was signed here can be read here");
  const auto* inside = json::object_at(token->claims, "vc");
  return json::write(inside ? *inside : token->claims);
}

} // namespace

std::optional<list_form> choose_form(std::optional<std::string_view> accept) {
  const auto ranges = ranges_of(accept.value_or("*/*"));
  if (ranges.empty())
    return list_form::jwt;
  const auto jwt = std::max(wanted(ranges, "application/vc+jwt"), wanted(ranges, "application/jwt"));
  const auto plain = wanted(ranges, "application/json");
  if (jwt <= 0 && plain <= 0)
    return std::nullopt;
  return jwt >= plain ? list_form::jwt : list_form::json;
}

status_list_publisher::found status_list_publisher::sign(const std::string& id, const persistence::entity_key& key,
                                                         const std::string& body, timepoint now) const {
  const auto list = api::stored_object(body);
  const auto bits = vc::status_bits::decode(json::string_at(list, "encodedList").value_or(""));
  invariant(bits.has_value(), "a status list keeps what it can read");
  const auto by = identity::find_signer(s_, key.owner, identity::key_usage::sign_credentials);
  if (!by)
    return std::unexpected(unavailable("The issuer has no key to sign the status list with now."));
  auto what = vc::make_status_list(vc::profile::vc20_jose, status_list_url(s_.settings, id), by->did,
                                   std::string(json::string_at(list, "purpose").value_or("")), *bits, now,
                                   limits::status_list_validity_ms);
  // Readers that know only JWTs with a claim `vc` are the more common ones (identity API reference, section 9.5).
  what.form = vc::profile::vc11_jwt;
  return vc::sign_credential(what, by->key, by->kid, what.id, now);
}

status_list_publisher::found status_list_publisher::find(const std::string& id) {
  const auto name = s_.journal.resolve_name(name_space, id);
  if (!name)
    return std::unexpected(unavailable("The store does not answer; ask again."));
  if (!*name)
    return std::unexpected(api::not_found(list_type, id));
  const auto kept = s_.documents.get(**name);
  if (!kept)
    return std::unexpected(unavailable("The store does not answer; ask again."));
  if (!*kept)
    return std::unexpected(api::not_found(list_type, id));
  const auto now = s_.clock.now();
  {
    std::scoped_lock lock(mutex_);
    const auto known = signed_.find(id);
    if (known != signed_.end() && known->second.version == (*kept)->version &&
        now < known->second.signed_at + limits::status_list_resign_ms)
      return known->second.compact;
  }
  auto fresh = sign(id, **name, (*kept)->body, now);
  if (!fresh)
    return fresh;
  std::scoped_lock lock(mutex_);
  if (signed_.size() >= limits::signed_lists_max)
    signed_.clear();
  signed_[id] = {(*kept)->version, now, *fresh};
  return fresh;
}

gateway::task<gateway::response> status_list_publisher::answer(std::shared_ptr<const gateway::request> r) {
  const auto id = api::path_value(*r, "id");
  const auto form = choose_form(gateway::header(*r, "accept"));
  if (!form)
    co_return api::error_response(
        406, {{"A status list is application/vc+jwt or application/json.", "NotAcceptable", "", nullptr}});
  if (!api::is_id(id))
    co_return api::not_found(list_type, "");
  auto reading = actors::in_pool(s_.pool, s_.edge, [this, id] { return find(id); });
  auto compact = co_await std::move(reading);
  if (!compact)
    co_return api::busy();
  if (!*compact)
    co_return std::move(compact->error());
  gateway::response out;
  out.status = 200;
  out.headers = {{"content-type", *form == list_form::jwt ? "application/vc+jwt" : "application/json"},
                 {"vary", "accept"}};
  out.body = *form == list_form::jwt ? std::move(**compact) : unsigned_form(**compact);
  co_return out;
}

} // namespace fondaco::issuer_service
