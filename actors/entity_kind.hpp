#pragma once

#include <any>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/decision.hpp"
#include "persistence/journal.hpp"

namespace fondaco::actors {

/// An owed effect whose type only its kind knows.
struct erased_effect {
  std::string key;
  timepoint not_before;
  std::any body;
};

/// A decision whose types only its kind knows, with what the entity's row will say once it is durable.
struct erased_decision {
  std::vector<persistence::event_record> records;
  std::any reply;
  std::vector<persistence::seen_mark> seen;
  std::vector<persistence::name_claim> names;
  std::vector<persistence::document_write> documents;
  std::string status;
  std::string view;
  std::optional<timepoint> wake;
  /// The state after the events; given to `adopt` on the journal's acknowledgement.
  std::any next;
};

/// One entity's state behind a type-free face: what the shell drives.
class entity_state {
public:
  virtual ~entity_state() = default;
  /// Decides on a command; changes nothing.
  virtual std::expected<erased_decision, refusal> decide(const std::any& command, timepoint now) const = 0;
  /// Takes over the state that a decision led to.
  virtual void adopt(std::any next) = 0;
  /// Applies a journaled event; false if this node cannot read it.
  virtual bool replay(const persistence::event_record& record) = 0;
  /// Takes over a snapshot; false if this node cannot read it.
  virtual bool restore(const persistence::snapshot& s) = 0;
  /// The state as a snapshot's payload, or nothing if the kind keeps none.
  virtual std::optional<std::string> freeze() const = 0;
  /// What the outside world is owed.
  virtual std::vector<erased_effect> owed() const = 0;
  /// When the entity has to be looked at again.
  virtual std::optional<timepoint> wake_at() const = 0;
  /// The command that the passing of time gives, if any.
  virtual std::optional<std::any> tick(timepoint now) const = 0;
  /// The entity's state in one word.
  virtual std::string status() const = 0;
  /// The JSON object that lists show and queries filter by.
  virtual std::string view() const = 0;
};

/// One run of an effect.
struct effect_run {
  persistence::entity_key key;
  shard_number shard = 0;
  std::any body;
  /// 1 for the first try of this process.
  unsigned attempt = 1;
  /// True if an earlier process may have run it already: a kind that must not repeat probes first.
  bool maybe_sent = false;
};

/// A kind of entity: how to make one, and how to run what it owes.
struct entity_kind {
  std::string name;
  /// A new entity's state.
  std::function<std::unique_ptr<entity_state>(const persistence::entity_key&)> make;
  /// Runs an effect without blocking and calls `done` exactly once with the command that tells the outcome.
  std::function<void(effect_run, std::function<void(std::any)> done)> run_effect;
  /// True if the outcome command says that the effect failed for now: the shell puts the next try off.
  std::function<bool(const std::any& outcome)> is_transient;
  /// Why the effect failed, as the outcome command says it: a sentence without secrets, empty if it says nothing.
  std::function<std::string(const std::any& outcome)> cause_of;
};

/// Reads why an effect of D failed from its outcome command's `cause` or `detail`.
template <class D> std::function<std::string(const std::any& outcome)> cause_reader() {
  return [](const std::any& outcome) {
    return std::visit(
        [](const auto& c) -> std::string {
          if constexpr (requires { std::string(c.cause); })
            return c.cause;
          else if constexpr (requires { std::string(c.detail); })
            return c.detail;
          else
            return {};
        },
        std::any_cast<const typename D::command&>(outcome));
  };
}

/// The bridge from a decider D to the shell. D gives `kind`, `state`, `command` and `event` (variants), `effect`,
/// `reply`, and the static functions decide, evolve, owed, wake_at, encode, decode, status and view; it may give
/// `tick(state, now)`, `freeze(state)` and `thaw(text)`.
template <class D> class typed_state final : public entity_state {
public:
  explicit typed_state(persistence::entity_key key) : key_(std::move(key)) {}

  std::expected<erased_decision, refusal> decide(const std::any& command, timepoint now) const override {
    auto decided = D::decide(state_, std::any_cast<const typename D::command&>(command), now);
    if (!decided)
      return std::unexpected(std::move(decided.error()));
    erased_decision out;
    auto next = state_;
    for (const auto& e : decided->events) {
      out.records.push_back(D::encode(e));
      next = D::evolve(std::move(next), e);
    }
    out.reply = std::move(decided->reply);
    out.seen = std::move(decided->seen);
    out.names = std::move(decided->names);
    out.documents = std::move(decided->documents);
    out.status = D::status(next);
    out.view = D::view(next);
    out.wake = D::wake_at(next);
    out.next = std::move(next);
    return out;
  }
  void adopt(std::any next) override { state_ = std::any_cast<typename D::state>(std::move(next)); }
  bool replay(const persistence::event_record& record) override {
    auto e = D::decode(record);
    if (!e)
      return false;
    state_ = D::evolve(std::move(state_), *e);
    return true;
  }
  bool restore(const persistence::snapshot& s) override {
    if constexpr (requires { D::thaw(s.payload); }) {
      auto thawed = D::thaw(s.payload);
      if (thawed)
        state_ = std::move(*thawed);
      return thawed.has_value();
    } else {
      return false;
    }
  }
  std::optional<std::string> freeze() const override {
    if constexpr (requires { D::freeze(state_); })
      return D::freeze(state_);
    else
      return std::nullopt;
  }
  std::vector<erased_effect> owed() const override {
    std::vector<erased_effect> out;
    for (auto& e : D::owed(state_))
      out.push_back({std::move(e.key), e.not_before, std::any(std::move(e.body))});
    return out;
  }
  std::optional<timepoint> wake_at() const override { return D::wake_at(state_); }
  std::optional<std::any> tick(timepoint now) const override {
    if constexpr (requires { D::tick(state_, now); }) {
      auto command = D::tick(state_, now);
      if (command)
        return std::any(typename D::command(std::move(*command)));
    }
    return std::nullopt;
  }
  std::string status() const override { return D::status(state_); }
  std::string view() const override { return D::view(state_); }

private:
  persistence::entity_key key_;
  typename D::state state_;
};

} // namespace fondaco::actors
