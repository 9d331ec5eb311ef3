#include "cells/issuer_service/holder_client.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/identity/keys.hpp"
#include "cells/identity/token_source.hpp"
#include "cells/issuer_service/status_lists.hpp"
#include "cells/span.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/jsonld/lenient.hpp"

namespace fondaco::issuer_service {

namespace {

using actors::task;
using cells::cell_services;

constexpr std::string_view the_holder = "The holder";

/// The longest credentials of one issuance, sealed, in bytes: what an event holds besides them has room too.
constexpr size_t sealed_bytes_max = 512u << 10;

/// What is sent to a holder.
struct letter {
  tenant owner;
  std::string message;
  std::string holder_did;
  /// Below the credential service's base, as `/credentials`.
  std::string path;
  std::string issuance_id;
  /// The holder's access token that goes back to it; empty for none.
  std::string access_token;
  json::object body;
  std::string traceparent;
};

/// Why a letter was not taken.
struct failure {
  std::string cause;
  issuance::trouble how = issuance::trouble::transient;
  bool said_by_peer = false;
};

failure from_fault(std::string what, const fault& f) {
  return {std::move(what) + f.detail,
          f.remedy == cure::retry ? issuance::trouble::transient : issuance::trouble::permanent, false};
}

task<std::expected<std::string, failure>> find_base(cell_services& s, std::string holder) {
  auto resolving = s.dids.resolve(holder);
  const auto document = co_await std::move(resolving);
  if (!document)
    co_return std::unexpected(from_fault("The holder's DID document was not had: ", document.error()));
  const auto* service = did::find_service(*document, "CredentialService");
  if (!service || !jsonld::is_base_url(service->endpoint))
    co_return std::unexpected(
        failure{"The DID document of " + holder + " names no CredentialService with an http or https address.",
                issuance::trouble::permanent, false});
  co_return std::string(jsonld::without_trailing_slash(service->endpoint));
}

void note_sent(const letter& l, const std::string& correlation, const actors::http_result& answer) {
  write_log({answer && answer->status < 500 ? severity::info : severity::warning,
             "issuer_service",
             log_category::dcp,
             "a message was sent",
             {{"message_type", l.message},
              {"participant_context", l.owner.id()},
              {"counterparty", l.holder_did},
              {"entity_id", l.issuance_id},
              {"correlation_id", correlation},
              {"outcome", control_plane::outcome_of(answer)}}});
}

failure from_answer(const letter& l, const actors::http_result& answer) {
  auto how = issuance::trouble::permanent;
  if (control_plane::may_pass(answer))
    how = issuance::trouble::transient;
  else if (answer && (answer->status == 400 || answer->status == 404 || answer->status == 409))
    // The holder may not have seen our answer to its request yet.
    how = issuance::trouble::refusal;
  return {control_plane::failure_text(the_holder, "the " + l.message, answer), how, answer.has_value()};
}

task<std::expected<void, failure>> send(cell_services& s, letter l) {
  auto finding = find_base(s, l.holder_did);
  const auto base = co_await std::move(finding);
  if (!base)
    co_return std::unexpected(base.error());
  identity::token_request wanted;
  wanted.audience = l.holder_did;
  wanted.access_token = l.access_token;
  auto making = identity::self_issued_token(s, l.owner, std::move(wanted));
  const auto token = co_await std::move(making);
  if (!token)
    co_return std::unexpected(from_fault("The issuer cannot make a token for itself: ", token.error()));
  actors::http_call call;
  call.method = "POST";
  call.url = *base + l.path;
  call.headers = {
      {"Authorization", "Bearer " + *token}, {"Content-Type", "application/json"}, {"Accept", "application/json"}};
  call.body = json::write(l.body);
  call.traceparent = control_plane::traceparent_of(l.traceparent, l.issuance_id, s.random.next());
  const auto correlation = cells::trace_id_of(call.traceparent);
  auto exchanging = control_plane::exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  note_sent(l, correlation, answer);
  if (answer && answer->status >= 200 && answer->status < 300)
    co_return std::expected<void, failure>();
  co_return std::unexpected(from_answer(l, answer));
}

/// Places in status lists by purpose, in the order of the plan.
using places_by_purpose = std::map<std::string, std::vector<status_place>>;

task<std::expected<places_by_purpose, fault>> allocate_all(cell_services& s, tenant owner,
                                                           std::vector<planned_credential> plan) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const auto& p : plan)
    for (const auto& purpose : p.status_purposes)
      wanted[purpose].push_back(p.credential_id);
  places_by_purpose out;
  for (const auto& [purpose, keys] : wanted) {
    auto allocating = allocate_places(s, owner, purpose, keys);
    auto places = co_await std::move(allocating);
    if (!places)
      co_return std::unexpected(std::move(places.error()));
    out.emplace(purpose, std::move(*places));
  }
  co_return out;
}

