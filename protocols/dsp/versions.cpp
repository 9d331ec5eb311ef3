#include "protocols/dsp/envelope.hpp"

namespace fondaco::dsp {

json::object write_versions(const std::vector<protocol_version>& versions) {
  json::array list;
  for (const auto& v : versions) {
    json::object o;
    o["version"] = v.version;
    o["path"] = v.path;
    o["binding"] = v.binding;
    put(o, "profile", v.profile);
    list.push_back(std::move(o));
  }
  json::object out;
  out["protocolVersions"] = std::move(list);
  return out;
}

} // namespace fondaco::dsp
