#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/base/fault.hpp"
#include "protocols/base/time.hpp"

namespace fondaco::actors {

namespace limits {
/// The longest payload of a message, in bytes.
inline constexpr size_t broker_payload_bytes_max = 768u << 10;
} // namespace limits

/// A message between parts of the management plane.
struct broker_message {
  /// Where it goes, as `event.cfm-orchestration` (CFM reference, section 12).
  std::string subject;
  /// The same id is the same message: a broker that remembers it takes it once.
  std::string id;
  /// JSON text.
  std::string payload;
  /// The W3C traceparent, empty for none.
  std::string traceparent;
  /// 1 for the first delivery; set by the broker.
  unsigned attempt = 1;
  /// From when on it must not be acted on any more, since its sender does not count on it; empty: never. It is the
  /// consumer who looks: a message that is too late is `done`.
  std::optional<timepoint> expires_at = std::nullopt;
};

/// What a consumer made of a message.
enum class delivery : uint8_t {
  /// Acted on, durably: never deliver it again.
  done,
  /// Not now: deliver it again after a while.
  again,
  /// It can never be acted on: keep it as a dead letter.
  refused,
};

/// Messages between parts of the management plane, as a parameter: in process, or NATS JetStream. At least once: a
/// consumer is told of a message until it says `done` or `refused`, also after a crash if the broker is durable.
class broker {
public:
  /// Handles a message without blocking and calls `done` exactly once, on any thread.
  using handler = std::function<void(broker_message, std::function<void(delivery)> done)>;

  virtual ~broker() = default;

  /// Hands a message over and calls `done` exactly once, on any thread: with a value once it is kept durably (by the
  /// broker, or by the consumer that acted on it), with a fault if it may be published again later.
  virtual void publish(broker_message m, std::function<void(std::expected<void, fault>)> done) = 0;

  /// Consumes a subject under a durable name (`cfm-orchestration`), with others of the same name if there are any. To
  /// be called before `start`.
  virtual void consume(std::string durable, std::string subject, handler h) = 0;

  /// Begins to deliver; a fault says why it cannot, with its cure.
  virtual std::expected<void, fault> start() = 0;

  /// Ends deliveries: waits at most `within` for the handlers under way.
  virtual void stop(milliseconds within) = 0;

  /// True while messages can be handed over.
  virtual bool connected() const = 0;
};

} // namespace fondaco::actors
