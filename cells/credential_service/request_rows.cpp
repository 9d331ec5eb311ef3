#include "cells/credential_service/request_rows.hpp"

#include <utility>

#include "planes/api/errors.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::credential_service {

namespace api = planes::api;
using api::result;
using api::task;

namespace {

std::string text_at(const json::object& o, std::string_view name) {
  return std::string(json::string_at(o, name).value_or(""));
}

request_row to_row(const persistence::entity_row& row) {
  const auto view = api::stored_object(row.view);
  request_row out;
  out.holder_pid = row.key.id;
  out.issuer_did = text_at(view, "issuerDid");
  out.issuer_pid = text_at(view, "issuerPid");
  out.status = row.status;
  out.error_detail = text_at(view, "errorDetail");
  if (const auto* list = json::array_at(view, "typesAndFormats"))
    for (const auto& item : *list)
      if (const auto* o = item.if_object())
        out.wanted.push_back({text_at(*o, "id"), text_at(*o, "credentialType"), text_at(*o, "format")});
  return out;
}

persistence::entity_key key_of(tenant owner, std::string holder_pid) {
  return {std::move(owner), std::string(credential_request::kind), std::move(holder_pid)};
}

} // namespace

task<result<std::optional<request_row>>> read_request(cells::cell_services& s, tenant owner, std::string holder_pid) {
  auto key = key_of(std::move(owner), std::move(holder_pid));
  auto reading = actors::in_pool(s.pool, s.edge, key.owner, [&s, key] { return s.journal.read_row(key); });
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(api::busy());
  if (!*found)
    co_return std::unexpected(
        api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}}));
  std::optional<request_row> out;
  if (**found)
    out = to_row(***found);
  co_return std::move(out);
}

task<std::expected<credential_request::reply, actors::ask_error>>
tell_request(cells::cell_services& s, tenant owner, std::string holder_pid, credential_request::command command) {
  const auto shard = s.runtime.shard_for(owner);
  auto key = key_of(std::move(owner), std::move(holder_pid));
  auto asking = actors::ask<credential_request>(s.runtime, s.edge, std::move(key), shard, std::move(command),
                                                s.command_timeout_ms);
  co_return co_await std::move(asking);
}

} // namespace fondaco::credential_service
