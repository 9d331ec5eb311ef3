#include "cells/credential_service/issuer_client.hpp"

#include <algorithm>
#include <utility>

#include "actors/ports/log.hpp"
#include "cells/control_plane/message_log.hpp"
#include "cells/control_plane/peer_exchange.hpp"
#include "cells/identity/token_source.hpp"
#include "cells/span.hpp"
#include "planes/api/bodies.hpp"
#include "planes/codec/path.hpp"
#include "protocols/dcp/messages.hpp"
#include "protocols/jsonld/lenient.hpp"
#include "protocols/vc/credential.hpp"

namespace fondaco::credential_service {

namespace {

using actors::task;
using cells::cell_services;
using step = credential_request::step;
using act = credential_request::effect::act;

constexpr std::string_view the_issuer = "The issuer";

/// Why a step did not work.
struct failure {
  std::string cause;
  bool transient = false;
  bool said_by_peer = false;
};
template <class T> using tried = std::expected<T, failure>;

failure from_fault(std::string what, const fault& f) {
  return {std::move(what) + f.detail, f.remedy == cure::retry, false};
}

/// The base of the issuer's IssuerService.
task<tried<std::string>> find_base(cell_services& s, std::string issuer) {
  auto resolving = s.dids.resolve(issuer);
  const auto document = co_await std::move(resolving);
  if (!document)
    co_return std::unexpected(from_fault("The issuer's DID document was not had: ", document.error()));
  const auto* service = did::find_service(*document, "IssuerService");
  if (!service || !jsonld::is_base_url(service->endpoint))
    co_return std::unexpected(failure{
        "The DID document of " + issuer + " names no IssuerService with an http or https address.", false, false});
  co_return std::string(jsonld::without_trailing_slash(service->endpoint));
}

/// What is sent to the issuer.
struct letter {
  tenant owner;
  std::string message;
  std::string issuer;
  std::string url;
  std::string holder_pid;
  std::string traceparent;
  /// The body of a POST; nothing asks by GET.
  std::optional<std::string> body;
  bool with_token = true;
};

void note_sent(const letter& l, const std::string& correlation, const actors::http_result& answer) {
  const auto outcome = control_plane::outcome_of(answer);
  const bool fine = answer && answer->status < 500;
  write_log({fine ? severity::info : severity::warning,
             "credential_service",
             log_category::dcp,
             "a message was sent",
             {{"message_type", l.message},
              {"participant_context", l.owner.id()},
              {"counterparty", l.issuer},
              {"entity_id", l.holder_pid},
              {"correlation_id", correlation},
              {"outcome", outcome}}});
}

bool is_success(const actors::http_result& answer) { return answer && answer->status >= 200 && answer->status < 300; }

failure from_answer(const std::string& what, const actors::http_result& answer) {
  return {control_plane::failure_text(the_issuer, what, answer), control_plane::may_pass(answer), answer.has_value()};
}

/// The answer, whatever its status; a failure if there was nothing to send.
task<tried<actors::http_result>> send(cell_services& s, letter l) {
  actors::http_call call;
  call.method = l.body ? "POST" : "GET";
  call.url = l.url;
  call.headers.emplace_back("Accept", "application/json");
  if (l.with_token) {
    identity::token_request wanted;
    wanted.audience = l.issuer;
    auto making = identity::self_issued_token(s, l.owner, std::move(wanted));
    const auto token = co_await std::move(making);
    if (!token)
      co_return std::unexpected(from_fault("This participant cannot make a token for itself: ", token.error()));
    call.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  if (l.body) {
    call.headers.emplace_back("Content-Type", "application/json");
    // Not in DCP, and ignored by who does not know it: a request whose answer was lost is not a second one.
    call.headers.emplace_back("Idempotency-Key", l.holder_pid);
    call.body = *l.body;
  }
  call.traceparent = control_plane::traceparent_of(l.traceparent, l.holder_pid, s.random.next());
  const auto correlation = cells::trace_id_of(call.traceparent);
  auto exchanging = control_plane::exchange(s, std::move(call));
  auto answer = co_await std::move(exchanging);
  note_sent(l, correlation, answer);
  co_return std::move(answer);
}

letter letter_to(const actors::effect_run& run, const credential_request::effect& e) {
  letter l{run.key.owner, {}, e.issuer_did, {}, e.id, e.traceparent, {}, true};
  return l;
}

task<tried<dcp::issuer_metadata>> read_metadata(cell_services& s, letter l, std::string base) {
  l.message = "IssuerMetadata";
  l.url = base + "/metadata";
  // Metadata is public: a token would tell the issuer more than it needs.
  l.with_token = false;
  auto sending = send(s, std::move(l));
  const auto sent = co_await std::move(sending);
  if (!sent)
    co_return std::unexpected(sent.error());
  const auto& answer = *sent;
  if (!is_success(answer))
    co_return std::unexpected(from_answer("the question for its metadata", answer));
  const auto body = json::parse(answer->body);
  auto metadata = body ? dcp::read_issuer_metadata(*body)
                       : std::unexpected(fault{"malformed", "the body is not JSON", cure::fix_input});
  if (!metadata)
    co_return std::unexpected(failure{"The issuer's metadata cannot be read: " + metadata.error().detail, false, true});
  co_return std::move(*metadata);
}

/// What is known of a sparse object from the issuer's metadata; false if the metadata does not have it whole.
bool complete(requested_credential& c, const dcp::issuer_metadata& metadata) {
  const auto known = std::ranges::find_if(metadata.credentials_supported, [&](const auto& o) { return o.id == c.id; });
  if (known == metadata.credentials_supported.end())
    return false;
  if (c.credential_type.empty())
    c.credential_type = known->credential_type;
  if (c.format.empty())
    c.format = known->profile;
  return !is_sparse(c);
}

/// What of the wanted credentials can be asked for; a failure if nothing can.
tried<std::vector<requested_credential>> usable(const cell_services& s, const credential_request::effect& e,
                                                const dcp::issuer_metadata& metadata) {
  std::vector<requested_credential> out;
  std::string why;
  const bool ordered = e.origin == request_origin::api;
  for (auto c : e.wanted) {
    std::string wrong;
    if (is_sparse(c) && !complete(c, metadata))
      wrong = "The issuer's metadata does not describe the credential object '" + c.id + "'.";
    else if (!vc::parse_profile(c.format))
      wrong = "The credential object '" + c.id + "' has the profile '" + c.format + "', which is not supported.";
    else if (!ordered && !is_trusted(s, e.issuer_did, c.credential_type))
      wrong = "The issuer is not trusted for " + c.credential_type + ", which it offered.";
    if (wrong.empty())
      out.push_back(std::move(c));
    else if (why += (why.empty() ? "" : " ") + wrong; ordered)
      return std::unexpected(failure{std::move(why), false, false});
  }
  if (out.empty())
    return std::unexpected(failure{std::move(why), false, false});
  return out;
}

credential_request::command failed(step which, failure f) {
  return credential_request::step_failed{which, std::move(f.cause), f.transient, f.said_by_peer};
}

task<credential_request::command> prepare(cell_services& s, actors::effect_run run, credential_request::effect e) {
  auto finding = find_base(s, e.issuer_did);
  auto base = co_await std::move(finding);
  if (!base)
    co_return failed(step::prepare, std::move(base.error()));
  dcp::issuer_metadata metadata;
  if (std::ranges::any_of(e.wanted, is_sparse)) {
    auto l = letter_to(run, e);
    auto reading = read_metadata(s, std::move(l), std::move(*base));
    auto read = co_await std::move(reading);
    if (!read)
      co_return failed(step::prepare, std::move(read.error()));
    metadata = std::move(*read);
  }
  auto wanted = usable(s, e, metadata);
  if (!wanted)
    co_return failed(step::prepare, std::move(wanted.error()));
  credential_request::prepared done{std::move(*wanted)};
  co_return done;
}

task<credential_request::command> request(cell_services& s, actors::effect_run run, credential_request::effect e) {
  auto finding = find_base(s, e.issuer_did);
  auto base = co_await std::move(finding);
  if (!base)
    co_return failed(step::request, std::move(base.error()));
  dcp::credential_request message;
  message.holder_pid = e.id;
  for (const auto& c : e.wanted)
    message.credential_ids.push_back(c.id);
  auto l = letter_to(run, e);
  l.message = "CredentialRequestMessage";
  l.url = *base + "/credentials";
  l.body = json::write(dcp::write(message));
  auto sending = send(s, std::move(l));
  auto sent = co_await std::move(sending);
  if (!sent)
    co_return failed(step::request, std::move(sent.error()));
  const auto& answer = *sent;
  credential_request::accepted taken;
  if (is_success(answer)) {
    taken.issuer_pid = issuer_pid_of(*answer);
    co_return taken;
  }
  // An issuer that knows our process id has taken an earlier try whose answer was lost: it will deliver.
  if (answer && answer->status == 409 && run.maybe_sent)
    co_return taken;
  co_return failed(step::request, from_answer("the credential request", answer));
}

/// What the issuer's answer says of the request, or why it says nothing.
void read_status(const actors::http_result& answer, const std::string& holder_pid,
                 credential_request::poll_result& into) {
  if (!is_success(answer)) {
    into.cause = control_plane::failure_text(the_issuer, "the question for the request's state", answer);
    return;
  }
  const auto body = json::parse(answer->body);
  const auto status = body ? dcp::read_credential_status(*body)
                           : std::unexpected(fault{"malformed", "the body is not JSON", cure::fix_input});
  if (!status)
    into.cause = "The issuer's word on the request's state cannot be read: " + status.error().detail;
  else if (!status->holder_pid.empty() && status->holder_pid != holder_pid)
    into.cause = "The issuer told the state of another request.";
  else
    into.status = status->status;
}

task<credential_request::command> poll(cell_services& s, actors::effect_run run, credential_request::effect e) {
  credential_request::poll_result out;
  out.number = e.poll_number;
  auto finding = find_base(s, e.issuer_did);
  const auto base = co_await std::move(finding);
  if (!base) {
    out.cause = base.error().cause;
    co_return out;
  }
  auto l = letter_to(run, e);
  l.message = "CredentialStatus";
  l.url = *base + "/requests/" + planes::path_segment(e.issuer_pid);
  auto sending = send(s, std::move(l));
  const auto sent = co_await std::move(sending);
  if (!sent)
    out.cause = sent.error().cause;
  else
    read_status(*sent, e.id, out);
  co_return out;
}

} // namespace

bool is_trusted(const cell_services& s, std::string_view issuer, std::string_view credential_type) {
  bool any = false;
  for (const auto& profile : s.settings.profiles)
    if (profile.identity == cells::identity_mode::dcp) {
      any = true;
      if (s.trust.trusts(issuer, credential_type, profile.name))
        return true;
    }
  return !any && s.trust.trusts(issuer, credential_type, {});
}

std::string issuer_pid_of(const actors::http_answer& answer) {
  const auto taken = [](std::string_view id) { return planes::api::is_id(id) ? std::string(id) : std::string(); };
  for (const auto& [name, value] : answer.headers) {
    constexpr std::string_view location = "location";
    const bool same =
        std::ranges::equal(name, location, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    if (!same)
      continue;
    auto path = std::string_view(value).substr(0, value.find_first_of("?#"));
    path = jsonld::without_trailing_slash(path);
    if (auto id = taken(path.substr(path.rfind('/') + 1)); !id.empty())
      return id;
  }
  const auto body = json::parse(answer.body);
  if (!body)
    return taken(answer.body);
  if (body->is_string())
    return taken(std::string_view(body->get_string()));
  if (!body->is_object())
    return {};
  for (const char* name : {"issuerPid", "id", "@id"})
    if (const auto id = json::string_at(body->get_object(), name))
      return taken(*id);
  return {};
}

task<credential_request::command> run_effect(cell_services& s, actors::effect_run run, credential_request::effect e) {
  switch (e.what) {
  case act::prepare: return prepare(s, std::move(run), std::move(e));
  case act::request: return request(s, std::move(run), std::move(e));
  case act::poll: break;
  }
  return poll(s, std::move(run), std::move(e));
}

} // namespace fondaco::credential_service
