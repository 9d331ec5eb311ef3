#include "protocols/json/json.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

#include <simdjson.h>

#include "protocols/base/fault.hpp"

namespace fondaco::json {

namespace limits {
/// The largest text whose buffers a thread keeps for the next one, in bytes: they take about 14 times the text.
inline constexpr size_t parser_text_bytes_kept_max = 256u << 10;
/// The deepest nesting that a caller may allow: simdjson stops at its own bound, and trees are walked recursively.
inline constexpr size_t depth_allowed_max = 1000;
/// The longest member name that an error repeats, in bytes.
inline constexpr size_t name_shown_bytes_max = 64;
} // namespace limits

namespace {

namespace dom = simdjson::dom;

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') [[likely]]
      continue;
    out.append(text, done, i - done);
    done = i + 1;
    out += '\\';
    switch (c) {
    case '"':
    case '\\': out += static_cast<char>(c); break;
    case '\b': out += 'b'; break;
    case '\f': out += 'f'; break;
    case '\n': out += 'n'; break;
    case '\r': out += 'r'; break;
    case '\t': out += 't'; break;
    default:
      out += "u00";
      out += digits[c >> 4];
      out += digits[c & 0x0f];
    }
  }
  out.append(text, done);
  out += '"';
}

std::string shown(std::string_view name) {
  std::string out;
  if (name.size() <= limits::name_shown_bytes_max) {
    append_string(out, name);
    return out;
  }
  size_t end = limits::name_shown_bytes_max;
  // Never cut inside a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
    --end;
  append_string(out, name.substr(0, end));
  return out + " (cut)";
}

parse_error too_deep(size_t depth_max) {
  return {json_errc::too_deep, "arrays and objects nest deeper than " + std::to_string(depth_max) + " levels"};
}

/// Copies a parsed document into a tree and refuses on the way what simdjson lets pass.
class builder {
public:
  explicit builder(size_t depth_max) : depth_max_(depth_max) {}

  bool build(dom::element from, value& to, size_t depth) {
    switch (from.type()) {
    case dom::element_type::OBJECT: return build_object(from, to.emplace_object(), depth + 1);
    case dom::element_type::ARRAY: return build_array(from, to.emplace_array(), depth + 1);
    case dom::element_type::STRING: {
      const std::string_view text = from.get_string().value_unsafe();
      if (text.find('\0') != text.npos)
        return fail({json_errc::nul_character, "a string holds U+0000, which no text here may"});
      to.emplace_string().assign(text);
      return true;
    }
    case dom::element_type::INT64: to = from.get_int64().value_unsafe(); return true;
    case dom::element_type::UINT64: to = from.get_uint64().value_unsafe(); return true;
    case dom::element_type::DOUBLE: to = from.get_double().value_unsafe(); return true;
    case dom::element_type::BOOL: to = from.get_bool().value_unsafe(); return true;
    case dom::element_type::NULL_VALUE: to = nullptr; return true;
    }
    return fail({json_errc::malformed, "the text is not JSON (RFC 8259)"});
  }

  parse_error take_error() { return std::move(error_); }

private:
  bool build_object(dom::element from, object& to, size_t depth) {
    if (depth > depth_max_)
      return fail(too_deep(depth_max_));
    const dom::object members = from.get_object().value_unsafe();
    to.reserve(members.size());
    for (const auto [name, member] : members) {
      if (name.find('\0') != name.npos)
        return fail({json_errc::nul_character, "a member's name holds U+0000, which no text here may"});
      const auto [at, fresh] = to.emplace(name, nullptr);
      if (!fresh)
        return fail({json_errc::duplicate_key, "an object names the member " + shown(name) + " twice"});
      if (!build(member, at->value(), depth))
        return false;
    }
    return true;
  }

  bool build_array(dom::element from, array& to, size_t depth) {
    if (depth > depth_max_)
      return fail(too_deep(depth_max_));
    const dom::array items = from.get_array().value_unsafe();
    to.reserve(items.size());
    for (const auto item : items)
      if (!build(item, to.emplace_back(nullptr), depth))
        return false;
    return true;
  }

  bool fail(parse_error why) {
    error_ = std::move(why);
    return false;
  }

