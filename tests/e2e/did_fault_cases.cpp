// Hosts of DID documents that do harm: the caller is refused within the limits, the log says why, and the node goes on.

#include <future>
#include <sstream>

#include "e2e/fault_bed.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr size_t huge_bytes = 10u << 20;
constexpr int huge_count = 8;
/// What a node may grow by while so many huge documents are thrown at it: far less than they are.
constexpr int64_t growth_kb_max = 32 << 10;
/// The nodes wait a second for a DID's host.
constexpr milliseconds refusal_within{4'000};

int64_t resident_kb(const node& n) {
  std::istringstream status(read_file("/proc/" + std::to_string(n.pid()) + "/status"));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoll(line.substr(line.find_first_of("0123456789")));
  throw failed("the kernel does not tell the memory of node " + n.name());
}

/// The log line of the request that was refused, which has to say why.
void check_logged(const node& n, const traced_answer& a, const std::string& reason) {
  std::istringstream lines(n.log());
  std::string about;
  for (std::string line; std::getline(lines, line);)
    if (line.find(a.trace_id) != std::string::npos)
      about += line + "\n";
  check(about.find(reason) != std::string::npos, "the log does not say '" + reason + "', but: " + about);
}

void check_refused(const node& n, const traced_answer& a, int status, const std::string& reason) {
  check_dsp_error("a request by '" + reason + "'", a.got, status, "CatalogError");
  check(a.reasons().find(reason) != std::string::npos, "the refusal does not say '" + reason + "': " + a.got.body);
  check_logged(n, a, reason);
}

void check_served(const traced_answer& a) {
  check(a.got.status == 200 && a.got.body.find("cargo") != std::string::npos,
        "a good counterparty's catalog is " + std::to_string(a.got.status) + " " + a.got.body);
}

std::string health(const node& n) {
  return std::to_string(send("GET", n.url("observability") + "/api/check/liveness", {}).status);
}

struct host {
  fabric& f;
  counterparty& other;
  std::string dsp;
  std::string audience;
  traced_answer ask(const std::string& did = {}) { return ask_catalog(dsp, other.token(audience, did)); }
};

host host_of(bed& b, fault_bed& all) {
  auto& f = all.whole(b);
  all.other().present();
  return {f, all.other(), f.dsp(all.harbour()), f.did("harbour")};
}

void run_hanging(bed& b, fault_bed& all) {
  auto h = host_of(b, all);
  const auto did = h.other.did_at("hangs");
  gate held;
  h.other.behave_at("hangs", [&held, &h, did](const delivery&) {
    held.pass();
    return json_reply(200, h.other.document_as(did));
  });
  const auto begin = steady::now();
  auto slow = std::async(std::launch::async, [&] { return h.ask(did); });
  h.other.host().await("/hangs/did.json");
  const auto good = h.ask();
  const bool meanwhile = slow.wait_for(milliseconds(0)) == std::future_status::timeout;
  const auto refused = slow.get();
  const auto took = steady::now() - begin;
  held.open();
  check_served(good);
  check(meanwhile, "nobody else was served before the host that hangs was given up");
  check(took < refusal_within, "the host that hangs was waited for too long");
  check_refused(h.f.control(), refused, 503, "The DID document of " + did + " was not had: no answer within 1000 ms");
  // The same caller is let in as soon as its host answers.
  wait_for("the caller to be served when its host answers", [&](std::string& saw) -> std::optional<bool> {
    const auto a = h.ask(did);
    saw = a.got.body;
    // Its credentials are the holder's, whom its new DID is not: so far it comes, and no further.
    return a.got.status == 401 && a.reasons().find("the caller is " + did) != std::string::npos ? std::optional(true)
                                                                                                : std::nullopt;
  });
}

void run_redirecting(bed& b, fault_bed& all) {
  auto h = host_of(b, all);
  const auto did = h.other.did_at("redirects");
  peer hidden;
  hidden.behave([&h, did](const delivery&) { return json_reply(200, h.other.document_as(did)); });
  h.other.behave_at("redirects", [&hidden](const delivery&) -> http::reply {
    return {302, "", {{"Location", hidden.root() + "/redirects/did.json"}}, false};
  });
  check_refused(h.f.control(), h.ask(did), 401, "its host answered 302, and redirects are not followed");
  check(hidden.seen().empty(), "the redirect was followed");
  check_served(h.ask());
}

void run_huge(bed& b, fault_bed& all) {
  auto h = host_of(b, all);
  const auto huge_at = [&](const std::string& name) {
    const auto did = h.other.did_at(name);
    h.other.behave_at(name, [&h, did](const delivery&) {
      auto document = h.other.document_as(did);
      document["padding"] = std::string(huge_bytes, ' ');
      return json_reply(200, document);
    });
    return did;
  };
  check_served(h.ask());
  const auto before = resident_kb(h.f.control());
  for (int i = 0; i < huge_count; ++i)
    check_refused(h.f.control(), h.ask(huge_at("huge-" + std::to_string(i))), 401,
                  "the document has more than 65536 bytes");
  const auto grown = resident_kb(h.f.control()) - before;
  check(grown < growth_kb_max, "the node grew by " + std::to_string(grown) + " kB");
  check_equal("the node's liveness", health(h.f.control()), std::string("200"));
  check_served(h.ask());
}

/// A node that may not reach private addresses, with one participant.
void run_private(bed& b, fault_bed& all) {
  auto h = host_of(b, all);
  node_options o;
  o.name = "guarded";
  o.kind = b.kind();
  o.roles = R"(["control-plane"])";
  o.profiles = "[[dataspace_profile]]\nname = \"dataspace\"\nidentity = \"dcp\"\n"
               "scopes = [\"org.eclipse.dspace.dcp.vc.type:MembershipCredential:read\"]\n";
  node guarded(o, b.fresh_folder());
  write_private(guarded.config_file(), replaced(read_file(guarded.config_file()), "allow_private_addresses = true",
                                                "allow_private_addresses = false"));
  guarded.configure("[identity]\ndid_web_http = true\n");
  guarded.start();
  management m(guarded);
  auto body = managed("ParticipantContext");
  body["@id"] = "keep";
  body["identity"] = "did:web:keep.example";
  m.call("POST", "/participants", body);
  auto join = managed("AssociateDataspaceProfile");
  join["profiles"] = json::array{"dataspace"};
  m.call("PUT", "/participants/keep/profiles", join);
  const auto dsp = guarded.url("protocol") + "/api/dsp/keep/dataspace";
  const auto asked = h.other.host().seen().size();
  const auto port = h.other.holder.did.substr(h.other.holder.did.find("%3A"));
  // Written as a number and as a name that only means a private address.
  for (const auto& did : {h.other.holder.did, "did:web:localhost" + port})
    check_refused(guarded, ask_catalog(dsp, h.other.token("did:web:keep.example", did)), 401,
                  "The DID document of " + did + " was not had: the address is not allowed");
  check_equal("what came to the private address", h.other.host().seen().size(), asked);
  check_served(h.ask());
}

} // namespace

cases did_fault_cases(const std::shared_ptr<fault_bed>& shared) {
  return {{"a DID's host that hangs is given up in time, others are served meanwhile, and its caller later",
           [shared](bed& b) { run_hanging(b, *shared); }},
          {"a redirect of a DID's host is not followed, whatever it leads to",
           [shared](bed& b) { run_redirecting(b, *shared); }},
          {"a DID document of 10 MB is not read to its end, and the node does not grow",
           [shared](bed& b) { run_huge(b, *shared); }},
          {"a DID at a private address is refused and not looked at, unless the operator allows it",
           [shared](bed& b) { run_private(b, *shared); }}};
}

} // namespace fondaco::e2e
