#include "cfm/onboarding/routes.hpp"

#include <memory>
#include <utility>

#include "actors/ports/log.hpp"
#include "cfm/onboarding/provisioning.hpp"
#include "planes/api/bodies.hpp"
#include "planes/api/body_check.hpp"
#include "planes/api/records.hpp"
#include "planes/record.hpp"
#include "protocols/base/hash.hpp"

namespace fondaco::cfm {

namespace api = planes::api;
using api::request_ptr;
using gateway::response;
using gateway::task;

namespace {

constexpr const char* type = "Application";
constexpr const char* document_kind = "application_document";
constexpr const char* base = "/api/onboarding/v1/applications";
constexpr const char* read_scope = "onboarding-api:read";
constexpr const char* write_scope = "onboarding-api:write";
constexpr const char* decide_scope = "onboarding-api:admin";

task<api::result<application::reply>> tell(cfm_services& s, std::string id, application::command command) {
  const auto shard = api::shard_of_id(s, id);
  if (!shard)
    co_return std::unexpected(api::not_found(type, id));
  persistence::entity_key key{cfm_tenant, std::string(application::kind), id};
  auto asking =
      actors::ask<application>(s.runtime, s.edge, std::move(key), *shard, std::move(command), s.command_timeout_ms);
  auto reply = co_await std::move(asking);
  if (reply)
    co_return std::move(*reply);
  const auto& e = reply.error();
  if (e.code == actors::ask_errc::refused && (e.why.code == "wrong_state" || e.why.code == "already_exists"))
    co_return std::unexpected(api::conflict(e.why.detail));
  if (e.code == actors::ask_errc::refused && e.why.code == "bad_application")
    co_return std::unexpected(api::invalid_request(e.why.detail));
  co_return std::unexpected(api::from_ask(e, type, id));
}

api::result<application_terms> read_terms(const gateway::request& r) {
  auto body = api::read_plain_body(r);
  if (!body)
    return std::unexpected(std::move(body.error()));
  api::body_check check;
  application_terms t;
  t.organisation = check.text(*body, "organisation", api::need::required);
  t.identifier = check.text(*body, "identifier", api::need::required);
  t.dataspace_profile_ids = check.texts(*body, "dataspaceProfileIds", api::need::optional);
  if (const auto* o = check.object(*body, "attestation", api::need::optional))
    t.attestation = *o;
  if (const auto* o = check.object(*body, "properties", api::need::optional))
    t.properties = *o;
  if (!t.identifier.empty() && (!t.identifier.starts_with("did:web:") || t.identifier.size() > 512))
    check.refuse("identifier must be a did:web of at most 512 bytes", "identifier", json::value(t.identifier));
  if (check.failed())
    return std::unexpected(check.response());
  return t;
}

task<response> submit(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, write_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto terms = read_terms(*r);
  if (!terms)
    co_return std::move(terms.error());
  auto made = api::read_creation(s, *r, cfm_tenant, "applications", "");
  if (!made)
    co_return std::move(made.error());
  application::command command = application::submit{made->id, std::move(*terms), made->request_id};
  auto telling = tell(s, made->id, std::move(command));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::move(told.error());
  api::note_change("onboarding", *r, *who, "an application was submitted", "");
  auto out = gateway::json_response(201, json::write(json::object{{"id", made->id}}));
  out.headers.emplace_back("Location", std::string(base) + "/" + made->id);
  co_return out;
}

task<response> show(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, read_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  persistence::entity_key key{cfm_tenant, std::string(application::kind), api::path_value(*r, "id")};
  auto reading = api::need_row(s, std::move(key), type);
  auto row = co_await std::move(reading);
  if (!row)
    co_return std::move(row.error());
  co_return gateway::json_response(200, row->view);
}

task<response> list(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, read_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto spec = api::read_query(*r);
  if (!spec)
    co_return std::move(spec.error());
  auto reading = api::query_rows(s, cfm_tenant, std::string(application::kind), std::move(*spec));
  auto rows = co_await std::move(reading);
  if (!rows)
    co_return std::move(rows.error());
  json::array out;
  for (const auto& row : *rows)
    out.push_back(api::stored_object(row.view));
  co_return gateway::json_response(200, json::write(out));
}

task<response> attach(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, write_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  const auto id = api::path_value(*r, "id");
  const auto name = api::path_value(*r, "name");
  if (!api::is_id(name) || r->body.empty())
    co_return api::invalid_request("A document needs a name of 1 to 512 bytes and a body that is not empty.");
  application_document d{name, std::string(gateway::header(*r, "content-type").value_or("application/octet-stream")),
                         hex(sha256(r->body)), static_cast<int64_t>(r->body.size())};
  // The content first: an application that names a document always has it.
  auto sealing = actors::in_pool(s.pool, s.edge, [&s, r] { return s.vault.seal(cfm_tenant, r->body); });
  auto sealed = co_await std::move(sealing);
  if (!sealed || !*sealed)
    co_return api::vault_unavailable();
  api::record_write w;
  w.kind = document_kind;
  w.id = id + "/" + d.sha256;
  w.when = api::write_mode::upsert;
  w.body = json::write(json::object{{"sealed", **sealed}});
  auto writing = api::write_record(s, cfm_tenant, std::move(w), "Document");
  auto written = co_await std::move(writing);
  if (!written)
    co_return std::move(written.error());
  application::command command = application::attach{std::move(d), r->correlation_id};
  auto telling = tell(s, id, std::move(command));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::move(told.error());
  co_return api::no_content();
}

const json::object* document_named(const json::object& shown, std::string_view name) {
  if (const auto* documents = json::array_at(shown, "documents"))
    for (const auto& d : *documents)
      if (d.is_object() && json::string_at(d.get_object(), "name") == name)
        return &d.get_object();
  return nullptr;
}

task<response> read_attached(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, read_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  const auto id = api::path_value(*r, "id");
  persistence::entity_key key{cfm_tenant, std::string(application::kind), id};
  auto looking = api::need_row(s, std::move(key), type);
  auto row = co_await std::move(looking);
  if (!row)
    co_return std::move(row.error());
  const auto shown = api::stored_object(row->view);
  const auto* d = document_named(shown, api::path_value(*r, "name"));
  if (!d)
    co_return api::not_found("Document", api::path_value(*r, "name"));
  persistence::entity_key where{cfm_tenant, document_kind,
                                id + "/" + std::string(json::string_at(*d, "sha256").value_or(""))};
  auto reading = api::need_document(s, std::move(where), "Document");
  auto kept = co_await std::move(reading);
  if (!kept)
    co_return std::move(kept.error());
  const auto sealed = std::string(json::string_at(api::stored_object(kept->body), "sealed").value_or(""));
  auto opening = actors::in_pool(s.pool, s.edge, [&s, sealed] { return s.vault.open(cfm_tenant, sealed); });
  auto content = co_await std::move(opening);
  if (!content || !*content)
    co_return api::vault_unavailable();
  response out;
  out.headers.emplace_back("Content-Type", "application/octet-stream");
  out.headers.emplace_back("X-Content-Type-Options", "nosniff");
  out.body = std::move(**content);
  co_return out;
}

task<response> decide(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, decide_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  auto body = api::read_plain_body(*r);
  if (!body)
    co_return std::move(body.error());
  api::body_check check;
  auto reason = check.text(*body, "reason", api::need::required);
  const auto* approved = body->if_contains("approved");
  if (!approved || !approved->is_bool())
    check.refuse("approved is required: true or false", "approved");
  if (check.failed())
    co_return check.response();
  const auto id = api::path_value(*r, "id");
  application::command command =
      application::decide_on{approved->get_bool(), who->subject, std::move(reason), r->correlation_id};
  auto telling = tell(s, id, std::move(command));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::move(told.error());
  api::note_change("onboarding", *r, *who, "the application " + id + " was decided on", "");
  co_return api::no_content();
}

task<response> retry(cfm_services& s, request_ptr r) {
  auto admission = api::admit(s, r, decide_scope, std::nullopt);
  auto who = co_await std::move(admission);
  if (!who)
    co_return std::move(who.error());
  application::command command = application::retry{r->correlation_id};
  auto telling = tell(s, api::path_value(*r, "id"), std::move(command));
  auto told = co_await std::move(telling);
  if (!told)
    co_return std::move(told.error());
  co_return api::no_content();
}

actors::entity_kind application_kind(services_ref services) {
  auto admin = std::make_shared<admin_client>(services);
  actors::entity_kind k;
  k.name = application::kind;
  k.make = [](const persistence::entity_key& key) { return std::make_unique<actors::typed_state<application>>(key); };
  k.run_effect = [services, admin](actors::effect_run run, std::function<void(std::any)> done) {
    auto e = std::any_cast<application::effect>(std::move(run.body));
    auto failed = [done, step = e.step](std::exception_ptr) {
      done(std::any(application::command(application::step_open{step, "This node failed at it.", false})));
    };
    auto taken = [done](application::command c) { done(std::any(std::move(c))); };
    actors::start<application::command>(provision(services(), *admin, std::move(e)), std::move(taken),
                                        std::move(failed));
  };
  k.cause_of = actors::cause_reader<application>();
  k.is_transient = [](const std::any& outcome) {
    const auto* open = std::get_if<application::step_open>(&std::any_cast<const application::command&>(outcome));
    return open && !open->for_good;
  };
  return k;
}

} // namespace

void add_onboarding_routes(gateway::router& to, cfm_services& s) {
  const std::string all = base;
  api::route(to, s, "POST", all, submit);
  api::route(to, s, "POST", all + "/query", list);
  api::route(to, s, "GET", all + "/{id}", show);
  api::route(to, s, "PUT", all + "/{id}/documents/{name}", attach);
  api::route(to, s, "GET", all + "/{id}/documents/{name}", read_attached);
  api::route(to, s, "POST", all + "/{id}/decision", decide);
  api::route(to, s, "POST", all + "/{id}/retry", retry);
}

std::vector<actors::entity_kind> onboarding_kinds(services_ref s) {
  std::vector<actors::entity_kind> out;
  out.push_back(application_kind(std::move(s)));
  out.push_back(planes::record_kind(document_kind));
  return out;
}

} // namespace fondaco::cfm
