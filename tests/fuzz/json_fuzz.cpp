#include <algorithm>

#include <boost/json/parse.hpp>

#include "protocols/json/json.hpp"
#include "tests/fuzz/fuzz.hpp"

// JSON: what parses is written and parsed again the same, keeps its bounds, and is JSON to another parser too.

namespace {

using namespace fondaco;
using fuzz::demand;

constexpr json::parse_limits tight{.depth_max = 3, .text_bytes_max = 256};

size_t depth_of(const json::value& v) {
  size_t inside = 0;
  if (const auto* list = v.if_array()) {
    for (const auto& item : *list)
      inside = std::max(inside, depth_of(item));
    return inside + 1;
  }
  if (const auto* o = v.if_object()) {
    for (const auto& member : *o)
      inside = std::max(inside, depth_of(member.value()));
    return inside + 1;
  }
  return 0;
}

bool holds_nul(const json::value& v) {
  if (const auto* text = v.if_string())
    return std::string_view(*text).find('\0') != std::string_view::npos;
  if (const auto* list = v.if_array())
    return std::ranges::any_of(*list, holds_nul);
  const auto* o = v.if_object();
  return o && std::ranges::any_of(*o, [](const auto& member) {
           return std::string_view(member.key()).find('\0') != std::string_view::npos || holds_nul(member.value());
         });
}

/// Each member is found by its name as what it is, and as nothing else.
void check_members(const json::object& o) {
  for (const auto& [name, v] : o) {
    const std::string_view key(name);
    const bool fits = v.is_int64() || (v.is_uint64() && v.get_uint64() <= uint64_t{INT64_MAX});
    demand(json::string_at(o, key).has_value() == v.is_string(), "a string member is found, and nothing else as one");
    demand(json::integer_at(o, key).has_value() == fits, "an integer member is found, and nothing else as one");
    demand(json::boolean_at(o, key).has_value() == v.is_bool(), "a boolean member is found, and nothing else as one");
    demand((json::object_at(o, key) != nullptr) == v.is_object(), "an object member is found, and nothing else as one");
    demand((json::array_at(o, key) != nullptr) == v.is_array(), "an array member is found, and nothing else as one");
  }
  demand(o.contains("missing") || !json::string_at(o, "missing"), "what is missing is nothing");
}

void check_whole(std::string_view text, const json::value& tree) {
  demand(depth_of(tree) <= json::parse_limits{}.depth_max, "a tree is no deeper than the limit");
  demand(!holds_nul(tree), "no text holds U+0000");
  const auto written = json::write(tree);
  const auto again = json::parse(written);
  demand(again && *again == tree, "what was parsed is written and parsed again the same");
  demand(json::write(*again) == written, "what is written again is the same text");
  boost::json::parse_options options;
  options.max_depth = json::parse_limits{}.depth_max;
  boost::system::error_code foreign;
  boost::json::parse({text.data(), text.size()}, foreign, {}, options);
  // The other one refuses an exponent that underflows, which here is the number zero.
  demand(!foreign || foreign == boost::json::error::exponent_overflow, "what is taken is JSON to another parser too");
  boost::json::parse({written.data(), written.size()}, foreign, {}, options);
  demand(!foreign, "what is written is JSON to another parser too");
}

} // namespace

void fuzz::json_target(std::string_view input) {
  const auto tree = json::parse(input);
  if (tree) {
    check_whole(input, *tree);
    if (tree->is_object())
      check_members(tree->get_object());
  } else {
    fuzz::demand_sentence(tree.error().detail);
  }
  const auto bounded = json::parse(input, tight);
  if (bounded)
    demand(tree && *tree == *bounded && input.size() <= tight.text_bytes_max && depth_of(*tree) <= tight.depth_max,
           "a tighter limit takes less, and takes it as the same");
  else
    demand(!tree || input.size() > tight.text_bytes_max || depth_of(*tree) > tight.depth_max,
           "a tighter limit refuses only what is beyond it");
}
