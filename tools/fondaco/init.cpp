#include "tools/fondaco/init.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/api_client.hpp"
#include "tools/fondaco/certificates.hpp"
#include "tools/fondaco/config.hpp"

namespace fondaco::tools {

namespace {

namespace fs = std::filesystem;

/// Values by their keys, as TOML.
using chosen = std::map<std::string, std::string>;

struct written_file {
  std::string name;
  std::string text;
  mode_t mode = 0600;
};

constexpr std::array admin_apis{"management-api", "identity-api",       "issuer-admin-api",
                                "onboarding-api", "tenant-manager-api", "provision-manager-api"};

bool on_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string in_url(const std::string& host) { return host.find(':') == host.npos ? host : "[" + host + "]"; }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text)
    out += (c == '"' || c == '\\') ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

std::string admin_scopes() {
  std::string out = "[\"operator:read\"";
  for (const std::string api : admin_apis)
    for (const std::string right : {"admin", "read", "write"})
      if (right != "admin" || !api.ends_with("-manager-api")) // the CFM's APIs know read and write
        out += ", \"" + api + ":" + right + "\"";
  return out + "]";
}

chosen values_of(const init_options& o) {
  const auto in_folder = [&o](const char* file) { return quoted(o.folder + "/" + file); };
  const auto at_port = [&o](int port) { return quoted("https://" + in_url(o.host) + ":" + std::to_string(port)); };
  const auto& data = o.data.empty() ? o.folder : o.data;
  chosen v{{"node.name", quoted(o.name)},
           {"store.url", o.store.empty() ? quoted(data + "/fondaco.db") : quoted(o.store)},
           {"vault.key_file", in_folder("fondaco.key")},
           {"listener.operator.bind", quoted("unix:" + data + "/fondaco.sock")},
           {"public.protocol_url", at_port(8282)},
           {"public.signaling_url", at_port(8182)},
           {"public.data_url", at_port(8185)},
           {"outbound.ca_file", in_folder("ca.pem")},
           {"auth.issuer", at_port(8181)},
           {"api_client[].id", quoted("admin")},
           {"api_client[].secret_file", in_folder("admin.secret")},
           {"api_client[].role", quoted("admin")},
           {"api_client[].scopes", admin_scopes()},
           {"dataspace_profile[].name", quoted("dataspace")},
           {"dataspace_profile[].identity", quoted("dcp")},
           {"dataspace_profile[].scopes", R"(["org.eclipse.dspace.dcp.vc.type:MembershipCredential:read"])"},
           {"trusted_issuer[].did", quoted("did:web:" + o.host + "%3A8282:issuer")},
           {"trusted_issuer[].types", R"(["MembershipCredential"])"}};
  if (o.host.find(':') != o.host.npos) // a DID holds no colons of an address
    for (const char* key : {"trusted_issuer[].did", "trusted_issuer[].types"})
      v.erase(key);
  for (const auto& [listener, port] :
       {std::pair<std::string, int>{"protocol", 8282}, {"management", 8181}, {"signaling", 8182}, {"public", 8185}}) {
    v["listener." + listener + ".tls_certificate"] = in_folder("server.crt");
    v["listener." + listener + ".tls_key"] = in_folder("server.key");
    v["listener." + listener + ".bind"] =
        quoted((on_this_machine(o.host) ? "127.0.0.1:" : "0.0.0.0:") + std::to_string(port));
  }
  if (on_this_machine(o.host))
    v["outbound.allow_private_addresses"] = "true";
  return v;
}

bool has_any(const chosen& v, const std::string& table) {
  return std::ranges::any_of(v, [&](const auto& one) { return one.first.starts_with(table + "."); });
}

fault refused(const std::string& what) { return fault{"init_refused", what, cure::fix_input}; }

// Never over a file that is there: a key that was replaced would make the database unreadable.
bool write_new(const std::string& path, const written_file& file) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, file.mode);
  if (fd < 0)
    return false;
  const bool written = ::fchmod(fd, file.mode) == 0 &&
                       ::write(fd, file.text.data(), file.text.size()) == static_cast<ssize_t>(file.text.size()) &&
                       ::fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  errno = why;
  if (!written)
    ::unlink(path.c_str());
  return written;
}

std::expected<void, fault> write_all(const std::string& folder, const std::vector<written_file>& files) {
  for (const auto& f : files)
    if (struct stat about{}; ::lstat((folder + "/" + f.name).c_str(), &about) == 0)
      return std::unexpected(refused("'" + folder + "/" + f.name +
                                     "' is there already; give another folder, or move the old node's files away."));
  for (size_t i = 0; i < files.size(); ++i) {
    const auto path = folder + "/" + files[i].name;
    if (write_new(path, files[i]))
      continue;
    const std::string why = std::strerror(errno);
    for (size_t k = 0; k < i; ++k)
      ::unlink((folder + "/" + files[k].name).c_str());
    return std::unexpected(refused("'" + path + "' cannot be written: " + why + "."));
  }
  return {};
}