vc::credential credential_of(const cell_services& s, const planned_credential& p, const std::string& issuer,
                             const std::string& holder_did, const std::vector<status_place>& places, timepoint now) {
  vc::credential c;
  c.form = vc::parse_profile(p.format).value_or(vc::profile::vc20_jose);
  c.contexts = {c.form == vc::profile::vc11_jwt ? "https://www.w3.org/2018/credentials/v1"
                                                : "https://www.w3.org/ns/credentials/v2"};
  c.contexts.insert(c.contexts.end(), p.contexts.begin(), p.contexts.end());
  c.id = p.credential_id;
  c.types = {"VerifiableCredential", p.credential_type};
  c.issuer = issuer;
  auto subject = p.subject;
  subject["id"] = holder_did;
  c.subjects.push_back(std::move(subject));
  c.valid_from = now;
  c.valid_until = now + milliseconds(p.validity_s * 1000);
  for (const auto& place : places) {
    const auto url = status_list_url(s.settings, place.list_id);
    c.statuses.push_back({url + "#" + std::to_string(place.index), "BitstringStatusListEntry", place.purpose,
                          static_cast<uint64_t>(place.index), url});
  }
  if (!p.schema_url.empty())
    c.schemas.push_back({p.schema_url, "JsonSchema"});
  c.name = p.name;
  c.description = p.description;
  return c;
}

using signing_result = std::expected<std::vector<made_credential>, issuance::making_failed>;

// Signs all credentials of a plan. Blocks.
signing_result sign_all(cell_services& s, const tenant& owner, const issuance::effect& e,
                        const places_by_purpose& places, timepoint now) {
  const auto signer = identity::find_signer(s, owner, identity::key_usage::sign_credentials);
  // A key that is missing can be added while the holder waits.
  if (!signer)
    return std::unexpected(issuance::making_failed{signer.error().detail, true});
  std::map<std::string, size_t> next;
  size_t bytes = 0;
  std::vector<made_credential> out;
  for (const auto& p : e.plan) {
    made_credential m;
    for (const auto& purpose : p.status_purposes)
      m.places.push_back(places.at(purpose).at(next[purpose]++));
    const auto c = credential_of(s, p, signer->did, e.holder_did, m.places, now);
    const auto compact = vc::sign_credential(c, signer->key, signer->kid, p.credential_id, now);
    if (compact.size() > vc::limits::credential_bytes_max)
      return std::unexpected(issuance::making_failed{"The " + p.credential_type + " would be too long.", false});
    auto sealed = s.vault.seal(owner, compact);
    if (!sealed)
      return std::unexpected(issuance::making_failed{"The vault does not answer.", true});
    m.credential_id = p.credential_id;
    m.definition_id = p.definition_id;
    m.credential_type = p.credential_type;
    m.format = p.format;
    if ((bytes += sealed->size()) > sealed_bytes_max)
      return std::unexpected(issuance::making_failed{"The credentials would be too long together.", false});
    m.sealed = std::move(*sealed);
    m.model = vc::to_model(c);
    out.push_back(std::move(m));
  }
  return out;
}

