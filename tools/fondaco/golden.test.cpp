// Formats that last: histories that earlier programs wrote are kept in tests/golden/journals, and today's code folds
// them to the states that were kept with them. How to add one: docs/operations.md, "Formats that last".

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>

#include "cells/control_plane/negotiation.hpp"
#include "cells/control_plane/transfer_process.hpp"
#include "cells/credential_service/credential_request.hpp"
#include "cells/data_plane/data_flow.hpp"
#include "cells/issuer_service/issuance.hpp"
#include "cells/issuer_service/status_list.hpp"
#include "cells/participants/vpa.hpp"
#include "cfm/onboarding/application.hpp"
#include "cfm/provision_manager/orchestration.hpp"
#include "cfm/tenant_manager/participant_profile.hpp"
#include "planes/record.hpp"
#include "tools/fondaco/all_kinds.hpp"
#include "tools/fondaco/history.hpp"

namespace {

using namespace fondaco;
using namespace fondaco::tools;

constexpr int variants = 10;
constexpr int64_t sample_ms = 1'800'000'000'000;

/// What a member of a sample holds: everything in the first variant, one value of each enumeration after the other in
/// the rest. Ids are all the same, so that each event is about what the one before it made.
struct filler {
  int variant = 0;
  std::string kind;

  std::string text(std::string_view name) const {
    static const std::set<std::string_view> ids{"cause",         "id",         "message_id", "activity_id",
                                                "credential_id", "manifest_id"};
    if (name == "record_kind")
      return kind;
    if (name == "body")
      return R"({"name":"a sample"})";
    if (variant == 0 || ids.contains(name))
      return ids.contains(name) ? std::string("id-1") : std::string(name);
    return {};
  }

