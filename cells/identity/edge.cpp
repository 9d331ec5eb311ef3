#include "cells/identity/edge.hpp"

#include <charconv>
#include <utility>

#include "gateway/api_client.hpp"
#include "planes/api/bodies.hpp"
#include "protocols/base/base64.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::identity {

namespace {

namespace kinds = cells::kinds;

constexpr std::string_view scope_prefix = "identity-api:";
/// The longest API key that is looked at, in bytes: an id of 512 bytes and 64 random ones, both in base64.
constexpr size_t api_key_bytes_max = 1024;

/// Takes API keys besides the node's tokens (identity API reference, section 3.1).
class key_or_token final : public gateway::token_verifier {
public:
  explicit key_or_token(cell_services& s) : s_(s) {}

  task<std::expected<gateway::principal, gateway::denied>> verify(request_ptr r) override {
    std::optional<std::string> key;
    for (const auto& [name, value] : r->headers) {
      if (name != "x-api-key")
        continue;
      if (key)
        co_return std::unexpected(refused());
      key = value;
    }
    if (!key) {
      auto asking = s_.tokens.verify(std::move(r));
      co_return co_await std::move(asking);
    }
    const auto owner = owner_in(*key);
    if (!owner)
      co_return std::unexpected(refused());
    auto looking = api::read_document(s_, context_key(*owner));
    const auto found = co_await std::move(looking);
    if (!found)
      co_return std::unexpected(gateway::keys_unavailable());
    const auto context = *found ? api::stored_object((*found)->body) : json::object();
    // A stranger's id is compared too, so that the answer's time does not tell which ids exist.
    const auto expected = json::string_at(context, "apiKeySha256").value_or("-");
    const bool fits = constant_time_equal(expected, gateway::hash_of_secret(*key));
    if (!fits || !is_complete(context))
      co_return std::unexpected(refused());
    gateway::principal who{owner->id(), *owner, {}};
    if (const auto* scopes = json::array_at(context, "scopes"))
      for (const auto& scope : *scopes)
        if (scope.is_string())
          who.scopes.emplace_back(scope.get_string());
    co_return who;
  }

private:
  static gateway::denied refused() { return gateway::unauthenticated("the API key is not valid"); }

  static std::optional<tenant> owner_in(const std::string& key) {
    const auto dot = key.find('.');
    if (key.size() > api_key_bytes_max || dot == std::string::npos || key.find('.', dot + 1) != std::string::npos)
      return std::nullopt;
    const auto id = base64_decode(std::string_view(key).substr(0, dot));
    return id && api::is_id(*id) && !id->starts_with('.') ? std::optional(tenant(*id)) : std::nullopt;
  }

  cell_services& s_;
};

task<result<gateway::principal>> admit(cell_services& s, request_ptr r, std::string scope,
                                       std::optional<tenant> owner) {
  key_or_token verifier(s);
  auto admission = gateway::admit(verifier, std::move(r), std::move(scope), std::move(owner));
  auto admitted = co_await std::move(admission);
  if (!admitted)
    co_return std::unexpected(gateway::to_response(admitted.error()));
  co_return std::move(*admitted);
}

response store_silent() {
  return api::error_response(503, {{"The store does not answer; ask again.", "Unavailable", "", nullptr}});
}

struct draft {
  json::object body;
  int64_t version = 0;
};

// The row is read first: if somebody writes between the two reads, the version is the older one and the write is
// refused.
result<draft> make_draft(cell_services& s, const persistence::entity_key& key, const api::record_change& change) {
  const auto row = s.journal.read_row(key);
  const auto before = s.documents.get(key);
  if (!row || !before)
    return std::unexpected(store_silent());
  draft out;
  if (*row && *before)
    out.version = json::integer_at(api::stored_object((*row)->view), "version").value_or(0);
  auto body = change(*before ? api::stored_object((*before)->body) : json::object());
  if (!body)
    return std::unexpected(std::move(body.error()));
  out.body = std::move(*body);
  return out;
}

bool lost_a_race(const actors::ask_error& e) {
  return e.code == actors::ask_errc::refused && e.why.code == planes::name_of(planes::record_errc::version_conflict);
}

} // namespace

task<result<gateway::principal>> enter(cell_services& s, request_ptr r, const char* scope) {
  tenant owner(api::path_value(*r, "p"));
  std::string required = std::string(scope_prefix) + scope;
  std::optional<tenant> whose = std::move(owner);
  auto admitting = admit(s, std::move(r), std::move(required), std::move(whose));
  co_return co_await std::move(admitting);
}

task<result<gateway::principal>> enter_as_admin(cell_services& s, request_ptr r) {
  std::string required = std::string(scope_prefix) + "admin";
  std::optional<tenant> nobody;
  auto admitting = admit(s, std::move(r), std::move(required), std::move(nobody));
  co_return co_await std::move(admitting);
}

persistence::entity_key context_key(const tenant& owner) { return {owner, kinds::identity_context, owner.id()}; }

bool is_complete(const json::object& context) { return !context.empty() && !context.contains("creation"); }

task<result<persistence::document>> need_context(cell_services& s, tenant owner) {
  auto reading = api::read_document(s, context_key(owner));
  auto found = co_await std::move(reading);
  if (!found)
    co_return std::unexpected(std::move(found.error()));
  if (!*found || !is_complete(api::stored_object((*found)->body)))
    co_return std::unexpected(api::not_found(context_type, owner.id()));
  co_return std::move(**found);
}