std::expected<void, fault> make_folders(init_options& o) {
  for (auto* folder : {&o.folder, &o.data}) {
    if (folder->empty())
      continue;
    std::error_code ec;
    *folder = fs::absolute(*folder, ec).lexically_normal().string();
    while (folder->size() > 1 && folder->ends_with('/'))
      folder->pop_back();
    if (const bool made = !ec && fs::create_directories(*folder, ec); made)
      ::chmod(folder->c_str(), 0700);
    if (ec)
      return std::unexpected(refused("The folder '" + *folder + "' cannot be made: " + ec.message() + "."));
  }
  return {};
}

bool is_plain(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

} // namespace

std::string initial_config(const init_options& options) {
  const auto values = values_of(options);
  std::string out =
      "# A node's configuration, made by `fondaco init`. Keys that are commented out have the value shown\n"
      "# unless their meaning says otherwise. Check it with `fondaco doctor --config THIS_FILE`.\n";
  std::string section;
  bool live = true;
  for (const auto& key : config_keys()) {
    const auto dot = key.path.rfind('.');
    const auto table = key.path.substr(0, dot);
    if (table != section) {
      section = table;
      const auto list = table.find("[]");
      live = list == std::string::npos || has_any(values, table); // an empty entry of a list would be an entry
      out += list == std::string::npos ? "\n[" + table + "]\n"
                                       : std::string(live ? "\n" : "\n# ") + "[[" + table.substr(0, list) + "]]\n";
    }
    const auto value = values.find(key.path);
    const bool set = value != values.end();
    out += "# " + key.help + "\n" + (set ? "" : "# ") + key.path.substr(dot + 1) + " = " +
           (set ? value->second : key.example) + "\n";
  }
  return out;
}

std::expected<std::string, fault> init_node(const init_options& options, const actors::clock& clock,
                                            actors::random_source& random) {
  auto o = options;
  for (const auto* text : {&o.folder, &o.data, &o.name, &o.host, &o.store})
    if (!is_plain(*text))
      return std::unexpected(refused("Options hold no control characters."));
  if (o.folder.empty() || o.name.empty())
    return std::unexpected(refused("A node needs a folder and a name."));
  std::vector<std::string> hosts{o.host};
  for (const std::string own : {"localhost", "127.0.0.1"})
    if (o.host != own)
      hosts.push_back(own);
  auto certificates = make_certificates(o.name, hosts, clock.now());
  if (!certificates)
    return std::unexpected(certificates.error());
  if (auto made = make_folders(o); !made)
    return std::unexpected(made.error());
  auto text = initial_config(o);
  if (auto readable = parse_config(text); !readable)
    return std::unexpected(refused("These options make no configuration: " + readable.error().detail));
  const auto secret = gateway::fresh_secret(random);
  auto written = write_all(o.folder, {{"fondaco.toml", std::move(text)},
                                      {"fondaco.key", gateway::random_hex(random, 4) + "\n"},
                                      {"admin.secret", secret}, // no newline: it is sent as the file is
                                      {"ca.pem", certificates->authority.certificate, 0644},
                                      {"ca.key", certificates->authority.key},
                                      {"server.crt", certificates->server.certificate, 0644},
                                      {"server.key", certificates->server.key}});
  if (!written)
    return std::unexpected(written.error());
  return secret;
}

int run_init(init_options options) {
  const actors::system_clock clock;
  actors::system_random random;
  const auto secret = init_node(options, clock, random);
  if (!secret) {
    std::cerr << "fondaco: " << secret.error().detail << "\n";
    return 1;
  }
  const auto file = fs::absolute(options.folder).lexically_normal() / "fondaco.toml";
  std::cout
      << "The node's files are in " << file.parent_path().string() << ".\n\n"
      << "  fondaco.toml            the configuration, with every key's meaning\n"
      << "  fondaco.key             wraps all secrets in the database: keep a copy of it apart from the database\n"
      << "  ca.pem, ca.key          the authority of this installation; ca.key is not needed to run, keep it apart\n"
      << "  server.crt, server.key  for the listeners, good for this machine"
      << (options.host == "localhost" ? "" : " and " + options.host) << "\n"
      << "  admin.secret            the secret of the API client admin, shown here once:\n\n"
      << "  " << *secret << "\n\n"
      << "Next:\n  fondaco doctor --config " << file.string() << "\n  fondaco serve --config " << file.string() << "\n";
  return 0;
}

} // namespace fondaco::tools
