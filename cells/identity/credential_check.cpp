#include "cells/identity/credential_check.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "cells/control_plane/peer_exchange.hpp"
#include "cells/identity/fetched_cache.hpp"
#include "protocols/json/json.hpp"
#include "protocols/vc/json_schema.hpp"
#include "protocols/vc/status_list.hpp"

namespace fondaco::identity {

namespace {

using actors::task;
using cells::cell_services;

constexpr std::string_view legacy_schema = "JsonSchemaValidator2018";
constexpr std::string_view whole_schema = "JsonSchema";

fetched_cache<vc::status_list>& status_lists() {
  static fetched_cache<vc::status_list> cache(limits::fetched_cache_bytes_max);
  return cache;
}

fetched_cache<json::value>& schemas() {
  static fetched_cache<json::value> cache(limits::fetched_cache_bytes_max);
  return cache;
}

/// Why a key of the signer's document does not prove the signature; empty if it does.
std::string why_unproven(const did::document& signer, const jose::jws& envelope, did::relationship use, bool strict) {
  const auto* method = did::find_method(signer, envelope.kid, use, strict);
  if (!method)
    return "is signed with a key that " + signer.id + " does not publish for this use";
  const auto key = jose::import_public_jwk(method->public_key_jwk);
  if (!key)
    return "is signed with a key that cannot be used: " + key.error().detail;
  const auto holds = jose::verify_jws(envelope, *key);
  return holds ? std::string() : "has a signature that does not hold: " + holds.error().detail;
}

/// True if the header names a key of another DID.
bool is_foreign(const jose::jws& envelope, std::string_view signer) {
  if (!envelope.kid)
    return false;
  const std::string_view kid = *envelope.kid;
  if (kid.find('#') == std::string_view::npos)
    return kid.starts_with("did:");
  return kid.front() != '#' && did::did_of(kid) != signer;
}

/// What a fetch came to: the body, or the fault.
using fetched = std::expected<std::string, fault>;

task<fetched> fetch(cell_services& s, std::string url, std::string accept, std::string what, presentation_errc code) {
  actors::http_call call;
  call.url = std::move(url);
  call.headers = {{"Accept", std::move(accept)}};
  auto exchanging = control_plane::exchange(s, std::move(call));
  auto answer = co_await std::move(exchanging);
  if (answer && answer->status >= 200 && answer->status < 300)
    co_return std::move(answer->body);
  auto why = "The host of " + what + " did not give it (" + control_plane::outcome_of(answer) + ").";
  if (control_plane::may_pass(answer))
    co_return std::unexpected(for_now(std::move(why)));
  co_return std::unexpected(refused(code, std::move(why)));
}

bool equal_words(std::string_view a, std::string_view b) {
  const auto lower = [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

using found_list = std::expected<std::shared_ptr<const vc::status_list>, fault>;

/// Takes a status list credential that the issuer signed itself; nobody else's word counts.
task<found_list> read_list(cell_services& s, std::string body, std::string issuer, std::string key) {
  const auto text = trimmed(body);
  const auto refuse = [](std::string why) {
    return std::unexpected(refused(presentation_errc::revoked, "The status list of the credential " + why));
  };
  if (text.starts_with('{'))
    co_return refuse("is not signed, so it proves nothing.");
  auto given = vc::read_credential(text);
  if (!given)
    co_return refuse("cannot be read: " + given.error().detail);
  if (given->what.issuer != issuer)
    co_return refuse("is issued by " + given->what.issuer + ", not by the credential's issuer " + issuer + ".");
  auto checking = check_signature(s, given->envelope, issuer, did::relationship::assertion_method, "The status list");
  const auto holds = co_await std::move(checking);
  if (!holds)
    co_return std::unexpected(holds.error());
  const auto now = s.clock.now();
  if (const auto in_time = vc::check_times(given->what, now); !in_time)
    co_return refuse("is not in time: " + in_time.error().detail);
  auto list = vc::read_status_list(given->what);
  if (!list)
    co_return refuse("cannot be read: " + list.error().detail);
  auto kept = std::make_shared<const vc::status_list>(std::move(*list));
  auto until = now + limits::status_list_cache_ms;
  if (given->what.valid_until)
    until = std::min(until, *given->what.valid_until);
  status_lists().keep(key, kept, kept->bits.size() / 8, now, until);
  co_return std::move(kept);
}

task<found_list> find_list(cell_services& s, std::string url, std::string issuer) {
  auto key = issuer + " " + url;
  if (auto known = status_lists().find(key, s.clock.now()))
    co_return std::move(known);
  auto fetching = fetch(s, url, "application/vc+jwt, application/json;q=0.9, */*;q=0.1", "the credential's status list",
                        presentation_errc::revoked);
  auto body = co_await std::move(fetching);
  if (!body)
    co_return std::unexpected(std::move(body.error()));
  auto reading = read_list(s, std::move(*body), std::move(issuer), std::move(key));
  co_return co_await std::move(reading);
}

checked judge_status(const vc::credential& what, const vc::status_entry& entry, const vc::status_list& list) {
  const auto refuse = [&](std::string why) {
    return std::unexpected(refused(presentation_errc::revoked, "The " + words_for(what) + " " + why));
  };
  if (!equal_words(entry.purpose, list.purpose))
    return refuse("has a status entry for '" + entry.purpose + "', but its list is for '" + list.purpose + "'.");
  const auto bit = list.bits.at(entry.index);
  if (!bit)
    return refuse("has a status entry that its list does not hold: " + bit.error().detail);
  if (!*bit)
    return {};
  if (equal_words(entry.purpose, "revocation"))
    return refuse("is revoked by its issuer.");
  if (equal_words(entry.purpose, "suspension"))
    return refuse("is suspended by its issuer.");
  return refuse("has the status '" + entry.purpose + "' at its issuer.");
}

using found_schema = std::expected<std::shared_ptr<const json::value>, fault>;

task<found_schema> find_schema(cell_services& s, std::string url) {
  if (auto known = schemas().find(url, s.clock.now()))
    co_return std::move(known);
  auto fetching = fetch(s, url, "application/schema+json, application/json;q=0.9, */*;q=0.1", "the credential's schema",
                        presentation_errc::schema_violated);
  const auto body = co_await std::move(fetching);
  if (!body)
    co_return std::unexpected(body.error());
  auto parsed = json::parse(*body);
  if (!parsed)
    co_return std::unexpected(
        refused(presentation_errc::schema_violated, "The credential's schema is not JSON: " + parsed.error().detail));
  auto kept = std::make_shared<const json::value>(std::move(*parsed));
  const auto now = s.clock.now();
  schemas().keep(url, kept, body->size(), now, now + limits::schema_cache_ms);
  co_return std::move(kept);
}

/// What a schema judges: the subjects each, or the credential as its issuer wrote it.
std::vector<json::value> instances_of(const vc::signed_credential& given, std::string_view schema_type) {
  std::vector<json::value> out;
  if (schema_type == legacy_schema) {
    for (const auto& subject : given.what.subjects)
      out.emplace_back(subject);
    return out;
  }
  auto payload = json::parse(given.envelope.payload);
  if (!payload || !payload->is_object())
    return out;
  const auto* inner = json::object_at(payload->get_object(), "vc");
  out.push_back(inner ? json::value(*inner) : std::move(*payload));
  return out;
}

bool too_late(const cell_services& s, timepoint deadline) { return s.clock.now() >= deadline; }

fault took_too_long() { return for_now("The credentials could not be verified in time; send the message again."); }

} // namespace

fault refused(presentation_errc code, std::string detail) {
  return {std::string(name_of(code)), std::move(detail), cure::fix_input};
}

fault for_now(std::string detail) {
  return {std::string(name_of(presentation_errc::unavailable)), std::move(detail), cure::retry};
}

std::string words_for(const vc::credential& what) {
  std::string types;
  for (const auto& type : what.types)
    if (type != "VerifiableCredential")
      types += (types.empty() ? "" : ", ") + type;
  return types.empty() ? "credential" : "credential " + types;
}

task<checked> check_signature(cell_services& s, jose::jws envelope, std::string signer, did::relationship use,
                              std::string what) {
  if (is_foreign(envelope, signer))
    co_return std::unexpected(refused(presentation_errc::bad_signature, what + " is signed with a key of " +
                                                                            std::string(did::did_of(*envelope.kid)) +
                                                                            ", but it is " + signer + "'s."));
  std::string why;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool fresh = attempt > 0;
    auto resolving = s.dids.resolve(signer, fresh);
    const auto document = co_await std::move(resolving);
    if (!document) {
      auto detail =
          what + " cannot be verified, since the document of " + signer + " was not had: " + document.error().detail;
      if (document.error().remedy == cure::retry)
        co_return std::unexpected(for_now(std::move(detail)));
      co_return std::unexpected(refused(presentation_errc::bad_signature, std::move(detail)));
    }
    why = why_unproven(*document, envelope, use, s.settings.strict_relationships);
    if (why.empty())
      co_return checked{};
  }
  co_return std::unexpected(refused(presentation_errc::bad_signature, what + " " + why + "."));
}

task<checked> check_statuses(cell_services& s, vc::credential what, timepoint deadline) {
  if (what.statuses.size() > limits::credential_lookups_max)
    co_return std::unexpected(refused(presentation_errc::bad_credential,
                                      "The " + words_for(what) + " has more than " +
                                          std::to_string(limits::credential_lookups_max) + " status entries."));
  for (const auto& entry : what.statuses) {
    if (too_late(s, deadline))
      co_return std::unexpected(took_too_long());
    auto finding = find_list(s, entry.list_url, what.issuer);
    const auto list = co_await std::move(finding);
    if (!list)
      co_return std::unexpected(list.error());
    if (auto good = judge_status(what, entry, **list); !good)
      co_return std::unexpected(std::move(good.error()));
  }
  co_return checked{};
}

task<checked> check_schemas(cell_services& s, vc::signed_credential given, timepoint deadline) {
  const auto words = "The " + words_for(given.what);
  if (given.what.schemas.size() > limits::credential_lookups_max)
    co_return std::unexpected(
        refused(presentation_errc::bad_credential,
                words + " has more than " + std::to_string(limits::credential_lookups_max) + " schemas."));
  for (const auto& reference : given.what.schemas) {
    if (reference.type != legacy_schema && reference.type != whole_schema)
      co_return std::unexpected(
          refused(presentation_errc::schema_violated, words + " has a schema of type '" + reference.type +
                                                          "'; JsonSchema and JsonSchemaValidator2018 are known."));
    if (too_late(s, deadline))
      co_return std::unexpected(took_too_long());
    auto finding = find_schema(s, reference.id);
    const auto schema = co_await std::move(finding);
    if (!schema)
      co_return std::unexpected(schema.error());
    for (const auto& instance : instances_of(given, reference.type))
      if (const auto fits = vc::check_schema(**schema, instance); !fits)
        co_return std::unexpected(refused(presentation_errc::schema_violated,
                                          words + " does not satisfy its schema: " + fits.error().detail));
  }
  co_return checked{};
}

} // namespace fondaco::identity
