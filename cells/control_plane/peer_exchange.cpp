#include "cells/control_plane/peer_exchange.hpp"

#include <utility>

#include "protocols/json/json.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::control_plane {

namespace {

/// Cuts at a character's border, so that the text stays UTF-8, and keeps control characters out of logs and lists.
std::string bounded(std::string_view text) {
  size_t end = std::min(text.size(), limits::peer_reason_bytes_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  std::string out(text.substr(0, end));
  for (auto& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      c = ' ';
  return out;
}

void add_reason(std::vector<std::string>& to, const json::value& v) {
  if (to.size() >= limits::peer_reasons_max || v.is_null())
    return;
  const auto text = jsonld::text_of(v);
  auto reason = bounded(text ? *text : json::write(v));
  if (!reason.empty())
    to.push_back(std::move(reason));
}

void add_reasons(std::vector<std::string>& to, const json::object& o) {
  for (const auto* name : {"reason", "dspace:reason", "message", "detail", "error"}) {
    const auto* found = o.if_contains(name);
    if (!found)
      continue;
    if (const auto* list = found->if_array())
      for (const auto& v : *list)
        add_reason(to, v);
    else
      add_reason(to, *found);
    return;
  }
}

} // namespace

actors::task<actors::http_result> exchange(cells::cell_services& s, actors::http_call call) {
  call.answer_bytes_max = limits::peer_answer_bytes_max;
  call.timeout_ms = s.settings.exchange_timeout_ms;
  actors::callback_awaiter<actors::http_result> waiting(
      s.edge, [&s, call = std::move(call)](std::function<void(actors::http_result)> done) mutable {
        s.http.send(std::move(call), std::move(done));
      });
  co_return co_await waiting;
}

bool may_pass(const actors::http_result& result) {
  if (!result)
    return result.error() != actors::exchange_errc::address_refused;
  return result->status >= 500 || result->status == 429 || result->status == 421 || result->status == 408;
}

std::string outcome_of(const actors::http_result& result) {
  return result ? std::to_string(result->status) : std::string(actors::name_of(result.error()));
}

std::vector<std::string> error_reasons(std::string_view body) {
  std::vector<std::string> out;
  const auto parsed = json::parse(body);
  if (!parsed)
    return out;
  if (const auto* o = parsed->if_object())
    add_reasons(out, *o);
  if (const auto* list = parsed->if_array())
    for (const auto& v : *list)
      if (const auto* o = v.if_object())
        add_reasons(out, *o);
  return out;
}

std::string failure_text(std::string_view who, std::string_view what, const actors::http_result& result) {
  std::string out(who);
  if (!result) {
    if (result.error() == actors::exchange_errc::address_refused)
      return out + "'s address is not allowed for " + std::string(what) + ".";
    return out + " did not answer " + std::string(what) + " (" + outcome_of(result) + ").";
  }
  out += " answered " + std::to_string(result->status) + " to " + std::string(what);
  const auto reasons = error_reasons(result->body);
  for (size_t i = 0; i < reasons.size(); ++i)
    out += (i == 0 ? ": " : "; ") + reasons[i];
  return reasons.empty() ? out + "." : out;
}

} // namespace fondaco::control_plane
