#include "tools/fondaco/doctor.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <utility>

#include "persistence/store.hpp"
#include "protocols/did/document.hpp"
#include "protocols/json/json.hpp"
#include "tools/fondaco/certificates.hpp"
#include "tools/fondaco/doctor_net.hpp"
#include "tools/fondaco/node.hpp"
#include "tools/fondaco/secret_file.hpp"

namespace fondaco::tools {

namespace {

finding good(std::string check, std::string detail) {
  return {std::move(check), finding_state::ok, std::move(detail), {}};
}
finding odd(std::string check, std::string detail, std::string cure) {
  return {std::move(check), finding_state::warn, std::move(detail), std::move(cure)};
}
finding bad(std::string check, std::string detail, std::string cure) {
  return {std::move(check), finding_state::fail, std::move(detail), std::move(cure)};
}

std::expected<std::string, fault> key_of(const config& c) {
  return c.key_file.empty() ? persistence::load_key_environment(c.key_environment)
                            : persistence::load_key_file(c.key_file);
}

// The host of an absolute URL, without brackets; empty if it has none.
std::string host_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos)
    return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (url.starts_with('['))
    return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

finding check_vault(const config& c) {
  auto key = key_of(c);
  if (!key)
    return bad("vault", "It cannot be opened without its key.", "See the check of the key.");
  auto opened = persistence::open_vault(c.store, std::move(*key));
  if (!opened)
    return bad("vault", opened.error().detail, "Give the key that this database was made with.");
  return good("vault", "It opens with the key.");
}

finding check_clock(const config& c, const actors::clock& clock) {
  const auto before = clock.now();
  const auto theirs = persistence::store_time(c.store);
  const auto after = clock.now();
  if (!theirs)
    return bad("clock", theirs.error().detail, "See the check of the store.");
  if (!*theirs)
    return good("clock", "It is " + to_rfc3339(before) + "; a SQLite store has no clock to compare with.");
  return clock_finding(**theirs - (before + (after - before) / 2));
}

void check_certificate(std::vector<finding>& out, const std::string& name, const std::string& path, timepoint now) {
  const auto facts = read_certificate(path);
  if (!facts)
    out.push_back(
        bad(name, facts.error().detail, "Put the certificate there, or correct the path in the configuration."));
  else if (now >= facts->not_after)
    out.push_back(bad(name, "'" + path + "' is over since " + to_rfc3339(facts->not_after) + ".",
                      "Renew it, then send the node SIGHUP."));
  else if (now < facts->not_before)
    out.push_back(bad(name, "'" + path + "' counts only from " + to_rfc3339(facts->not_before) + " on.",
                      "Set this machine's clock, or wait."));
  else if (now + limits::certificate_warn >= facts->not_after)
    out.push_back(odd(name, "'" + path + "' ends on " + to_rfc3339(facts->not_after) + ".",
                      "Renew it soon, then send the node SIGHUP."));
  else
    out.push_back(good(name, "'" + path + "' is good until " + to_rfc3339(facts->not_after) + "."));
}

// The URL under which others reach a listener, by its name.
std::string public_url(const config& c, const std::string& listener) {
  if (listener == "protocol")
    return c.cell.protocol_url;
  if (listener == "signaling")
    return c.cell.signaling_url;
  if (listener == "public")
    return c.cell.public_url;
  return listener == "management" ? c.issuer : "";
}

const char* word_of(finding_state s) {
  switch (s) {
  case finding_state::ok: return "ok";
  case finding_state::warn: return "warn";
  case finding_state::fail: return "FAIL";
  }
  return "FAIL";
}

} // namespace

