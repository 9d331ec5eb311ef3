#include "cells/identity/presentations.hpp"

#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/identity/credential_check.hpp"
#include "cells/identity/token_source.hpp"
#include "cells/span.hpp"
#include "protocols/base/hash.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/dcp/scope.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/vc/presentation.hpp"

namespace fondaco::identity {

namespace {

using actors::task;
using cells::cell_services;

constexpr std::string_view base_type = "VerifiableCredential";
constexpr std::string_view their_service = "The counterparty's credential service";

/// What one verification is about.
struct inquiry {
  tenant owner;
  std::string own_did;
  std::string holder;
  presentation_demand demand;
  timepoint deadline;
};

using credentials = std::vector<vc::credential>;

void note_query(const inquiry& q, const std::string& outcome, const std::string& reason) {
  const bool fine = !outcome.empty() && outcome[0] >= '2' && outcome[0] <= '4';
  write_log({fine ? severity::info : severity::warning,
             "identity",
             log_category::dcp,
             "a presentation was asked for",
             {{"message_type", "PresentationQueryMessage"},
              {"participant_context", q.owner.id()},
              {"profile", q.demand.profile},
              {"counterparty", q.holder},
              {"correlation_id", cells::trace_id_of(q.demand.traceparent)},
              {"outcome", outcome},
              {"reason", reason}}});
}

std::string joined(const std::vector<std::string>& scopes) {
  std::string out;
  for (const auto& scope : scopes)
    out += (out.empty() ? "" : ", ") + scope;
  return out;
}

/// Asks the caller's credential service (DCP reference, section 5, B to E); gives the presentations as they came.
task<std::expected<json::array, fault>> query(cell_services& s, inquiry q, proven_caller caller) {
  const auto* service = did::find_service(caller.document, "CredentialService");
  if (!service || !jsonld::is_base_url(service->endpoint))
    co_return std::unexpected(
        refused(presentation_errc::no_credential_service,
                "The DID document of " + q.holder + " names no CredentialService with an http or https address."));
  token_request wanted;
  wanted.audience = q.holder;
  wanted.access_token = caller.access_token;
  auto making = self_issued_token(s, q.owner, std::move(wanted));
  const auto token = co_await std::move(making);
  if (!token)
    // What is wrong with our own keys is not the caller's fault, so it may ask again once an operator has acted.
    co_return std::unexpected(for_now("This participant cannot make a token for itself: " + token.error().detail));
  dcp::presentation_query message;
  message.scopes = q.demand.scopes;
  actors::http_call call;
  call.method = "POST";
  call.url = std::string(jsonld::without_trailing_slash(service->endpoint)) + "/presentations/query";
  call.headers = {
      {"Authorization", "Bearer " + *token}, {"Content-Type", "application/json"}, {"Accept", "application/json"}};
  call.body = json::write(dcp::write(message));
  call.traceparent = cells::child_of(q.demand.traceparent, s.random.next());
  auto exchanging = control_plane::exchange(s, std::move(call));
  const auto answer = co_await std::move(exchanging);
  const bool taken = answer && answer->status >= 200 && answer->status < 300;
  auto why = taken ? std::string() : control_plane::failure_text(their_service, "the presentation query", answer);
  note_query(q, control_plane::outcome_of(answer), why);
  if (!taken && control_plane::may_pass(answer))
    co_return std::unexpected(for_now(std::move(why)));
  if (!taken)
    co_return std::unexpected(refused(presentation_errc::not_presented, std::move(why)));
  const auto body = json::parse(answer->body);
  auto response = body ? dcp::read_presentation_response(*body)
                       : std::unexpected(fault{"malformed", "the body is not JSON", cure::fix_input});
  if (!response)
    co_return std::unexpected(
        refused(presentation_errc::bad_presentation,
                std::string(their_service) + "'s answer cannot be read: " + response.error().detail));
  if (response->presentations.empty())
    co_return std::unexpected(
        refused(presentation_errc::not_presented,
                std::string(their_service) + " presented nothing for " + joined(q.demand.scopes) + "."));
  if (response->presentations.size() > limits::presentations_max)
    co_return std::unexpected(refused(presentation_errc::bad_presentation,
                                      std::string(their_service) + " gave more than " +
                                          std::to_string(limits::presentations_max) + " presentations."));
  co_return std::move(response->presentations);
}

/// The rules of a presentation that need no key (rules F4 and F5).
checked check_envelope(const inquiry& q, const vc::signed_presentation& p, timepoint now) {
  if (p.holder != q.holder)
    return std::unexpected(refused(presentation_errc::wrong_holder,
                                   "The presentation is " + p.holder + "'s, but the caller is " + q.holder + "."));
  if (const auto good = vc::check_presentation(p, q.own_did, now); !good)
    return std::unexpected(
        refused(presentation_errc::bad_presentation, "The presentation does not hold: " + good.error().detail));
  if (p.credentials.empty())
    return std::unexpected(refused(presentation_errc::not_presented, "The presentation holds no credential."));
  return {};
}

/// The issuer has to count for everything that the credential claims to be, or a policy would take it for more.
checked check_trust(const cell_services& s, const vc::credential& what, const std::string& profile) {
  bool said = false;
  for (const auto& type : what.types) {
    if (type == base_type && what.types.size() > 1)
      continue;
    said = true;
    if (!s.trust.trusts(what.issuer, type, profile))
      return std::unexpected(
          refused(presentation_errc::untrusted_issuer, "The issuer " + what.issuer + " is not trusted for " + type +
                                                           " in dataspace profile '" + profile + "'."));
  }
  if (!said)
    return std::unexpected(refused(presentation_errc::bad_credential, "A credential has no type."));
  return {};
}

checked check_holder(const inquiry& q, const vc::credential& what) {
  if (what.subjects.empty())
    return std::unexpected(refused(presentation_errc::bad_credential, "The " + words_for(what) + " has no subject."));
  for (const auto& subject : what.subjects)
    if (const auto id = json::string_at(subject, "id"); id != q.holder)
      return std::unexpected(
          refused(presentation_errc::wrong_holder, "The " + words_for(what) + " is about " +
                                                       (id ? std::string(*id) : std::string("nobody")) +
                                                       ", but the caller is " + q.holder + "."));
  return {};
}

checked check_time(const vc::credential& what, timepoint now) {
  if (const auto in_time = vc::check_times(what, now); !in_time)
    return std::unexpected(refused(presentation_errc::bad_credential,
                                   "The " + words_for(what) + " is not in time: " + in_time.error().detail));
  return {};
}

/// The rules of a credential that need no key (rules F7 to F9).
checked check_claims(const cell_services& s, const inquiry& q, const vc::credential& what) {
  auto good = check_trust(s, what, q.demand.profile);
  if (good)
    good = check_holder(q, what);
  if (good)
    good = check_time(what, s.clock.now());
  return good;
}

/// One credential of a presentation (rules F6 to F11). What it points at is fetched last, from hosts that a trusted
/// issuer named.
task<std::expected<vc::credential, fault>> check_credential(cell_services& s, inquiry q, std::string compact) {
  auto given = vc::read_credential(compact);
  if (!given)
    co_return std::unexpected(
        refused(presentation_errc::bad_credential, "A credential cannot be read: " + given.error().detail));
  const auto& what = given->what;
  if (auto good = check_claims(s, q, what); !good)
    co_return std::unexpected(std::move(good.error()));
  auto signing =
      check_signature(s, given->envelope, what.issuer, did::relationship::assertion_method, "The " + words_for(what));
  auto holds = co_await std::move(signing);
  if (!holds)
    co_return std::unexpected(std::move(holds.error()));
  auto looking = check_statuses(s, what, q.deadline);
  auto standing = co_await std::move(looking);
  if (!standing)
    co_return std::unexpected(std::move(standing.error()));
  auto fitting = check_schemas(s, *given, q.deadline);
  auto fits = co_await std::move(fitting);
  if (!fits)
    co_return std::unexpected(std::move(fits.error()));
  co_return std::move(given->what);
}

/// The mark that keeps a presentation from being taken twice; nothing if it has no id.
std::optional<persistence::seen_mark> mark_of(const vc::signed_presentation& p, timepoint now) {
  if (!p.jti)
    return std::nullopt;
  const auto until = p.expires_at ? *p.expires_at + vc::limits::leeway_ms : now + limits::presentation_memory_ms;
  return persistence::seen_mark{"vp:" + hex(sha256(p.holder + " " + *p.jti)), until};
}

/// What the verification of all presentations has found so far.
struct findings {
  credentials found;
  std::vector<persistence::seen_mark> marks;
};

task<checked> check_presentation(cell_services& s, inquiry q, json::value entry, findings& into) {
  auto p = vc::read_presentation(entry);
  if (!p)
    co_return std::unexpected(
        refused(presentation_errc::bad_presentation, "A presentation cannot be read: " + p.error().detail));
  if (auto good = check_envelope(q, *p, s.clock.now()); !good)
    co_return std::unexpected(std::move(good.error()));
  if (into.found.size() + p->credentials.size() > limits::presented_credentials_max)
    co_return std::unexpected(
        refused(presentation_errc::bad_presentation,
                "More than " + std::to_string(limits::presented_credentials_max) + " credentials were presented."));
  auto signing = check_signature(s, p->envelope, p->holder, did::relationship::authentication, "The presentation");
  auto holds = co_await std::move(signing);
  if (!holds)
    co_return std::unexpected(std::move(holds.error()));
  for (const auto& compact : p->credentials) {
    auto checking = check_credential(s, q, compact);
    auto good = co_await std::move(checking);
    if (!good)
      co_return std::unexpected(std::move(good.error()));
    into.found.push_back(std::move(*good));
  }
  if (auto mark = mark_of(*p, s.clock.now()))
    into.marks.push_back(std::move(*mark));
  co_return checked{};
}

/// Every scope that was asked for needs a credential (rule F1).
checked check_cover(const inquiry& q, const credentials& found) {
  for (const auto& text : q.demand.scopes) {
    const auto scope = dcp::parse_scope(text);
    if (!scope)
      return std::unexpected(
          refused(presentation_errc::not_presented,
                  "The scope '" + text + "' of dataspace profile '" + q.demand.profile + "' is none of DCP's."));
    if (std::ranges::none_of(found, [&](const auto& c) { return dcp::covers(*scope, c); }))
      return std::unexpected(
          refused(presentation_errc::not_presented, "No credential was presented for the scope '" + text + "'."));
  }
  return {};
}

task<checked> claim_marks(cell_services& s, tenant owner, std::vector<persistence::seen_mark> marks) {
  if (marks.empty())
    co_return checked{};
  auto claiming = actors::in_pool(s.pool, s.edge, owner,
                                  [&s, owner, marks] { return s.journal.claim_seen(owner, marks, s.clock.now()); });
  const auto fresh = co_await std::move(claiming);
  if (!fresh || !*fresh)
    co_return std::unexpected(for_now("The presentation cannot be marked as seen now; send the message again."));
  if (!**fresh)
    co_return std::unexpected(refused(presentation_errc::bad_presentation, "The presentation was seen before."));
  co_return checked{};
}

task<std::expected<credentials, fault>> verify_all(cell_services& s, inquiry q, json::array presentations) {
  findings all;
  for (const auto& entry : presentations) {
    auto checking = check_presentation(s, q, entry, all);
    auto good = co_await std::move(checking);
    if (!good)
      co_return std::unexpected(std::move(good.error()));
  }
  if (auto covered = check_cover(q, all.found); !covered)
    co_return std::unexpected(std::move(covered.error()));
  auto claiming = claim_marks(s, q.owner, std::move(all.marks));
  auto fresh = co_await std::move(claiming);
  if (!fresh)
    co_return std::unexpected(std::move(fresh.error()));
  co_return std::move(all.found);
}

void describe(cells::work_span& span, const inquiry& q) {
  span.with("participant_context", q.owner.id()).with("counterparty", q.holder).with("profile", q.demand.profile);
}

} // namespace

std::string_view name_of(presentation_errc e) noexcept {
  switch (e) {
  case presentation_errc::no_credential_service: return "no_credential_service";
  case presentation_errc::not_presented: return "not_presented";
  case presentation_errc::bad_presentation: return "bad_presentation";
  case presentation_errc::bad_credential: return "bad_credential";
  case presentation_errc::bad_signature: return "bad_signature";
  case presentation_errc::wrong_holder: return "wrong_holder";
  case presentation_errc::untrusted_issuer: return "untrusted_issuer";
  case presentation_errc::revoked: return "revoked";
  case presentation_errc::schema_violated: return "schema_violated";
  case presentation_errc::unavailable: return "unavailable";
  }
  return "unavailable";
}

task<std::expected<credentials, fault>> verify_credentials(cell_services& s, tenant owner, std::string own_did,
                                                           proven_caller caller, presentation_demand demand) {
  if (demand.scopes.empty())
    co_return credentials{};
  inquiry q{std::move(owner), std::move(own_did), caller.did, std::move(demand),
            s.clock.now() + limits::verification_ms_max};
  cells::work_span asking_span(s, "credential.presentation", q.demand.traceparent);
  describe(asking_span, q);
  auto asking = query(s, q, std::move(caller));
  auto presented = co_await std::move(asking);
  if (!presented)
    asking_span.fail(presented.error().detail);
  asking_span.end();
  if (!presented)
    co_return std::unexpected(std::move(presented.error()));
  cells::work_span span(s, "credential.verification", q.demand.traceparent);
  describe(span, q);
  auto verifying = verify_all(s, q, std::move(*presented));
  auto out = co_await std::move(verifying);
  if (out)
    span.with("credentials", std::to_string(out->size()));
  else
    span.fail(out.error().detail);
  co_return out;
}

task<std::expected<vc::credential, fault>> verify_credential(cell_services& s, std::string compact) {
  auto given = vc::read_credential(compact);
  if (!given)
    co_return std::unexpected(
        refused(presentation_errc::bad_credential, "The credential cannot be read: " + given.error().detail));
  if (auto in_time = check_time(given->what, s.clock.now()); !in_time)
    co_return std::unexpected(std::move(in_time.error()));
  auto signing = check_signature(s, given->envelope, given->what.issuer, did::relationship::assertion_method,
                                 "The " + words_for(given->what));
  auto holds = co_await std::move(signing);
  if (!holds)
    co_return std::unexpected(std::move(holds.error()));
  auto looking = check_statuses(s, given->what, s.clock.now() + limits::verification_ms_max);
  auto standing = co_await std::move(looking);
  if (!standing)
    co_return std::unexpected(std::move(standing.error()));
  co_return std::move(given->what);
}

} // namespace fondaco::identity
