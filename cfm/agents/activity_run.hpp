#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "cfm/admin_client.hpp"
#include "cfm/messages.hpp"

namespace fondaco::cfm {

/// One run of an activity by an agent: what it works on, the calls that it makes and what it answers.
class activity_run {
public:
  /// `expires_at`: from when on the run must not do anything any more; empty: never.
  activity_run(cfm_services& s, admin_client& admin, activity_message m, std::string traceparent,
               std::optional<timepoint> expires_at)
      : services(s), admin_(admin), message_(std::move(m)), traceparent_(std::move(traceparent)),
        expires_at_(expires_at) {}

  /// What the run may use.
  cfm_services& services;

  const activity_message& message() const noexcept { return message_; }
  /// True if the activity belongs to an orchestration that takes things down.
  bool disposes() const noexcept { return message_.what.discriminator == dispose_type; }
  /// A text of the processing data; empty if it is missing.
  std::string text(std::string_view key) const;
  /// The participant's DID; empty if it is missing.
  std::string did() const { return text(keys::participant_id); }
  /// The participant context's id; empty if it is missing.
  std::string context() const { return text(keys::participant_context_id); }
  /// The properties of the VPA of a type (`cfm.issuer`); an empty object if it has none.
  json::object vpa_properties(std::string_view vpa_type) const;

  /// True if the orchestration does not count on this run any more.
  bool is_over() const { return expires_at_ && services.clock.now() >= *expires_at_; }

  /// Calls an admin API, unless the run is over: then the fault says so.
  actors::task<std::expected<admin_answer, fault>> call(admin_call c);

  /// Answers: done, with what was set.
  activity_result complete(json::object values = {}, json::object output = {}) const;
  /// Answers: it goes on elsewhere, look again after a while.
  activity_result look_again(milliseconds after, std::string detail) const;
  /// Answers: it can never be done.
  activity_result fatal(std::string detail) const;
  /// Answers for a call that was not good: once more if that may help, else fatal.
  activity_result failed(const admin_call& c, const std::expected<admin_answer, fault>& answer) const;
  /// Answers for a participant context whose creation was answered 409, after a look at it, whose member `member` is
  /// the participant's DID: nothing if it is there and this participant's; for a look that failed, as `failed`; else
  /// fatal with what the creation was answered.
  std::optional<activity_result> after_conflict(const activity_result& refused, const admin_call& look,
                                                const std::expected<admin_answer, fault>& found,
                                                std::string_view member) const;

private:
  activity_result answer(activity_outcome o, std::string detail) const;

  admin_client& admin_;
  activity_message message_;
  std::string traceparent_;
  std::optional<timepoint> expires_at_;
};

/// Runs an activity; the run outlives the task.
using activity_agent = actors::task<activity_result> (*)(activity_run& run);

/// Chooses the participant context id: a function of the orchestration's id, so that a repeat chooses the same.
actors::task<activity_result> run_context_activity(activity_run& run);
/// The participant context of the control plane, its dataspace profile and configuration.
actors::task<activity_result> run_connector_activity(activity_run& run);
/// The participant context, key and DID document of the credential service.
actors::task<activity_result> run_identity_activity(activity_run& run);
/// The holder at the issuer.
actors::task<activity_result> run_registration_activity(activity_run& run);
/// The data plane of the participant context.
actors::task<activity_result> run_data_plane_activity(activity_run& run);
/// The credentials: requests them and waits until they are issued; revokes them at the end.
actors::task<activity_result> run_credentials_activity(activity_run& run);

} // namespace fondaco::cfm
