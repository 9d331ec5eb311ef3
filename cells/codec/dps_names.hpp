#pragma once

#include "planes/codec/fields.hpp"
#include "protocols/dps/flow_state.hpp"

namespace fondaco::planes {

/// The journal's names of what moves a data flow.
template <> struct enumerators<dps::flow_signal> {
  using enum dps::flow_signal;
  static constexpr enumerator<dps::flow_signal> all[] = {
      {prepare, "prepare"},     {prepared, "prepared"},   {start, "start"},
      {started, "started"},     {suspend, "suspend"},     {resume, "resume"},
      {completed, "completed"}, {terminate, "terminate"}, {errored, "errored"}};
};

/// The journal's names of a data flow's states.
template <> struct enumerators<dps::flow_state> {
  using enum dps::flow_state;
  static constexpr enumerator<dps::flow_state> all[] = {
      {initialized, "initialized"}, {preparing, "preparing"}, {prepared, "prepared"},   {starting, "starting"},
      {started, "started"},         {suspended, "suspended"}, {completed, "completed"}, {terminated, "terminated"}};
};

} // namespace fondaco::planes
