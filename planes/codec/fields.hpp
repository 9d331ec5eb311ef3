#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "persistence/journal.hpp"
#include "protocols/base/time.hpp"
#include "protocols/json/json.hpp"

namespace fondaco::planes {

/// The values of an enumeration with the names by which they are journaled; specialise it with
/// `static constexpr enumerator<E> all[]`, every value once. The names are the format, so they never change.
template <class E> struct enumerators;
template <class E> using enumerator = std::pair<E, std::string_view>;

/// A struct whose members are journaled: it has `static void each(auto& self, auto&& visit)` that calls
/// `visit("name", self.member)` for each. What is empty is left out, and what is missing keeps its default: so a member
/// whose empty value differs from its default cannot be journaled, and a new member needs no new version.
template <class T>
concept described = requires(T& t) { T::each(t, [](std::string_view, auto&) {}); };

namespace detail {
template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_vector = false;
template <class T> inline constexpr bool is_vector<std::vector<T>> = true;
} // namespace detail

/// The member as JSON.
template <class T> json::value to_json(const T& v) {
  if constexpr (std::is_same_v<T, bool>) {
    return v;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return json::value(std::string_view(v));
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [value, name] : enumerators<T>::all)
      if (value == v)
        return json::value(name);
    return json::value(nullptr);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<int64_t>(v);
  } else if constexpr (std::is_same_v<T, timepoint>) {
    return to_epoch_ms(v);
  } else if constexpr (std::is_same_v<T, milliseconds>) {
    return static_cast<int64_t>(v.count());
  } else if constexpr (std::is_same_v<T, json::object> || std::is_same_v<T, json::value>) {
    return v;
  } else if constexpr (detail::is_vector<T>) {
    json::array out;
    for (const auto& item : v)
      out.push_back(to_json(item));
    return out;
  } else {
    static_assert(described<T>, "a journaled type needs `each`");
    json::object out;
    T::each(v, [&out](std::string_view name, const auto& member) {
      using M = std::remove_cvref_t<decltype(member)>;
      if constexpr (detail::is_optional<M>) {
        if (member)
          out.emplace(name, to_json(*member));
      } else if constexpr (std::is_same_v<M, std::string> || std::is_same_v<M, json::object> || detail::is_vector<M>) {
        if (!member.empty())
          out.emplace(name, to_json(member));
      } else {
        out.emplace(name, to_json(member));
      }
    });
    return out;
  }
}

/// Fills the member from JSON; false if the JSON has another shape.
template <class T> bool from_json(const json::value& j, T& v) {
  if constexpr (std::is_same_v<T, bool>) {
    return j.is_bool() && (v = j.get_bool(), true);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return j.is_string() && (v.assign(j.get_string().data(), j.get_string().size()), true);
  } else if constexpr (std::is_enum_v<T>) {
    if (j.is_string())
      for (const auto& [value, name] : enumerators<T>::all)
        if (name == std::string_view(j.get_string().data(), j.get_string().size()))
          return v = value, true;
    return false;
  } else if constexpr (std::is_integral_v<T>) {
    boost::system::error_code bad;
    const auto n = j.template to_number<T>(bad);
    return !bad && (v = n, true);
  } else if constexpr (std::is_same_v<T, timepoint>) {
    int64_t ms = 0;
    return from_json(j, ms) && (v = from_epoch_ms(ms), true);
  } else if constexpr (std::is_same_v<T, milliseconds>) {
    int64_t ms = 0;
    return from_json(j, ms) && (v = milliseconds{ms}, true);
  } else if constexpr (std::is_same_v<T, json::object>) {
    return j.is_object() && (v = j.get_object(), true);
  } else if constexpr (std::is_same_v<T, json::value>) {
    return v = j, true;
  } else if constexpr (detail::is_vector<T>) {
    if (!j.is_array())
      return false;
    v.clear();
    for (const auto& item : j.get_array())
      if (!from_json(item, v.emplace_back()))
        return false;
    return true;
  } else if constexpr (detail::is_optional<T>) {
    return from_json(j, v.emplace());
  } else {
    static_assert(described<T>, "a journaled type needs `each`");
    if (!j.is_object())
      return false;
    bool fits = true;
    T::each(v, [&](std::string_view name, auto& member) {
      if (const auto* found = j.get_object().if_contains(name); found && fits)
        fits = from_json(*found, member);
    });
    return fits;
  }
}

/// The payload of an event: its members and, as `what`, the name of its struct (`E::what`).
template <class... E> std::string write_event(const std::variant<E...>& event) {
  return std::visit(
      [](const auto& e) {
        auto body = to_json(e);
        body.get_object().emplace("what", std::string_view(std::remove_cvref_t<decltype(e)>::what));
        return json::write(body);
      },
      event);
}

/// The event whose payload this is; nothing if this node does not know it.
template <class Variant> struct event_reader;
template <class... E> struct event_reader<std::variant<E...>> {
  static std::optional<std::variant<E...>> read(const persistence::event_record& record, uint16_t version_max) {
    if (record.format != 'j' || record.version > version_max)
      return std::nullopt;
    const auto body = json::parse(record.payload);
    if (!body || !body->is_object())
      return std::nullopt;
    const auto what = json::string_at(body->get_object(), "what");
    std::optional<std::variant<E...>> out;
    (void)((what == E::what && (read_one<E>(*body, out), true)) || ...);
    return out;
  }

private:
  template <class One> static void read_one(const json::value& body, std::optional<std::variant<E...>>& out) {
    One one;
    if (from_json(body, one))
      out.emplace(std::in_place_type<One>, std::move(one));
  }
};

/// The text of a state as a snapshot keeps it.
template <described T> std::string write_state(const T& state) { return json::write(to_json(state)); }

/// The state that a snapshot's text holds; nothing if this node cannot read it.
template <described T> std::optional<T> read_state(std::string_view text) {
  const auto body = json::parse(text);
  T state;
  if (!body || !from_json(*body, state))
    return std::nullopt;
  return state;
}

} // namespace fondaco::planes
