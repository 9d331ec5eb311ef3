#include <algorithm>
#include <set>

#include "gateway/detail/text.hpp"
#include "gateway/http.hpp"

namespace fondaco::gateway {

namespace {

using segment_list = std::vector<std::string>;

enum class segment_kind : uint8_t { literal, param, rest };

segment_kind kind_of(std::string_view segment) {
  if (!segment.starts_with('{'))
    return segment_kind::literal;
  return segment.ends_with("...}") ? segment_kind::rest : segment_kind::param;
}

std::string_view name_of(std::string_view segment) {
  const size_t tail = kind_of(segment) == segment_kind::rest ? 4 : 1;
  return segment.substr(1, segment.size() - 1 - tail);
}

segment_list split(std::string_view path) {
  segment_list out;
  if (path.starts_with('/'))
    path.remove_prefix(1);
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    out.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(path.size(), end + 1));
  }
  return out;
}

/// Literals before parameters before the rest, segment by segment: `/a/b` wins over `/a/{x}`.
bool more_specific(const segment_list& a, const segment_list& b) {
  return std::ranges::lexicographical_compare(a, b, {}, kind_of, kind_of);
}

bool same_shape(const segment_list& a, const segment_list& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return kind_of(x) == kind_of(y) && (kind_of(x) != segment_kind::literal || x == y);
  });
}

bool matches(const segment_list& pattern, const segment_list& path) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    const auto kind = kind_of(pattern[i]);
    if (kind == segment_kind::rest)
      return true;
    if (i >= path.size() || (kind == segment_kind::param ? path[i].empty() : path[i] != pattern[i]))
      return false;
  }
  return pattern.size() == path.size();
}

/// The path's segments, decoded one by one, so that an encoded slash stays inside its segment. Nothing if one cannot
/// be.
std::optional<segment_list> decoded_segments(std::string_view path) {
  auto segments = split(path);
  for (auto& s : segments) {
    auto plain = detail::percent_decoded(s);
    if (!plain)
      return std::nullopt;
    s = std::move(*plain);
  }
  return segments;
}

void fill_params(const segment_list& pattern, const segment_list& path, request& r) {
  r.params.clear();
  for (size_t i = 0; i < pattern.size(); ++i) {
    const auto kind = kind_of(pattern[i]);
    if (kind == segment_kind::param) {
      r.params.emplace(name_of(pattern[i]), path[i]);
    } else if (kind == segment_kind::rest) {
      std::string rest;
      for (size_t j = i; j < path.size(); ++j)
        rest += (j > i ? "/" : "") + path[j];
      if (!rest.empty() && r.path.ends_with('/'))
        rest += '/';
      r.params.emplace(name_of(pattern[i]), std::move(rest));
    }
  }
}

} // namespace

void router::add(std::string method, std::string pattern, handler h) {
  invariant(pattern.starts_with('/'), "a route's pattern begins with a slash");
  auto segments = split(pattern);
  for (size_t i = 0; i < segments.size(); ++i) {
    invariant(!segments[i].starts_with('{') || (segments[i].ends_with('}') && !name_of(segments[i]).empty()),
              "a route's parameter is {name} or {name...}");
    invariant(kind_of(segments[i]) != segment_kind::rest || i + 1 == segments.size(),
              "a route's {name...} is its last segment");
  }
  for (const auto& known : routes_)
    invariant(known.method != method || !same_shape(known.segments, segments), "two routes have one method and shape");
  route added{std::move(method), std::move(segments), std::move(h)};
  const auto at =
      std::ranges::find_if(routes_, [&](const route& known) { return more_specific(added.segments, known.segments); });
  routes_.insert(at, std::move(added));
}

std::expected<handler, int> router::find(request& r) const {
  const auto path = decoded_segments(r.path);
  if (!path)
    return std::unexpected(404);
  const route* for_head = nullptr;
  bool path_known = false;
  for (const auto& candidate : routes_) {
    if (!matches(candidate.segments, *path))
      continue;
    path_known = true;
    if (candidate.method == r.method) {
      fill_params(candidate.segments, *path, r);
      return candidate.handle;
    }
    if (for_head == nullptr && r.method == "HEAD" && candidate.method == "GET")
      for_head = &candidate;
  }
  if (for_head == nullptr)
    return std::unexpected(path_known ? 405 : 404);
  fill_params(for_head->segments, *path, r);
  return for_head->handle;
}

std::string router::allowed(std::string_view path) const {
  std::set<std::string> methods;
  if (const auto segments = decoded_segments(path))
    for (const auto& candidate : routes_)
      if (matches(candidate.segments, *segments))
        methods.insert(candidate.method);
  if (methods.contains("GET"))
    methods.insert("HEAD");
  std::string out;
  for (const auto& m : methods)
    out += (out.empty() ? "" : ", ") + m;
  return out;
}

void router::wrap(const std::function<handler(handler)>& with) {
  for (auto& r : routes_)
    r.handle = with(std::move(r.handle));
}

std::vector<std::string> router::patterns() const {
  std::vector<std::string> out;
  for (const auto& r : routes_) {
    std::string text = r.method + ' ';
    for (const auto& s : r.segments)
      text += '/' + s;
    out.push_back(r.segments.empty() ? text + '/' : text);
  }
  std::ranges::sort(out);
  return out;
}

} // namespace fondaco::gateway
