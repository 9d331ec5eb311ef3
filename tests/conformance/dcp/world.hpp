#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/dcp/crypto.hpp"
#include "conformance/dcp/settings.hpp"
#include "conformance/http_client.hpp"
#include "conformance/http_server.hpp"

namespace fondaco::conformance::dcp {

inline constexpr const char* dcp_context = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";
inline constexpr const char* jwt_profile_1_1 = "vc11-sl2021/jwt";
inline constexpr const char* membership = "MembershipCredential";
inline constexpr const char* sensitive_data = "SensitiveDataCredential";
/// How long a token of the suite lives, in seconds.
inline constexpr int64_t token_life_s = 600;

/// Something that the component under test did wrong; ends the case.
struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The seconds of the epoch.
int64_t now_s();
/// A time as credentials write it, UTC.
std::string instant(int64_t seconds);

/// A role that the program plays: a DID, a fresh key, and its name on the server.
struct party {
  std::string name, did, kid;
  ec_key key;
};

/// A self-issued token before it is signed; the cases spoil its members.
struct si_token {
  const ec_key* key = nullptr;
  std::string kid, iss, sub, aud, jti;
  int64_t iat = 0, exp = 0;
  std::optional<int64_t> nbf;
  std::optional<std::string> token;
  [[nodiscard]] std::string compact() const;
};

/// How the token goes into the Authorization header.
enum class bearer : uint8_t { usual, no_header, no_prefix };

/// What is about the same in many cases: the world outside of the component under test. It plays holder, issuer,
/// verifier and third party, serves their DID documents and whatever a case registers, and sends requests.
class world {
public:
  using handler = std::function<http::reply(const http::message&, const json::object&)>;

  explicit world(const settings& config);
  /// Listens; the error says why it could not.
  std::expected<void, std::string> listen();

  [[nodiscard]] const settings& config() const { return config_; }
  party holder, issuer, verifier, third;

  /// A valid token of a party for an audience.
  [[nodiscard]] si_token token(const party& from, const std::string& audience) const;
  /// A credential of the program's issuer; the members of `changes` replace those of the `vc` claim.
  [[nodiscard]] std::string credential(const std::string& subject, json::array types,
                                       const json::object& changes = {}) const;

  /// Serves a route (`POST /offers`, `POST /credentials CredentialMessage`, `GET /requests/`) until `forget`.
  void serve(const std::string& route, handler h);
  /// Serves it until the program ends.
  void serve_always(const std::string& route, handler h);
  void forget();

  /// One exchange; throws `failure` if there is no answer.
  http::response send(const std::string& method, const std::string& url, const http::header_list& headers,
                      const std::string& body = {});
  /// Sends JSON (or nothing, for GET) with a token.
  http::response call(const std::string& method, const std::string& url, const si_token& token, bearer how,
                      const json::object& body = {});

  /// The DID document, over http, always fresh.
  json::object did_document(const std::string& did);
  /// The endpoint of the first service of the type.
  std::string service_of(const std::string& did, const std::string& type);
  /// Verifies a token with the key that its `kid` names; throws `failure`.
  jwt verified(const std::string& token, const std::string& what);
  /// The published check of a token that the component under test sent (dcp-tck.md, section 4); a sentence if it
  /// fails.
  std::optional<std::string> refusal(const http::message& request, const std::string& sender,
                                     const std::string& audience, json::object* claims = nullptr);

  /// What a case did and saw, for its report.
  void note(const std::string& line);
  std::vector<std::string> take_notes();

private:
  http::reply answer(const http::message& request);
  [[nodiscard]] json::object document_of(const party& p) const;
  [[nodiscard]] std::optional<http::reply> fixed_page(const std::string& path) const;

  const settings& config_;
  http::client client_;
  std::mutex mutex_;
  std::map<std::string, handler> handlers_, lasting_;
  std::set<std::string> seen_jti_;
  std::vector<std::string> notes_;
  std::unique_ptr<http::server> server_;
};

/// A JSON answer.
http::reply json_reply(int status, const json::value& body);
/// The body as an object; empty if it is none.
json::object object_of(const std::string& body);
/// Throw `failure` unless the status is in the range that the kit accepts.
void expect_2xx(const http::response& r, const std::string& what);
void expect_4xx(const http::response& r, const std::string& what);
void expect(bool holds, const std::string& otherwise);

} // namespace fondaco::conformance::dcp
