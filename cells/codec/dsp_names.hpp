#pragma once

#include "planes/codec/fields.hpp"
#include "protocols/dsp/messages.hpp"

namespace fondaco::planes {

// The journal's names of the Dataspace Protocol's enumerations. ACCEPTED and FINALIZED share one `@type` on the wire,
// so the wire's names would not do.

template <> struct enumerators<dsp::role> {
  using enum dsp::role;
  static constexpr enumerator<dsp::role> all[] = {{consumer, "consumer"}, {provider, "provider"}};
};
template <> struct enumerators<dsp::negotiation_state> {
  using enum dsp::negotiation_state;
  static constexpr enumerator<dsp::negotiation_state> all[] = {
      {requested, "requested"}, {offered, "offered"},     {accepted, "accepted"},    {agreed, "agreed"},
      {verified, "verified"},   {finalized, "finalized"}, {terminated, "terminated"}};
};
template <> struct enumerators<dsp::negotiation_message> {
  using enum dsp::negotiation_message;
  static constexpr enumerator<dsp::negotiation_message> all[] = {
      {request, "request"},           {offer, "offer"},         {accepted, "accepted"},      {agreement, "agreement"},
      {verification, "verification"}, {finalized, "finalized"}, {termination, "termination"}};
};
template <> struct enumerators<dsp::transfer_state> {
  using enum dsp::transfer_state;
  static constexpr enumerator<dsp::transfer_state> all[] = {{requested, "requested"},
                                                            {started, "started"},
                                                            {suspended, "suspended"},
                                                            {completed, "completed"},
                                                            {terminated, "terminated"}};
};
template <> struct enumerators<dsp::transfer_message> {
  using enum dsp::transfer_message;
  static constexpr enumerator<dsp::transfer_message> all[] = {{request, "request"},
                                                              {start, "start"},
                                                              {suspension, "suspension"},
                                                              {completion, "completion"},
                                                              {termination, "termination"}};
};
} // namespace fondaco::planes
