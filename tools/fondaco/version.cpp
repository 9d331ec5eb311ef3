#include "tools/fondaco/version.hpp"

#include "gateway/health.hpp"
#include "persistence/store.hpp"
#include "protocols/json/json.hpp"

// Given by the build when it is configured.
#ifndef FONDACO_VERSION
#define FONDACO_VERSION "unknown"
#endif
#ifndef FONDACO_REVISION
#define FONDACO_REVISION "unknown"
#endif

namespace fondaco::tools {

std::string version_text(bool json) {
  const persistence::event_record event;
  const auto format = event.format == 'j' ? std::string("json") : std::string(1, event.format);
  json::object apis;
  std::string lines;
  for (const auto& [name, versions] : gateway::served_versions()) {
    json::array list;
    for (const auto& v : versions) {
      list.emplace_back(v.version);
      lines += "api       " + name + " " + v.version + "\n";
    }
    apis[name] = std::move(list);
  }
  if (!json)
    return "fondaco   " FONDACO_VERSION "\nrevision  " FONDACO_REVISION "\nschema    " +
           std::to_string(persistence::schema_version()) + "\nevents    " + format + ", version " +
           std::to_string(event.version) + "\n" + lines;
  return json::write(
             json::object{{"version", FONDACO_VERSION},
                          {"revision", FONDACO_REVISION},
                          {"schemaVersion", persistence::schema_version()},
                          {"eventFormats", json::array{json::object{{"format", format}, {"version", event.version}}}},
                          {"apis", std::move(apis)}}) +
         "\n";
}

} // namespace fondaco::tools
