#include "cells/span.hpp"

#include <algorithm>
#include <utility>

#include "protocols/base/hash.hpp"

namespace fondaco::cells {

namespace {

/// `00-<32 hex>-<16 hex>-<2 hex>`: the lengths of its parts (W3C Trace Context, section 3.2).
constexpr size_t trace_at = 3, trace_digits = 32, span_at = 36, length = 55;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace

std::string trace_id_of(std::string_view traceparent) {
  if (traceparent.size() < length || traceparent[trace_at - 1] != '-' || traceparent[span_at - 1] != '-')
    return {};
  const auto trace = traceparent.substr(trace_at, trace_digits);
  return is_hex(trace) && trace.find_first_not_of('0') != std::string_view::npos ? std::string(trace) : std::string();
}

std::string child_of(std::string_view traceparent, uint64_t span) {
  const auto trace = trace_id_of(traceparent);
  if (trace.empty() || span == 0)
    return {};
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>((span >> shift) & 0xff));
  return "00-" + trace + "-" + hex(bytes) + "-01";
}

work_span::work_span(const planes::node_services& s, std::string name, std::string traceparent)
    : clock_(s.clock), to_(trace_id_of(traceparent).empty() ? nullptr : s.traces) {
  if (!to_)
    return;
  span_.name = std::move(name);
  span_.traceparent = std::move(traceparent);
  span_.begin = clock_.now();
}

work_span& work_span::with(std::string name, std::string value) {
  if (to_ && !value.empty())
    span_.attributes.emplace_back(std::move(name), std::move(value));
  return *this;
}

void work_span::fail(std::string why) {
  if (to_)
    span_.failure = std::move(why);
}

void work_span::end() {
  auto* to = std::exchange(to_, nullptr);
  if (!to)
    return;
  span_.end = clock_.now();
  to->finished(std::move(span_));
}

} // namespace fondaco::cells
