#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "conformance/dcp/crypto.hpp"
#include "e2e/peer.hpp"

namespace fondaco::e2e {

/// Somebody with a DID and a key at a counterparty's host.
struct did_party {
  std::string did;
  std::string kid;
  conformance::dcp::ec_key key;
};

/// What a counterparty's credential service presents: one credential in one presentation. Good as it is made; a case
/// spoils members before it is signed.
struct presentation_draft {
  /// Who signs and whom the presentation says that it is of; the one whom the credential is about.
  const did_party* holder = nullptr;
  const did_party* signer = nullptr;
  std::string subject;
  const did_party* issuer = nullptr;
  std::string audience;
  std::string jti;
  /// How long they are good for, in seconds from now.
  int64_t presentation_lifetime_s = 300;
  int64_t credential_lifetime_s = 600;
  /// One bit of the signature is turned after signing.
  bool presentation_tampered = false;
  bool credential_tampered = false;
};

/// The test as a participant of a dataspace of credentials: its DIDs with their documents, its keys and its credential
/// service, and an issuer of MembershipCredential, all on one loopback host.
class counterparty {
  std::unique_ptr<peer> host_;

public:
  using spoil = std::function<void(presentation_draft&)>;

  counterparty();
  ~counterparty();
  counterparty(const counterparty&) = delete;

  did_party holder, stranger, issuer, untrusted;
  /// TOML that lets a node trust the issuer.
  std::string trust_in_issuer() const;
  /// A DID at this host that is none of the four: `<name>/did.json` is answered by `behave_at`.
  std::string did_at(const std::string& name) const;
  /// How the host answers for `did_at(name)`.
  void behave_at(const std::string& name, std::function<http::reply(const delivery&)> how);
  /// A DID document of the holder's keys and service under another DID.
  json::object document_as(const std::string& did) const;

  /// From now on the credential service presents so; a good presentation without it.
  void present(spoil how = {});
  /// How often it was asked for a presentation so far.
  size_t presented() const { return host_->seen("/presentations/query").size(); }

  /// A fresh self-issued token for an audience: of the holder, or of whoever else is named, signed with the holder's
  /// key.
  std::string token(const std::string& audience, const std::string& issuer_did = {}) const;
  const peer& host() const { return *host_; }

private:
  http::reply serve(const delivery& d);
  std::string presentation(const presentation_draft& draft) const;
  std::string credential(const presentation_draft& draft) const;
  did_party make(const std::string& name) const;

  mutable std::mutex mutex_;
  spoil spoil_;
  std::map<std::string, std::function<http::reply(const delivery&)>> elsewhere_;
};

/// An answer, and the trace that its request began: by its id `why` finds what was refused.
struct traced_answer {
  answer got;
  std::string trace_id;
  /// The reasons that a DSP error gives, as text.
  std::string reasons() const { return json::serialize(array_at(got.object(), "reason")); }
};

/// Sends a DSP message with a token.
traced_answer tell(const std::string& url, const std::string& token, const json::object& body);
/// Asks a DSP endpoint for its catalog.
traced_answer ask_catalog(const std::string& dsp, const std::string& token);

} // namespace fondaco::e2e
