#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/dcp/world.hpp"

namespace fondaco::conformance::dcp {

/// One active case of the kit, under its method's name.
struct conformance_case {
  /// The Java package below `org.eclipse.dataspacetck.dcp.verification.`.
  std::string package;
  std::string method;
  /// Throws `failure` if the component under test does not do what it should.
  std::function<void(world&)> run;
};

/// What is wrong with one request of a series; all else is as it should be, and nothing at all means success.
struct fault {
  const char* suffix;
  bearer how = bearer::usual;
  void (*token)(si_token&, const world&) = nullptr;
  void (*body)(json::object&) = nullptr;
  [[nodiscard]] bool none() const { return how == bearer::usual && token == nullptr && body == nullptr; }
};

/// What goes wrong with tokens everywhere.
void by_wrong_key(si_token& t, const world& w);
void for_third_party(si_token& t, const world& w);
void about_third_party(si_token& t, const world& w);
template <int Seconds> void expired_by(si_token& t, const world&) { t.exp = now_s() - Seconds; }
template <int Seconds> void issued_in(si_token& t, const world&) { t.iat = now_s() + Seconds; }
template <int Seconds> void valid_in(si_token& t, const world&) { t.nbf = now_s() + Seconds; }

/// Packages of the cases.
namespace packages {
inline constexpr const char* presentation_cs = "presentation.cs";
inline constexpr const char* issuance_cs = "issuance.cs";
inline constexpr const char* issuance_issuer = "issuance.issuer";
inline constexpr const char* presentation_verifier = "presentation.verifier";
} // namespace packages

/// The 24 cases of issuance and the 16 of presentation for a credential service.
std::vector<conformance_case> credential_service_issuance_cases();
std::vector<conformance_case> credential_service_presentation_cases();
/// The 25 cases for an issuer.
std::vector<conformance_case> issuer_cases();
/// The 20 cases for a verifier.
std::vector<conformance_case> verifier_cases();

/// Delivers both credentials to the credential service under test, as most of its cases need it; throws `failure`.
void issue_credentials(world& w, const std::string& service_url);
/// A CredentialMessage with both credentials.
json::object credential_message(const world& w);

/// Makes a node ready for all three roles by its public APIs, and says in the settings what it made: DIDs, STS client,
/// trigger. Throws `failure`.
void prepare(world& w, settings& into);

} // namespace fondaco::conformance::dcp