std::vector<finding> check_secrets(const config& c) {
  std::vector<finding> out;
  if (auto key = key_of(c); key)
    out.push_back(good("key", "The key-encryption key is there, and only its owner can read it."));
  else
    out.push_back(bad("key", key.error().detail,
                      c.key_file.empty()
                          ? "Set the environment variable " + c.key_environment + " to 64 hexadecimal digits."
                          : "Run the doctor as the node's user; put the key there with mode 600."));
  const auto secret = [&out](const std::string& whose, const std::string& path) {
    if (auto read = read_secret_file(path); read)
      out.push_back(good("secret of " + whose, "'" + path + "' is there, and only its owner can read it."));
    else
      out.push_back(bad("secret of " + whose, read.error().detail,
                        "Put a secret of 64 random hexadecimal digits there with mode 600, for the node's user."));
  };
  for (const auto& client : c.clients)
    secret(client.id, client.secret_file);
  if (!c.agents_secret_file.empty())
    secret("the agents", c.agents_secret_file);
  return out;
}

std::vector<finding> check_store(const config& c, const actors::clock& clock) {
  const auto plan = persistence::plan_migration(c.store);
  if (!plan) {
    const bool newer = plan.error().code == "schema_newer";
    return {bad("store", plan.error().detail,
                newer ? "Install the program version that made the database, or a later one."
                      : "Start the database, or correct store.url.")};
  }
  std::vector<finding> out;
  const auto version = std::to_string(persistence::schema_version());
  if (plan->find("nothing to do") == std::string::npos) {
    out.push_back(odd("store", "It can be reached; its schema is not at version " + version + " yet.",
                      "serve brings it up to date at its start; see fondaco migrate --dry-run."));
  } else {
    out.push_back(good("store", "It can be reached, its schema is at version " + version + "."));
    out.push_back(check_vault(c));
  }
  out.push_back(check_clock(c, clock));
  return out;
}

std::vector<finding> check_listeners(const config& c) {
  const bool running = net::somebody_listens(c.listener("operator").bind);
  std::vector<finding> out;
  for (const auto& name : listeners_of(c)) {
    const auto& bind = c.listener(name).bind;
    const auto check = "listener " + name;
    switch (net::try_bind(bind)) {
    case net::bind_result::free: out.push_back(good(check, bind + " is free.")); break;
    case net::bind_result::taken:
      if (running)
        out.push_back(good(check, bind + " is in use, and this node is running."));
      else
        out.push_back(bad(check, bind + " is in use by another program.",
                          "Stop that program (ss -ltnp names it), or change listener." + name + ".bind."));
      break;
    case net::bind_result::no_such_address:
      out.push_back(bad(check, bind + " is no address of this machine.", "Correct listener." + name + ".bind."));
      break;
    case net::bind_result::not_allowed:
      out.push_back(bad(check, "This user may not listen on " + bind + ".",
                        "Use a port above 1023 and a folder that the node's user can write to, or run as that user."));
      break;
    case net::bind_result::malformed:
      out.push_back(bad(check, "'" + bind + "' is no ADDRESS:PORT and no unix:/path of at most 107 bytes.",
                        "Correct listener." + name + ".bind."));
    }
  }
  return out;
}

std::vector<finding> check_hosts(const config& c) {
  std::set<std::string> hosts;
  for (const auto* url : {&c.cell.protocol_url, &c.cell.signaling_url, &c.cell.public_url, &c.issuer})
    hosts.insert(host_of(*url));
  std::vector<finding> out;
  for (const auto& host : hosts) {
    const auto check = "host " + (host.empty() ? std::string("(none)") : host);
    const auto found = host.empty() ? net::resolved{} : net::resolve(host);
    if (found.addresses.empty())
      out.push_back(bad(check, "It has no address.",
                        "Add it to the DNS, or correct public.protocol_url, public.signaling_url, public.data_url "
                        "and auth.issuer, which are absolute URLs."));
    else if (found.any_private && !c.outbound.allow_private_addresses)
      out.push_back(odd(check,
                        "It is " + found.addresses +
                            ", which others than this network cannot reach, and which "
                            "the node's own agents may not call.",
                        "Give a public name, or set outbound.allow_private_addresses in a closed network."));
    else
      out.push_back(good(check, "It is " + found.addresses + "."));
  }
  return out;
}

