#include <algorithm>
#include <array>
#include <utility>

#include "protocols/dsp/messages.hpp"

namespace fondaco::dsp {

namespace {

using ns = negotiation_state;
using nm = negotiation_message;
using ts = transfer_state;
using tm = transfer_message;

inline constexpr role C = role::consumer;
inline constexpr role P = role::provider;

template <typename State, typename Message> struct transition {
  std::optional<State> from;
  Message message;
  role sender;
  State to;
};

/// DSP 2025-1, section 7, the diagram; termination as the prose has it: by either side in any live state.
constexpr std::array<transition<ns, nm>, 19> negotiation_transitions{{
    {std::nullopt, nm::request, C, ns::requested},       {std::nullopt, nm::offer, P, ns::offered},
    {ns::requested, nm::offer, P, ns::offered},          {ns::requested, nm::agreement, P, ns::agreed},
    {ns::requested, nm::termination, C, ns::terminated}, {ns::requested, nm::termination, P, ns::terminated},
    {ns::offered, nm::request, C, ns::requested},        {ns::offered, nm::accepted, C, ns::accepted},
    {ns::offered, nm::termination, C, ns::terminated},   {ns::offered, nm::termination, P, ns::terminated},
    {ns::accepted, nm::agreement, P, ns::agreed},        {ns::accepted, nm::termination, C, ns::terminated},
    {ns::accepted, nm::termination, P, ns::terminated},  {ns::agreed, nm::verification, C, ns::verified},
    {ns::agreed, nm::termination, C, ns::terminated},    {ns::agreed, nm::termination, P, ns::terminated},
    {ns::verified, nm::finalized, P, ns::finalized},     {ns::verified, nm::termination, C, ns::terminated},
    {ns::verified, nm::termination, P, ns::terminated},
}};

/// DSP 2025-1, section 8.
constexpr std::array<transition<ts, tm>, 14> transfer_transitions{{
    {std::nullopt, tm::request, C, ts::requested},
    {ts::requested, tm::start, P, ts::started},
    {ts::requested, tm::termination, C, ts::terminated},
    {ts::requested, tm::termination, P, ts::terminated},
    {ts::started, tm::completion, C, ts::completed},
    {ts::started, tm::completion, P, ts::completed},
    {ts::started, tm::suspension, C, ts::suspended},
    {ts::started, tm::suspension, P, ts::suspended},
    {ts::started, tm::termination, C, ts::terminated},
    {ts::started, tm::termination, P, ts::terminated},
    {ts::suspended, tm::start, C, ts::started},
    {ts::suspended, tm::start, P, ts::started},
    {ts::suspended, tm::termination, C, ts::terminated},
    {ts::suspended, tm::termination, P, ts::terminated},
}};

constexpr std::array<std::string_view, 7> negotiation_state_names{"REQUESTED", "OFFERED",   "ACCEPTED",  "AGREED",
                                                                  "VERIFIED",  "FINALIZED", "TERMINATED"};
constexpr std::array<std::string_view, 5> transfer_state_names{"REQUESTED", "STARTED", "SUSPENDED", "COMPLETED",
                                                               "TERMINATED"};
constexpr std::array<std::string_view, 7> negotiation_message_names{"ContractRequestMessage",
                                                                    "ContractOfferMessage",
                                                                    "ContractNegotiationEventMessage",
                                                                    "ContractAgreementMessage",
                                                                    "ContractAgreementVerificationMessage",
                                                                    "ContractNegotiationEventMessage",
                                                                    "ContractNegotiationTerminationMessage"};
constexpr std::array<std::string_view, 5> transfer_message_names{
    "TransferRequestMessage", "TransferStartMessage", "TransferSuspensionMessage", "TransferCompletionMessage",
    "TransferTerminationMessage"};

template <typename Table, typename State, typename Message>
std::optional<State> look_up(const Table& table, std::optional<State> from, Message m, role sender) noexcept {
  auto row = std::ranges::find_if(
      table, [&](const auto& t) { return t.from == from && t.message == m && t.sender == sender; });
  return row == table.end() ? std::nullopt : std::optional<State>(row->to);
}

template <typename State, size_t N>
std::optional<State> parse(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional<State>(static_cast<State>(found - names.begin()));
}

} // namespace

std::string_view name_of(negotiation_state s) noexcept { return negotiation_state_names.at(std::to_underlying(s)); }
std::string_view name_of(transfer_state s) noexcept { return transfer_state_names.at(std::to_underlying(s)); }
std::string_view name_of(role r) noexcept { return r == role::consumer ? "CONSUMER" : "PROVIDER"; }
std::string_view name_of(negotiation_message m) noexcept { return negotiation_message_names.at(std::to_underlying(m)); }
std::string_view name_of(transfer_message m) noexcept { return transfer_message_names.at(std::to_underlying(m)); }

std::optional<negotiation_state> parse_negotiation_state(std::string_view name) noexcept {
  return parse<negotiation_state>(negotiation_state_names, name);
}

std::optional<transfer_state> parse_transfer_state(std::string_view name) noexcept {
  return parse<transfer_state>(transfer_state_names, name);
}

std::optional<negotiation_state> next_state(std::optional<negotiation_state> from, negotiation_message m,
                                            role sender) noexcept {
  return look_up(negotiation_transitions, from, m, sender);
}

std::optional<transfer_state> next_state(std::optional<transfer_state> from, transfer_message m, role sender) noexcept {
  return look_up(transfer_transitions, from, m, sender);
}

} // namespace fondaco::dsp