  template <class T> void fill(std::string_view name, T& v) const {
    if constexpr (std::is_same_v<T, bool>) {
      v = variant % 2 == 0;
    } else if constexpr (std::is_same_v<T, std::string>) {
      v = text(name);
    } else if constexpr (std::is_enum_v<T>) {
      constexpr auto count = static_cast<int>(std::size(planes::enumerators<T>::all));
      static_assert(count <= variants, "each value of an enumeration comes in one variant");
      v = planes::enumerators<T>::all[variant % count].first;
    } else if constexpr (std::is_integral_v<T>) {
      v = static_cast<T>(name == "bits" ? 131'072 : variant + 1);
    } else if constexpr (std::is_same_v<T, timepoint>) {
      v = from_epoch_ms(sample_ms + variant);
    } else if constexpr (std::is_same_v<T, milliseconds>) {
      v = milliseconds(1000 + variant);
    } else if constexpr (std::is_same_v<T, json::object>) {
      if (variant == 0)
        v = json::object{{"@id", name}, {"count", 1}};
    } else if constexpr (std::is_same_v<T, json::value>) {
      if (variant == 0)
        v = json::array{json::value(name)};
    } else if constexpr (planes::detail::is_vector<T>) {
      fill(name, v.emplace_back()); // what later events are about has to be there
    } else if constexpr (planes::detail::is_optional<T>) {
      if (variant % 2 == 0)
        fill(name, v.emplace());
    } else {
      T::each(v, [this](std::string_view member, auto& value) { fill(member, value); });
    }
  }
};

template <class D, size_t I> persistence::event_record sample(const filler& f) {
  std::variant_alternative_t<I, typename D::event> e;
  f.fill("", e);
  return D::encode(e);
}

json::object event_json(const persistence::event_record& r, int64_t sequence) {
  return {{"sequence", sequence},
          {"at", to_rfc3339(from_epoch_ms(sample_ms))},
          {"type", r.type},
          {"version", r.version},
          {"format", std::string(1, r.format)},
          {"cause", r.cause},
          {"payload", *json::parse(r.payload)}};
}

/// An event's name in its payload and its version.
using event_name = std::pair<std::string, int64_t>;

/// What a decider's events are called today, and a history for each in each variant.
struct kind_formats {
  std::vector<event_name> names;
  std::function<json::array(const std::string& kind, const event_name&)> make;
};

template <class D, size_t... I> kind_formats formats_of(std::index_sequence<I...>) {
  kind_formats out;
  out.names = {{std::string(std::variant_alternative_t<I, typename D::event>::what),
                sample<D, I>(filler{1, "sample"}).version}...};
  out.make = [](const std::string& kind, const event_name& wanted) {
    json::array all;
    std::set<std::string> seen;
    for (int v = 0; v < variants; ++v) {
      const filler f{v, kind};
      auto one = [&]<size_t K>() {
        if (std::variant_alternative_t<K, typename D::event>::what != wanted.first)
          return;
        json::array events{event_json(sample<D, 0>(f), 1)};
        if (K > 0)
          events.push_back(event_json(sample<D, K>(f), 2));
        if (seen.insert(json::write(events.back().as_object().at("payload"))).second)
          all.push_back(json::object{{"tenant", "golden"},
                                     {"kind", kind},
                                     {"id", wanted.first + "-" + std::to_string(v)},
                                     {"events", std::move(events)}});
      };
      (one.template operator()<I>(), ...);
    }
    return all;
  };
  return out;
}

template <class D> kind_formats formats() {
  return formats_of<D>(std::make_index_sequence<std::variant_size_v<typename D::event>>());
}

/// Every kind of entity is a record but these.
kind_formats formats_of_kind(const std::string& kind) {
  static const std::map<std::string_view, kind_formats (*)()> typed{
      {control_plane::negotiation::kind, formats<control_plane::negotiation>},
      {control_plane::transfer_process::kind, formats<control_plane::transfer_process>},
      {credential_service::credential_request::kind, formats<credential_service::credential_request>},
      {data_plane::data_flow::kind, formats<data_plane::data_flow>},
      {issuer_service::issuance::kind, formats<issuer_service::issuance>},
      {issuer_service::status_list::kind, formats<issuer_service::status_list>},
      {participants::vpa::kind, formats<participants::vpa>},
      {cfm::application::kind, formats<cfm::application>},
      {cfm::orchestration::kind, formats<cfm::orchestration>},
      {cfm::participant_profile::kind, formats<cfm::participant_profile>}};
  const auto found = typed.find(kind);
  return found == typed.end() ? formats<planes::record>() : found->second();
}

std::filesystem::path folder() {
  const auto beside = std::filesystem::path(FONDACO_SOURCE_FOLDER) / "tests/golden/journals";
  return std::filesystem::exists("tests/golden/journals") ? "tests/golden/journals" : beside;
}

/// The histories of all files of a kind: `<kind>.json`, `<kind>.2.json` and so on.
json::array kept_of(const std::string& kind) {
  json::array all;
  for (const auto& file : std::filesystem::directory_iterator(folder())) {
    if (!file.path().filename().string().starts_with(kind + "."))
      continue;
    std::ifstream in(file.path(), std::ios::binary);
    auto histories = read_histories(std::string(std::istreambuf_iterator<char>(in), {}));
    REQUIRE_MESSAGE(histories.has_value(), file.path().string() << ": " << histories.error().detail);
    all.insert(all.end(), histories->begin(), histories->end());
  }
  return all;
}

/// The events that no kept history has.
std::vector<event_name> uncovered(const std::vector<event_name>& today, const json::array& kept) {
  std::set<event_name> covered;
  for (const auto& h : kept)
    for (const auto& e : *json::array_at(h.as_object(), "events")) {
      const auto& payload = *json::object_at(e.as_object(), "payload");
      covered.emplace(json::string_at(payload, "what").value_or(""),
                      json::integer_at(e.as_object(), "version").value_or(0));
    }
  std::vector<event_name> out;
  for (const auto& name : today)
    if (!covered.contains(name))
      out.push_back(name);
  return out;
}

json::array made_for(const std::string& kind, const kind_formats& formats, const std::vector<event_name>& names) {
  json::array all;
  for (const auto& name : names)
    for (auto& h : formats.make(kind, name)) {
      const auto folded = fold(h.as_object());
      REQUIRE(folded.has_value());
      REQUIRE(folded->back().readable);
      h.as_object()["status"] = folded->back().status;
      h.as_object()["sequence"] = folded->back().sequence;
      all.push_back(std::move(h));
    }
  return all;
}

// The next free name of the kind; a file that is there is never written again.
void keep(const std::string& kind, const json::array& histories) {
  auto path = folder() / (kind + ".json");
  for (int n = 2; std::filesystem::exists(path); ++n)
    path = folder() / (kind + "." + std::to_string(n) + ".json");
  const auto file = history_file(histories);
  std::ofstream out(path, std::ios::binary);
  out << R"({"format":")" << history_format << R"(","version":)" << history_version << R"(,"histories":[)";
  const char* between = "\n";
  for (const auto& h : *json::array_at(file, "histories")) {
    out << between << json::write(h);
    between = ",\n";
  }
  out << "\n]}\n";
}

} // namespace

TEST_CASE("today's code folds every kept journal to the states that were kept with it") {
  size_t histories = 0;
  for (const auto& [kind, ignored] : all_kinds())
    for (const auto& h : kept_of(kind)) {
      const auto folded = fold(h.as_object());
      REQUIRE_MESSAGE(folded.has_value(), kind << ": " << folded.error().detail);
      CHECK(json::array_at(h.as_object(), "events")->size() == folded->size());
      for (const auto& f : *folded)
        CHECK_MESSAGE(f.differences.empty(), kind << " " << *json::string_at(h.as_object(), "id") << ", event "
                                                  << f.sequence << ": "
                                                  << (f.differences.empty() ? "" : f.differences.front()));
      ++histories;
    }
  CHECK(histories > 200);
}

TEST_CASE("every event of every kind has a kept journal in the version that is written today") {
  const bool adds = std::getenv("FONDACO_KEEP_JOURNALS") != nullptr;
  for (const auto& [kind, ignored] : all_kinds()) {
    const auto today = formats_of_kind(kind);
    auto missing = uncovered(today.names, kept_of(kind));
    if (adds && !missing.empty()) {
      keep(kind, made_for(kind, today, missing));
      missing = uncovered(today.names, kept_of(kind));
    }
    for (const auto& [what, version] : missing)
      FAIL_CHECK("no journal is kept of the event '" << what << "' version " << version << " of " << kind
                                                     << "; run this test once with FONDACO_KEEP_JOURNALS=1");
  }
}

TEST_CASE("an event without a kept journal, and a state that differs from the kept one, are seen") {
  auto kept = kept_of("vpa");
  auto names = formats_of_kind("vpa").names;
  names.emplace_back("renamed", 1);
  names.emplace_back("moved", 2);
  CHECK(uncovered(names, kept) == std::vector<event_name>{{"renamed", 1}, {"moved", 2}});
  REQUIRE(!kept.empty());
  auto& history = kept.front().as_object();
  history["events"].as_array()[0].as_object()["state"].as_object()["reason"] = "another";
  CHECK(fold(history)->front().differences.size() == 1);
  history["events"].as_array()[0].as_object()["payload"].as_object()["what"] = "unheard of";
  CHECK_FALSE(fold(history)->front().readable);
}
