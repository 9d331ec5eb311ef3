#include "tools/fondaco/journey_world.hpp"

#include <filesystem>

#include "actors/ports/clock.hpp"
#include "gateway/api_client.hpp"
#include "protocols/base/fault.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

namespace {

const std::vector<std::string> admin_scopes{
    "management-api:admin",        "management-api:read",     "management-api:write",     "identity-api:admin",
    "identity-api:read",           "identity-api:write",      "issuer-admin-api:admin",   "issuer-admin-api:read",
    "issuer-admin-api:write",      "tenant-manager-api:read", "tenant-manager-api:write", "provision-manager-api:read",
    "provision-manager-api:write", "onboarding-api:admin",    "onboarding-api:read",      "onboarding-api:write"};

std::string assigned(const char* key, const std::string& value) { return std::string(key) + " = \"" + value + "\"\n"; }

std::vector<std::string> split_stores(const std::string& text, size_t count) {
  std::vector<std::string> out;
  for (size_t begin = 0; !text.empty() && begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  out.resize(count);
  return out;
}

void write_secret(const std::string& path, const std::string& secret) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  invariant(f != nullptr, "the demo's folder can be written");
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::fputs(secret.c_str(), f);
  std::fclose(f);
}

} // namespace

journey_world::journey_world(const journey_options& o)
    : folder_(std::filesystem::absolute(o.folder).string()), files_(folder_ + "/files") {
  std::filesystem::create_directories(files_);
  const auto stores = split_stores(o.stores, 4);
  if (o.split) {
    cfm_ = &add("cfm", {"tenant-manager", "provision-manager", "agents", "onboarding"}, stores[0]);
    control_ = &add("control", {"control-plane"}, stores[1]);
    credentials_ = &add("credentials", {"credential-service", "issuer-service"}, stores[2]);
    data_ = &add("data", {"data-plane"}, stores[3]);
  } else {
    cfm_ = control_ = credentials_ = data_ = &add("all", known_roles(), stores[0]);
  }
  introduce(o);
}

demo_node& journey_world::add(const std::string& name, std::vector<std::string> roles, const std::string& store) {
  demo_node_options n;
  n.name = name;
  n.folder = folder_ + "/" + name;
  n.store = store;
  n.file_roots = {files_};
  n.roles = std::move(roles);
  n.admin_scopes = admin_scopes;
  n.profile = std::string("[[dataspace_profile]]\nname = \"") + journey_profile +
              "\"\nidentity = \"dcp\"\nscopes = [\"org.eclipse.dspace.dcp.vc.type:" + membership + ":read\"]\n";
  nodes_.push_back(std::make_unique<demo_node>(std::move(n)));
  return *nodes_.back();
}

// What the nodes have to know of each other, before they start.
void journey_world::introduce(const journey_options& o) {
  for (const auto& n : nodes_)
    n->configure("[identity]\ndid_web_http = true\n[[trusted_issuer]]\n" + assigned("did", did("issuer")) +
                 "types = [\"" + membership + "\"]\n[limits]\nretry_first_ms = 100\nretry_cap_ms = 2000\n");
  if (!o.nats_url.empty())
    cfm_->configure("[cfm]\nbroker = \"nats\"\n" + assigned("nats_url", o.nats_url) + "activity_silence_ms = 5000\n");
  if (!o.split)
    return;
  actors::system_random random;
  const auto secret = gateway::fresh_secret(random);
  for (const auto& n : nodes_) {
    write_secret(n->folder() + "/agents.secret", secret);
    n->configure("[[api_client]]\n" + assigned("id", "agents") + assigned("role", "provisioner") +
                 assigned("secret_file", n->folder() + "/agents.secret") +
                 "scopes = [\"management-api:admin\", \"identity-api:admin\", \"issuer-admin-api:admin\", "
                 "\"tenant-manager-api:read\", \"tenant-manager-api:write\"]\n");
  }
  cfm_->configure("[agents]\n" + assigned("client_id", "agents") +
                  assigned("secret_file", cfm_->folder() + "/agents.secret") +
                  assigned("control_plane_url", control_->url("management")) +
                  assigned("credential_service_url", credentials_->url("management")) +
                  assigned("issuer_service_url", credentials_->url("management")) +
                  assigned("tenant_manager_url", cfm_->url("management")) +
                  assigned("data_plane_signaling_url", data_->url("signaling")) +
                  assigned("control_plane_protocol_url", control_->url("protocol")) +
                  assigned("credential_service_protocol_url", credentials_->url("protocol")));
}

std::string journey_world::did(const std::string& name) const {
  auto host = credentials_->url("protocol").substr(std::string("http://").size());
  const auto colon = host.find(':');
  return "did:web:" + host.substr(0, colon) + "%3A" + host.substr(colon + 1) + ":" + name;
}

} // namespace fondaco::tools
