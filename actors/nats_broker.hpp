#pragma once

#include <expected>
#include <memory>
#include <string>

#include "actors/ports/broker.hpp"

namespace fondaco::actors {

/// How NATS JetStream is used (CFM reference, section 12).
struct nats_options {
  /// `nats://host:port`, several separated by commas.
  std::string url = "nats://127.0.0.1:4222";
  /// The work-queue stream with the subjects `event.*`; made if it is missing.
  std::string stream = "cfm-stream";
  /// A file with a credentials (JWT and seed) chain, or empty.
  std::string credentials_file;
  /// A file with a token, or empty.
  std::string token_file;
  /// How long a delivery may take before it is made again; a handler that is still at it keeps it alive.
  milliseconds ack_wait_ms{30'000};
  /// Deliveries of one message before it becomes a dead letter (subject `dead.<subject>` in the stream
  /// `<stream>-dead`).
  unsigned deliveries_max = 1000;
  /// How long a delivery that was answered `again` waits.
  milliseconds again_after_ms{1'000};
  milliseconds publish_timeout_ms{5'000};
  /// Messages of one consumer that may be with handlers at the same time.
  unsigned handlers_max = 64;
};

/// A broker over NATS JetStream: durable pull consumers, explicit acknowledgement after the handler is done, repeated
/// messages known by their id. Connects in the background and for ever; `publish` faults meanwhile.
std::unique_ptr<broker> make_nats_broker(nats_options options);

} // namespace fondaco::actors