task<result<visit>> enter_context(cell_services& s, request_ptr r, const char* scope) {
  auto entering = enter(s, r, scope);
  auto who = co_await std::move(entering);
  if (!who)
    co_return std::unexpected(std::move(who.error()));
  tenant owner(api::path_value(*r, "p"));
  auto looking = need_context(s, owner);
  auto context = co_await std::move(looking);
  if (!context)
    co_return std::unexpected(std::move(context.error()));
  const auto stored = api::stored_object(context->body);
  visit v{std::move(*who), std::move(owner), text_at(stored, "did"),
          json::integer_at(stored, "state").value_or(context_states::created)};
  co_return v;
}

task<result<bool>> change_named(cell_services& s, persistence::entity_key key, api::record_change change,
                                std::vector<persistence::name_claim> names, std::string type, std::string taken) {
  for (unsigned attempt = 1;; ++attempt) {
    auto making = actors::in_pool(s.pool, s.edge, key.owner, [&s, key, change] { return make_draft(s, key, change); });
    auto made = co_await std::move(making);
    if (!made)
      co_return std::unexpected(api::busy());
    if (!*made)
      co_return std::unexpected(std::move(made->error()));
    planes::record::put put;
    put.record_kind = key.kind;
    put.id = key.id;
    put.body = json::write((*made)->body);
    put.when = planes::record::mode::upsert;
    put.expected_version = (*made)->version;
    put.names = names;
    planes::record::command command = std::move(put);
    auto asking = actors::ask<planes::record>(s.runtime, s.edge, key, s.runtime.shard_for(key.owner),
                                              std::move(command), s.command_timeout_ms);
    const auto reply = co_await std::move(asking);
    if (reply)
      co_return true;
    if (reply.error().code == actors::ask_errc::refused && reply.error().why.code == "name_taken")
      co_return std::unexpected(api::conflict(std::move(taken)));
    if (!lost_a_race(reply.error()) || attempt >= api::limits::change_attempts_max)
      co_return std::unexpected(api::from_ask(reply.error(), type, key.id));
  }
}

task<result<bool>> publish_to_list(cell_services& s, tenant owner) {
  auto reading = api::read_document(s, context_key(owner));
  auto now = co_await std::move(reading);
  if (!now)
    co_return std::unexpected(std::move(now.error()));
  if (!*now) {
    auto removing = api::remove_record(s, cells::node_tenant, kinds::identity_context, owner.id(), context_type);
    auto removed = co_await std::move(removing);
    if (!removed && removed.error().status != 404)
      co_return std::unexpected(std::move(removed.error()));
    co_return true;
  }
  auto copy = api::stored_object((*now)->body);
  copy["complete"] = is_complete(copy);
  copy["contextCreatedAt"] = to_epoch_ms((*now)->created_at);
  copy["contextUpdatedAt"] = to_epoch_ms((*now)->updated_at);
  copy.erase("apiKeySha256");
  api::record_write w;
  w.kind = kinds::identity_context;
  w.id = owner.id();
  w.when = api::write_mode::upsert;
  w.body = json::write(copy);
  auto writing = api::write_record(s, cells::node_tenant, std::move(w), context_type);
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::unexpected(std::move(written.error()));
  co_return true;
}

result<persistence::query_spec> read_query(const gateway::request& r) {
  if (r.body.empty())
    return persistence::query_spec{};
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  // The criteria of the Identity API have no @type.
  const auto name_type = [](json::value& criterion) {
    if (auto* o = criterion.if_object(); o && !o->contains("@type"))
      o->emplace("@type", "Criterion");
  };
  if (auto* filter = body->if_contains("filterExpression")) {
    if (filter->is_null()) {
      body->erase("filterExpression");
    } else if (filter->is_array()) {
      for (auto& criterion : filter->get_array())
        name_type(criterion);
    } else {
      name_type(*filter);
    }
  }
  for (const char* name : {"sortField", "sortOrder", "offset", "limit"})
    if (const auto* v = body->if_contains(name); v && v->is_null())
      body->erase(name);
  return api::read_query_object(*body);
}

result<persistence::query_spec> read_page(const gateway::request& r) {
  persistence::query_spec spec;
  const auto number = [&r](const char* name, size_t least, size_t& into) {
    const auto text = gateway::query_value(r, name);
    if (!text)
      return true;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), into);
    return error == std::errc{} && end == text->data() + text->size() && into >= least;
  };
  if (!number("offset", 0, spec.offset) || !number("limit", 1, spec.limit))
    return std::unexpected(api::invalid_request("offset must be a number of at least 0, limit one of at least 1"));
  return spec;
}

result<bool> read_flag(const gateway::request& r, std::string_view name, std::optional<bool> otherwise) {
  const auto text = gateway::query_value(r, name);
  if (text == "true" || text == "false")
    return text == "true";
  if (!text && otherwise)
    return *otherwise;
  return std::unexpected(api::invalid_field("The query parameter " + std::string(name) + " must be true or false",
                                            std::string(name), text ? json::value(*text) : json::value(nullptr)));
}

bool flag(api::body_check& check, const json::object& o, std::string_view name, bool otherwise) {
  const auto* v = o.if_contains(name);
  if (!v || v->is_null())
    return otherwise;
  if (!v->is_bool()) {
    check.refuse(std::string(name) + " must be true or false", std::string(name), *v);
    return otherwise;
  }
  return v->get_bool();
}

response array_of(json::array items) { return gateway::json_response(200, json::write(items)); }

response text_response(std::string text) {
  response out;
  out.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  out.body = std::move(text);
  return out;
}

void never_store(response& r) { r.headers.emplace_back("Cache-Control", "no-store"); }

std::string text_at(const json::object& o, std::string_view name) {
  return std::string(json::string_at(o, name).value_or(""));
}

} // namespace fondaco::identity