task<issuance::command> make(cell_services& s, tenant owner, issuance::effect e) {
  auto allocating = allocate_all(s, owner, e.plan);
  const auto places = co_await std::move(allocating);
  if (!places)
    co_return issuance::making_failed{places.error().detail, places.error().remedy == cure::retry};
  // JWTs count in seconds: the credential and its JWT are to begin at the same moment.
  const timepoint now = std::chrono::floor<std::chrono::seconds>(s.clock.now());
  auto signing = actors::in_pool(s.pool, s.edge, owner,
                                 [&s, owner, e, places = *places, now] { return sign_all(s, owner, e, places, now); });
  auto made = co_await std::move(signing);
  if (!made)
    co_return issuance::making_failed{"The store does not answer.", true};
  if (!*made)
    co_return std::move(made->error());
  co_return issuance::made{std::move(**made)};
}

/// The sealed texts opened; nothing for those that the vault does not open now. Blocks.
std::expected<std::vector<std::string>, persistence::vault_errc> open_all(cell_services& s, const tenant& owner,
                                                                          const std::vector<std::string>& sealed) {
  std::vector<std::string> out;
  for (const auto& text : sealed) {
    auto opened = text.empty() ? std::expected<std::string, persistence::vault_errc>("") : s.vault.open(owner, text);
    if (!opened)
      return std::unexpected(opened.error());
    out.push_back(std::move(*opened));
  }
  return out;
}

issuance::command outcome_of(const std::expected<void, failure>& sent) {
  if (sent)
    return issuance::delivered{};
  return issuance::delivery_failed{sent.error().cause, sent.error().how, sent.error().said_by_peer};
}

task<issuance::command> deliver(cell_services& s, tenant owner, issuance::effect e) {
  std::vector<std::string> sealed{e.sealed_token};
  for (const auto& c : e.credentials)
    sealed.push_back(c.sealed);
  auto opening = actors::in_pool(s.pool, s.edge, owner, [&s, owner, sealed] { return open_all(s, owner, sealed); });
  auto opened = co_await std::move(opening);
  if (!opened || (!*opened && opened->error() == persistence::vault_errc::unavailable))
    co_return issuance::delivery_failed{"The vault does not answer.", issuance::trouble::transient, false};
  if (!*opened)
    co_return issuance::delivery_failed{"A sealed credential cannot be opened any more.", issuance::trouble::permanent,
                                        false};
  dcp::credential_message m;
  m.issuer_pid = e.id;
  m.holder_pid = e.holder_pid;
  m.issued = e.what == issuance::effect::act::deliver;
  m.rejection_reason = e.reason;
  for (size_t i = 0; i < e.credentials.size(); ++i)
    m.credentials.push_back({e.credentials[i].credential_type, e.credentials[i].format, (**opened)[i + 1]});
  letter l{owner, "CredentialMessage", e.holder_did, "/credentials", e.id, (**opened)[0], dcp::write(m), e.traceparent};
  auto sending = send(s, std::move(l));
  const auto sent = co_await std::move(sending);
  co_return outcome_of(sent);
}

} // namespace

task<issuance::command> run_effect(cell_services& s, actors::effect_run run, issuance::effect e) {
  const auto owner = run.key.owner;
  if (e.what == issuance::effect::act::make) {
    auto making = make(s, owner, std::move(e));
    co_return co_await std::move(making);
  }
  auto delivering = deliver(s, owner, std::move(e));
  co_return co_await std::move(delivering);
}

task<std::expected<void, fault>> send_offer(cell_services& s, tenant owner, std::string own_did, std::string holder_did,
                                            std::vector<dcp::credential_object> credentials) {
  dcp::credential_offer m{std::move(own_did), std::move(credentials)};
  letter l{owner, "CredentialOfferMessage", std::move(holder_did), "/offers", "", "", dcp::write(m), ""};
  auto sending = send(s, std::move(l));
  const auto sent = co_await std::move(sending);
  if (sent)
    co_return std::expected<void, fault>();
  co_return std::unexpected(fault{"not_delivered", sent.error().cause,
                                  sent.error().how == issuance::trouble::transient ? cure::retry : cure::fix_input});
}

} // namespace fondaco::issuer_service