  size_t depth_max_;
  parse_error error_{};
};

void append(std::string& out, const value& v);

template <typename Number> void append_number(std::string& out, Number number) {
  char digits[40];
  const auto [end, failed] = std::to_chars(digits, digits + sizeof digits, number);
  invariant(failed == std::errc{}, "a number has at most 40 characters");
  out.append(digits, end);
}

void append_double(std::string& out, double number) {
  invariant(std::isfinite(number), "JSON has no NaN and no infinity");
  const size_t start = out.size();
  append_number(out, number);
  // Otherwise it would come back as an integer.
  if (out.find_first_of(".e", start) == out.npos)
    out += ".0";
}

void append_object(std::string& out, const object& o) {
  char separator = '{';
  for (const auto& [name, member] : o) {
    out += separator;
    append_string(out, name);
    out += ':';
    append(out, member);
    separator = ',';
  }
  out += o.empty() ? "{}" : "}";
}

void append_array(std::string& out, const array& a) {
  char separator = '[';
  for (const auto& item : a) {
    out += separator;
    append(out, item);
    separator = ',';
  }
  out += a.empty() ? "[]" : "]";
}

void append(std::string& out, const value& v) {
  switch (v.kind()) {
  case boost::json::kind::null: out += "null"; return;
  case boost::json::kind::bool_: out += v.get_bool() ? "true" : "false"; return;
  case boost::json::kind::int64: return append_number(out, v.get_int64());
  case boost::json::kind::uint64: return append_number(out, v.get_uint64());
  case boost::json::kind::double_: return append_double(out, v.get_double());
  case boost::json::kind::string: return append_string(out, v.get_string());
  case boost::json::kind::array: return append_array(out, v.get_array());
  case boost::json::kind::object: return append_object(out, v.get_object());
  }
}

} // namespace

std::expected<value, parse_error> parse(std::string_view text, const parse_limits& bounds) {
  invariant(bounds.depth_max <= limits::depth_allowed_max, "a depth limit is at most 1000 levels");
  if (text.size() > bounds.text_bytes_max)
    return std::unexpected(
        parse_error{json_errc::too_large, "the text has " + std::to_string(text.size()) + " bytes; at most " +
                                              std::to_string(bounds.text_bytes_max) + " are allowed"});
  // An empty view may point nowhere, which simdjson must not be given.
  if (text.empty())
    return std::unexpected(parse_error{json_errc::malformed, "the text is not JSON (RFC 8259): it is empty"});
  thread_local std::unique_ptr<dom::parser> kept;
  auto parser = std::move(kept);
  if (!parser)
    parser = std::make_unique<dom::parser>();

  value tree;
  builder build(bounds.depth_max);
  dom::element root;
  const auto error = parser->parse(text.data(), text.size()).get(root);
  const bool built = !error && build.build(root, tree, 0);
  if (text.size() <= limits::parser_text_bytes_kept_max)
    kept = std::move(parser);

  if (error == simdjson::DEPTH_ERROR)
    return std::unexpected(too_deep(bounds.depth_max));
  if (error)
    return std::unexpected(parse_error{json_errc::malformed, std::string("the text is not JSON (RFC 8259): ") +
                                                                 simdjson::error_message(error)});
  if (!built)
    return std::unexpected(build.take_error());
  return tree;
}

std::string write(const value& v) {
  std::string out;
  append(out, v);
  return out;
}

std::optional<std::string_view> string_at(const object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  const auto* text = member ? member->if_string() : nullptr;
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::optional<int64_t> integer_at(const object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  if (!member)
    return std::nullopt;
  if (const auto* number = member->if_int64())
    return *number;
  const auto* large = member->if_uint64();
  if (large && *large <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return static_cast<int64_t>(*large);
  return std::nullopt;
}

std::optional<bool> boolean_at(const object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  const auto* flag = member ? member->if_bool() : nullptr;
  return flag ? std::optional<bool>(*flag) : std::nullopt;
}

const object* object_at(const object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  return member ? member->if_object() : nullptr;
}

const array* array_at(const object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  return member ? member->if_array() : nullptr;
}

} // namespace fondaco::json
