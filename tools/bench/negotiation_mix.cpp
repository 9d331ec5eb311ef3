#include "tools/bench/negotiation_mix.hpp"

#include <chrono>

#include "protocols/base/fault.hpp"
#include "protocols/base/ids.hpp"

namespace fondaco::bench {

using persistence::entity_append;

namespace {

// What an event of a consumer's negotiation writes besides the journal's row.
struct step {
  const char* type;
  const char* status;
  bool seen;
  bool name;
  bool document;
  bool wake;
};

constexpr step steps[] = {
    {"negotiation.requesting", "REQUESTING", false, false, false, true},
    {"negotiation.requested", "REQUESTED", false, false, false, true},
    {"negotiation.agreed", "AGREED", true, true, true, true},
    {"negotiation.verifying", "VERIFYING", false, false, false, true},
    {"negotiation.verified", "VERIFIED", false, false, true, true},
    {"negotiation.finalized", "FINALIZED", true, false, true, false},
};

constexpr size_t payload_bytes = 512;
constexpr auto message_memory = std::chrono::hours(24);

constexpr std::string_view policy =
    R"({"@type":"Agreement","target":"dataset-1","assigner":"did:web:acme.example","assignee":"did:web:globex.example",)"
    R"("permission":[{"action":"use","constraint":[{"leftOperand":"attribute.region","operator":"eq",)"
    R"("rightOperand":"eu"}]}]})";

std::string padded(std::string text, size_t bytes) {
  text += R"(,"policy":)" + std::string(policy) + R"(,"note":")";
  if (text.size() + 2 < bytes)
    text.append(bytes - text.size() - 2, 'n');
  return text + "\"}";
}

std::string view_of(const std::string& id, const std::string& agreement, const step& s, int64_t at) {
  return R"({"type":"CONSUMER","counterPartyId":"did:web:acme.example","counterPartyAddress":)"
         R"("http://127.0.0.1:8282/api/dsp/acme/closed","profile":"closed","correlationId":")" +
         agreement + R"(","assetId":"dataset-1","contractAgreementId":")" + agreement + R"(","createdAt":)" +
         std::to_string(at) + R"(,"stateTimestamp":)" + std::to_string(at) + R"(,"callbackAddresses":[],"dspState":")" +
         s.status + R"(","consumerPid":")" + id + R"(","providerPid":")" + agreement +
         R"(","causes":[],"waitingOn":"the counterparty's next message"})";
}

std::string agreement_of(const std::string& id, const std::string& agreement, const step& s, int64_t at) {
  return R"({"agreementId":")" + agreement + R"(","negotiationId":")" + id +
         R"(","assetId":"dataset-1","providerId":"did:web:acme.example","consumerId":"did:web:globex.example",)"
         R"("contractSigningDate":)" +
         std::to_string(at / 1000) + R"(,"policy":)" + std::string(policy) +
         R"(,"claims":{"membership":"active","region":"eu"},"counterPartyId":"did:web:acme.example",)"
         R"("counterPartyAddress":"http://127.0.0.1:8282/api/dsp/acme/closed","profile":"closed","role":"CONSUMER",)"
         R"("state":")" +
         s.status + "\"}";
}

} // namespace

negotiation_mix::negotiation_mix(std::span<const persistence::lease> leases)
    : epochs_(limits::mix_shards), numbers_(limits::batch_entities) {
  for (const auto& l : leases)
    epochs_.at(l.shard) = l.epoch;
  for (size_t i = 0; i < limits::batch_entities; ++i)
    negotiations_.push_back(begin(i, i % std::size(steps)));
}

negotiation_mix::negotiation negotiation_mix::begin(size_t place, size_t step) {
  const tenant owner("participant-" + std::to_string(place % limits::mix_tenants));
  const auto shard = shard_of(owner, limits::mix_shards);
  const auto at = clock_.now();
  return {{owner, "negotiation", make_uuid(at, shard, random_()).text()},
          shard,
          next_number_++,
          0,
          step,
          make_uuid(at, shard, random_()).text()};
}

std::span<const entity_append> negotiation_mix::next() {
  batch_.clear();
  for (size_t i = 0; i < negotiations_.size(); ++i) {
    if (negotiations_[i].step == std::size(steps))
      negotiations_[i] = begin(i, 0);
    auto& n = negotiations_[i];
    numbers_[i] = n.number;
    batch_.push_back({.key = n.key});
    write(n, batch_.back());
    ++n.seq;
    ++n.step;
  }
  return batch_;
}

void negotiation_mix::write(const negotiation& n, entity_append& out) {
  const auto& s = steps[n.step];
  out.shard = n.shard;
  out.epoch = epochs_[n.shard];
  invariant(out.epoch > 0, "every shard of the mix is held");
  out.expected_seq = n.seq;
  out.at = clock_.now();
  const auto at = to_epoch_ms(out.at);
  const auto message = make_uuid(out.at, n.shard, random_()).text();
  out.events.push_back({s.type, 1, 'j',
                        padded(R"({"at":)" + std::to_string(at) + R"(,"cause":")" + message + "\"", payload_bytes),
                        message});
  out.status = s.status;
  out.view = view_of(n.key.id, n.agreement, s, at);
  if (s.wake)
    out.wake = out.at + milliseconds(static_cast<int64_t>(n.step + 1) * 1000);
  if (s.seen)
    out.seen.push_back({message, out.at + message_memory});
  if (s.name)
    out.names.push_back({"contract_agreement", "did:web:globex.example " + n.agreement});
  if (s.document)
    out.documents.push_back({"contract_agreement", n.agreement, agreement_of(n.key.id, n.agreement, s, at)});
}

} // namespace fondaco::bench
