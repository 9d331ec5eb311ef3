#pragma once

#include <memory>
#include <string>

#include "e2e/node.hpp"
#include "e2e/peer.hpp"
#include "e2e/raw.hpp"

namespace fondaco::e2e {

/// A participant context of the tests, on its node.
struct organisation {
  node& at;
  std::string id;
  std::string identity;
  /// A JSON object, as counterparties have it configured.
  std::string attributes;

  std::string path(const std::string& rest) const { return "/participants/" + id + rest; }
  /// Its DSP endpoint.
  std::string dsp() const { return at.url("protocol") + "/api/dsp/" + id + "/" + profile; }
};

/// The id of the counterparty that the test itself plays.
inline constexpr const char* peer_identity = "did:web:peer.example";
inline constexpr const char* good_attributes = R"({"membership":"active","region":"eu"})";

/// Where a counterparty's entries are in a participant's configuration.
std::string counterparty_prefix(const std::string& alias);

/// Makes the participant context and lets it take part in the profile.
void add_organisation(management& m, const organisation& o);
/// Configures a counterparty of `who`: its id, attributes, the token that it presents, and the one that we present.
void trust(management& m, const organisation& who, const std::string& alias, const std::string& identity,
           const std::string& attributes, const std::string& accepts, const std::string& presents);
/// The data plane of the organisation's own node serves its pulls.
void add_data_plane(management& m, const organisation& o);
/// An asset, two policies and a contract definition that offers it.
void publish(management& m, const organisation& o, const std::string& asset, const json::object& address,
             const json::object& access, const json::object& contract);
/// The address of a file.
json::object file_address(const std::string& path);

/// Two nodes and who lives there, made once for the cases that do not restart them: acme and initech on the provider's,
/// globex and umbrella on the consumer's, and the test itself as the counterparty `peer` of all but umbrella. Acme
/// shares `dataset-1`, a random file of 64 MiB, with members (access) in the EU (contract): umbrella is a member
/// elsewhere. It shares `dataset-gold` with gold members alone, so with nobody. Initech shares `dataset-2` and
/// reacts to a message only after an hour.
class world {
public:
  world(const std::string& folder, store_kind kind);

  peer issuer;
  peer other_side;
  node provider;
  node consumer;
  organisation acme;
  organisation initech;
  organisation globex;
  organisation umbrella;
  management provider_admin;
  management consumer_admin;
  std::string data_file;
  /// The tokens of the counterparty `peer`: what it presents to everybody, and what it is presented.
  std::string peer_presents;
  std::string peer_is_presented;

  management& admin(const organisation& o) { return &o.at == &provider ? provider_admin : consumer_admin; }
  /// The test as a counterparty of an organisation.
  dsp_client as_peer(const organisation& of) const { return {of.dsp(), peer_presents}; }

private:
  void settle();
};

/// What a consumer finds of an asset in a provider's catalog: its first offer, made ready to be asked for; empty if the
/// catalog has none.
json::object find_offer(world& w, const organisation& consumer, const organisation& provider, const std::string& asset);
/// Begins a negotiation; gives the consumer's id of it.
std::string begin_negotiation(world& w, const organisation& consumer, const std::string& address, json::object offer);
/// Waits until a negotiation or transfer (`/contractnegotiations/<id>` or `/transferprocesses/<id>`) has this state;
/// fails when it ends in another one.
void await_state(world& w, const organisation& who, const std::string& path, const std::string& state,
                 milliseconds within = wait_within);
std::string state_of(world& w, const organisation& who, const std::string& path);
/// Negotiates an asset to FINALIZED on both sides; gives the consumer's id of it.
std::string agree(world& w, const organisation& consumer, const organisation& provider, const std::string& asset);
/// The agreement of a negotiation.
json::object agreement_of(world& w, const organisation& who, const std::string& negotiation);
/// Starts a transfer under an agreement and waits until both sides are STARTED; gives the consumer's id of it.
std::string start_transfer(world& w, const organisation& consumer, const organisation& provider,
                           const std::string& agreement);
/// The process id of the other side.
std::string correlated(world& w, const organisation& who, const std::string& path);

/// Where a consumer pulls, and with what.
struct access {
  std::string endpoint;
  std::string authorization;
};
access access_of(world& w, const organisation& consumer, const std::string& transfer);

} // namespace fondaco::e2e