std::vector<finding> check_tls(const config& c, const actors::clock& clock) {
  std::vector<finding> out;
  for (const auto& name : listeners_of(c)) {
    const auto& tls = c.listener(name).tls;
    if (tls.certificate_file.empty() && tls.key_file.empty())
      continue;
    const auto check = "tls " + name;
    check_certificate(out, check, tls.certificate_file, clock.now());
    if (out.back().state == finding_state::fail)
      continue;
    const auto host = host_of(public_url(c, name));
    if (!key_belongs(tls.certificate_file, tls.key_file))
      out.push_back(bad(check, "The key '" + tls.key_file + "' cannot be read, has a password, or is another's.",
                        "Put the certificate's own key there, readable for the node's user."));
    else if (!host.empty() && !certificate_names(tls.certificate_file, host))
      out.push_back(odd(check, "The certificate does not name " + host + ", under which others call this listener.",
                        "Get a certificate with this name, or let a proxy in front of the node have it."));
  }
  if (!c.outbound.ca_file.empty())
    check_certificate(out, "authorities", c.outbound.ca_file, clock.now());
  return out;
}

std::vector<finding> check_partners(const config& c) {
  std::vector<finding> out;
  if (c.broker == "nats") {
    if (const auto why = net::nats_greets(c.nats.url, limits::greeting_timeout); why.empty())
      out.push_back(good("broker", "A NATS server greets at " + net::without_credentials(c.nats.url) + "."));
    else
      out.push_back(bad("broker", why, "Start nats-server with JetStream (-js), or correct cfm.nats_url."));
  }
  for (const auto& issuer : c.trusted_issuers) {
    if (auto url = did::web_url(issuer.did, c.resolver.plain_http); url)
      out.push_back(good("issuer " + issuer.did, "Its document is expected at " + *url + "."));
    else
      out.push_back(bad("issuer " + issuer.did, url.error().detail, "Correct trusted_issuer.did."));
  }
  return out;
}

finding clock_finding(milliseconds apart) {
  const auto size = apart < milliseconds(0) ? -apart : apart;
  const auto text = "The database's clock is " + std::to_string(size.count()) + " ms " +
                    (apart < milliseconds(0) ? "behind" : "ahead of") + " this machine's.";
  const auto* sync = "Let both machines follow the same time servers (chrony or systemd-timesyncd).";
  if (size > limits::clock_skew_max)
    return bad("clock", text, sync);
  return size > limits::clock_skew_warn ? odd("clock", text, sync) : good("clock", text);
}

std::string findings_text(const std::vector<finding>& findings, bool json) {
  const bool ok = std::ranges::none_of(findings, [](const auto& f) { return f.state == finding_state::fail; });
  if (json) {
    json::array list;
    for (const auto& f : findings) {
      json::object one{{"check", f.check},
                       {"state", f.state == finding_state::fail ? "fail" : word_of(f.state)},
                       {"detail", f.detail}};
      if (!f.cure.empty())
        one["cure"] = f.cure;
      list.emplace_back(std::move(one));
    }
    return json::write(json::object{{"ok", ok}, {"checks", std::move(list)}}) + "\n";
  }
  std::string out;
  for (const auto& f : findings) {
    const std::string word = word_of(f.state);
    out += word + std::string(6 - word.size(), ' ') + f.check + ": " + f.detail + "\n";
    if (!f.cure.empty())
      out += "      -> " + f.cure + "\n";
  }
  return out;
}

int run_doctor(const std::string& config_file, bool json) {
  const actors::system_clock clock;
  std::vector<finding> all;
  const auto c = load_config(config_file);
  if (!c) {
    all.push_back(bad("config", c.error().detail, "Correct the file; fondaco config --example shows every key."));
  } else {
    all.push_back(good("config", "'" + config_file + "' holds a node " + c->name + " with " +
                                     std::to_string(c->roles.size()) + " role(s)."));
    for (auto some : {check_secrets(*c), check_store(*c, clock), check_listeners(*c), check_hosts(*c),
                      check_tls(*c, clock), check_partners(*c)})
      for (auto& f : some)
        all.push_back(std::move(f));
  }
  std::cout << findings_text(all, json);
  return std::ranges::any_of(all, [](const auto& f) { return f.state == finding_state::fail; }) ? 1 : 0;
}

} // namespace fondaco::tools
