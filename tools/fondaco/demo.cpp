#include "tools/fondaco/demo.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>

#include <poll.h>

#include "actors/ports/clock.hpp"
#include "gateway/api_client.hpp"
#include "protocols/base/digest.hpp"
#include "tools/fondaco/ctl.hpp"
#include "tools/fondaco/demo_http.hpp"
#include "tools/fondaco/demo_node.hpp"
#include "tools/fondaco/operator_client.hpp"

namespace fondaco::tools {

namespace {

using steady = std::chrono::steady_clock;

constexpr const char* context = "https://w3id.org/edc/connector/management/v2";
constexpr const char* profile = "closed";
constexpr const char* transfer_type = "HttpData-PULL";
constexpr auto step_within = std::chrono::seconds(60);

// A step that failed; ends the demo.
struct broken_step {
  std::string why;
};

// A participant context of the demo, on its node.
struct organisation {
  demo_node& node;
  std::string id;
  std::string identity;
  std::string attributes;
};

json::object typed(const char* type) {
  json::object o;
  o["@context"] = json::array{context};
  o["@type"] = type;
  return o;
}

bool is_url(const std::string& data) { return data.starts_with("http://") || data.starts_with("https://"); }

class demo {
public:
  explicit demo(const demo_options& o)
      : options_(o), provider_("provider", o.folder + "/provider", o.provider_store, file_roots(o)),
        consumer_("consumer", o.folder + "/consumer", o.consumer_store, {}) {}

  int run() {
    try {
      publish();
      share();
      refuse();
      table();
    } catch (const broken_step& b) {
      std::cerr << "fondaco demo: " << b.why << "\nlogs: " << provider_.log_file() << " " << consumer_.log_file()
                << "\n";
      return 1;
    }
    if (options_.json)
      std::cout << R"({"result":"ok"})" << std::endl;
    if (options_.keep)
      keep();
    return 0;
  }

private:
  static std::vector<std::string> file_roots(const demo_options& o) {
    if (is_url(o.data))
      return {};
    return {std::filesystem::absolute(o.folder).string() + "/files"};
  }

  // Runs one step and prints who did what, where it led, and how long it took.
  template <class F> void step(const std::string& name, const std::string& who, const std::string& what, F work) {
    auto begin = steady::now();
    std::string state = work();
    auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begin).count();
    if (options_.json) {
      json::object o;
      o["step"] = name;
      o["who"] = who;
      o["what"] = what;
      o["state"] = state;
      o["ms"] = ms;
      std::cout << json::write(o) << std::endl;
    } else {
      auto pad = [](std::string text, size_t width) {
        text.resize(std::max(width, text.size() + 1), ' ');
        return text;
      };
      std::cout << pad(who, 10) << pad(what, 58) << pad(state, 34) << ms << " ms" << std::endl;
    }
  }

  std::string token(demo_node& n) {
    auto& kept = tokens_[n.name()];
    if (kept.empty()) {
      auto answer = http_.send("POST", n.url("management") + "/oauth2/token", "",
                               "grant_type=client_credentials&client_id=admin&client_secret=" + n.admin_secret(),
                               "application/x-www-form-urlencoded");
      kept = json::string_at(answer.object(), "access_token").value_or("");
      if (kept.empty())
        throw broken_step{"node '" + n.name() + "' gave no token: " + std::to_string(answer.status) + " " +
                          answer.body};
    }
    return kept;
  }

  demo_answer call(demo_node& n, const std::string& method, const std::string& path, const json::object& body = {}) {
    auto answer = http_.send(method, n.url("management") + "/api/management/v5beta" + path, token(n),
                             body.empty() ? "" : json::write(body));
    if (answer.status < 200 || answer.status > 299)
      throw broken_step{method + " " + path + " on node '" + n.name() + "' was answered " +
                        std::to_string(answer.status) + ": " + answer.body};
    return answer;
  }

  std::string id_of(const demo_answer& a) { return std::string(json::string_at(a.object(), "@id").value_or("")); }

  // Asks until the answer is there, with a deadline.
  template <class F> std::string await(const std::string& what, F look) {
    auto end = steady::now() + step_within;
    std::string last;
    while (steady::now() < end) {
      auto [done, state] = look();
      if (done)
        return state;
      last = state;
      ::poll(nullptr, 0, 20);
    }
    throw broken_step{what + " was not reached in time; the last state was " + last};
  }

  void add_organisation(const organisation& o) {
    auto body = typed("ParticipantContext");
    body["@id"] = o.id;
    body["identity"] = o.identity;
    call(o.node, "POST", "/participants", body);
    auto join = typed("AssociateDataspaceProfile");
    join["profiles"] = json::array{profile};
    call(o.node, "PUT", "/participants/" + o.id + "/profiles", join);
  }

  // Each pair shares one token a direction; nobody else can use it.
  void introduce(const organisation& a, const organisation& b) {
    actors::system_random random;
    auto from_a = gateway::fresh_secret(random);
    auto from_b = gateway::fresh_secret(random);
    trust(a, b, from_b, from_a);
    trust(b, a, from_a, from_b);
  }

  void trust(const organisation& who, const organisation& whom, const std::string& accepts,
             const std::string& presents) {
    auto prefix = std::string("fondaco.dataspace.") + profile + ".counterparty." + whom.id;
    json::object entries;
    entries[prefix + ".id"] = whom.identity;
    entries[prefix + ".attributes"] = whom.attributes;
    json::object secrets;
    secrets[prefix + ".accepts"] = accepts;
    secrets[prefix + ".presents"] = presents;
    auto body = typed("ParticipantContextConfig");
    body["entries"] = std::move(entries);
    body["privateEntries"] = std::move(secrets);
    call(who.node, "PATCH", "/participants/" + who.id + "/config", body);
  }

  json::object permission(const char* operand, const char* value) {
    json::object constraint;
    constraint["leftOperand"] = operand;
    constraint["operator"] = "eq";
    constraint["rightOperand"] = value;
    json::object rule;
    rule["action"] = "use";
    rule["constraint"] = json::array{std::move(constraint)};
    json::object policy;
    policy["@type"] = "Set";
    policy["permission"] = json::array{std::move(rule)};
    return policy;
  }

  void add_policy(const char* id, const char* operand, const char* value) {
    auto body = typed("PolicyDefinition");
    body["@id"] = id;
    body["policy"] = permission(operand, value);
    call(provider_, "POST", "/participants/acme/policydefinitions", body);
  }

  // The provider's data plane serves files from the participant's own folder only.
  std::string shared_copy() {
    auto folder = std::filesystem::absolute(options_.folder) / "files" / acme_.id;
    std::filesystem::create_directories(folder);
    auto copy = folder / std::filesystem::path(options_.data).filename();
    std::filesystem::copy_file(options_.data, copy, std::filesystem::copy_options::overwrite_existing);
    return copy.string();
  }

  void publish() {
    for (auto* n : {&provider_, &consumer_})
      step("start", n->name(), "starts its node as a process of its own", [&] {
        auto started = n->start(options_.program);
        if (!started)
          throw broken_step{started.error()};
        return "READY (pid " + std::to_string(n->pid()) + ")";
      });
    step("onboard", "operator", "sets up acme, globex and umbrella, who trust in pairs", [&] {
      for (const auto* o : {&acme_, &globex_, &umbrella_})
        add_organisation(*o);
      introduce(acme_, globex_);
      introduce(acme_, umbrella_);
      return std::string("3 participant contexts");
    });
    step("dataplane", "acme", "registers its data plane", [&] {
      json::object body;
      body["dataplaneId"] = "acme-plane";
      body["endpoint"] = provider_.url("signaling") + "/api/dataplane/acme";
      body["transferTypes"] = json::array{transfer_type};
      call(provider_, "PUT", "/participants/acme/dataplanes", body);
      return std::string(transfer_type);
    });
    step("publish", "acme", "publishes the data with an access and a contract policy", [&] {
      auto asset = typed("Asset");
      asset["@id"] = "dataset-1";
      json::object properties;
      properties["name"] = std::filesystem::path(options_.data).filename().string();
      asset["properties"] = std::move(properties);
      json::object address;
      address["type"] = is_url(options_.data) ? "HttpData" : "File";
      address[is_url(options_.data) ? "baseUrl" : "path"] = is_url(options_.data) ? options_.data : shared_copy();
      asset["dataAddress"] = std::move(address);
      call(provider_, "POST", "/participants/acme/assets", asset);
      add_policy("members", "attribute.membership", "active");
      add_policy("europe", "attribute.region", "eu");
      auto definition = typed("ContractDefinition");
      definition["@id"] = "offer-1";
      definition["accessPolicyId"] = "members";
      definition["contractPolicyId"] = "europe";
      definition["assetsSelector"] = json::array{};
      call(provider_, "POST", "/participants/acme/contractdefinitions", definition);
      return std::string("dataset-1");
    });
  }

  std::string provider_dsp() { return provider_.url("protocol") + "/api/dsp/acme/" + profile; }

  json::object find_offer(const organisation& who) {
    json::object found;
    step("catalog", who.id, "asks acme for its catalog", [&] {
      auto body = typed("CatalogRequest");
      body["counterPartyAddress"] = provider_dsp();
      body["counterPartyId"] = acme_.identity;
      body["profile"] = profile;
      auto catalog = call(who.node, "POST", "/participants/" + who.id + "/catalog/request", body).object();
      if (const auto* datasets = json::array_at(catalog, "dataset"))
        for (const auto& d : *datasets)
          if (json::string_at(d.as_object(), "@id") == "dataset-1")
            if (const auto* offers = json::array_at(d.as_object(), "hasPolicy"); offers && !offers->empty())
              found = offers->front().as_object();
      if (found.empty())
        throw broken_step{"the catalog has no offer for dataset-1"};
      return std::string("1 offer");
    });
    return found;
  }

  std::string state_at(const organisation& who, const std::string& path) {
    auto answer = call(who.node, "GET", "/participants/" + who.id + path + "/state");
    return std::string(json::string_at(answer.object(), "state").value_or(""));
  }

  std::string negotiate(const organisation& who, json::object offer, const std::string& expected) {
    std::string id;
    step("negotiate", who.id, "negotiates a contract with acme over DSP", [&] {
      auto body = typed("ContractRequest");
      body["counterPartyAddress"] = provider_dsp();
      body["profile"] = profile;
      offer["@type"] = "Offer";
      offer["assigner"] = acme_.identity;
      offer["target"] = "dataset-1";
      body["policy"] = std::move(offer);
      id = id_of(call(who.node, "POST", "/participants/" + who.id + "/contractnegotiations", body));
      return await("the state " + expected, [&] {
        auto s = state_at(who, "/contractnegotiations/" + id);
        if (s == "TERMINATED" && expected != s)
          throw broken_step{"the negotiation ended: " + why(who.node, id)};
        return std::pair(s == expected, s);
      });
    });
    return id;
  }

  void share() {
    auto negotiation = negotiate(globex_, find_offer(globex_), "FINALIZED");
    std::string transfer;
    step("transfer", "globex", "starts a transfer under the agreement", [&] {
      auto agreement =
          call(consumer_, "GET", "/participants/globex/contractnegotiations/" + negotiation + "/agreement");
      auto body = typed("TransferRequest");
      body["counterPartyAddress"] = provider_dsp();
      body["profile"] = profile;
      body["contractId"] = id_of(agreement);
      body["transferType"] = transfer_type;
      transfer = id_of(call(consumer_, "POST", "/participants/globex/transferprocesses", body));
      return await("the state STARTED", [&] {
        auto s = state_at(globex_, "/transferprocesses/" + transfer);
        if (s == "TERMINATED")
          throw broken_step{"the transfer ended: " + why(consumer_, transfer)};
        return std::pair(s == "STARTED", s);
      });
    });
    std::string endpoint, access;
    step("edr", "globex", "gets the endpoint data reference", [&] {
      auto edr = call(consumer_, "GET", "/participants/globex/edrs/" + transfer + "/dataaddress").object();
      endpoint = json::string_at(edr, "endpoint").value_or("");
      access = json::string_at(edr, "authorization").value_or("");
      if (endpoint.empty() || access.empty())
        throw broken_step{"the data address has no endpoint or no token"};
      return std::string("a token for this flow");
    });
    demo_pull pulled;
    step("pull", "globex", "pulls the bytes through acme's data plane", [&] {
      pulled = http_.pull(endpoint, access);
      if (pulled.status != 200 || !pulled.error.empty())
        throw broken_step{"the pull was answered " + std::to_string(pulled.status) + " " + pulled.error};
      return std::to_string(pulled.bytes) + " bytes";
    });
    step("compare", "globex", "compares SHA-256 of what came with the source's", [&] {
      auto source = source_digest();
      if (source != pulled.sha256)
        throw broken_step{"SHA-256 differs: source " + source + ", pulled " + pulled.sha256};
      return source.substr(0, 24) + "... EQUAL";
    });
  }

  std::string source_digest() {
    if (is_url(options_.data))
      return http_.pull(options_.data, "").sha256;
    digest sum;
    std::FILE* f = std::fopen(options_.data.c_str(), "rb");
    if (!f)
      throw broken_step{"the file '" + options_.data + "' cannot be read"};
    std::string buffer(1u << 16, '\0');
    while (auto n = std::fread(buffer.data(), 1, buffer.size(), f))
      sum.add(std::string_view(buffer.data(), n));
    std::fclose(f);
    return sum.finish();
  }

  std::string why(demo_node& n, const std::string& id) {
    ctl_options o;
    o.at = n.socket();
    auto node = make_operator_client(o);
    auto answer = node ? (*node)->get("/operator/entities/" + id + "/why") : std::unexpected(node.error());
    if (!answer || answer->status != 200)
      return "";
    std::string out;
    for (const auto& e : demo_answer{answer->status, answer->body}.array())
      if (const auto* sentences = json::array_at(e.as_object(), "why"))
        for (const auto& s : *sentences)
          out += (out.empty() ? "" : " ") + std::string(s.as_string().c_str());
    return out;
  }

  void refuse() {
    auto id = negotiate(umbrella_, find_offer(umbrella_), "TERMINATED");
    step("why", "umbrella", "asks its node why", [&] {
      auto text = why(consumer_, id);
      if (text.find("region") == std::string::npos)
        throw broken_step{"why does not name the constraint: " + text};
      if (!options_.json)
        std::cout << "           " << text << "\n";
      return std::string("REFUSED");
    });
  }

  void table() {
    if (options_.json)
      return;
    for (auto* n : {&provider_, &consumer_}) {
      std::cout << "\nWhat exists on node " << n->name() << ":\n";
      ctl_options o;
      o.at = n->socket();
      run_ctl(o, "ps", {});
    }
  }

  void keep() {
    for (auto* n : {&provider_, &consumer_}) {
      std::cout << "\nNode " << n->name() << " stays up as process " << n->pid() << ":\n  " << options_.program
                << " ctl --at " << n->socket() << " ps|tree|watch|show ID|history ID|why ID\n  management API "
                << n->url("management") << ", DSP " << n->url("protocol") << ", metrics " << n->url("observability")
                << "/metrics\n  kill " << n->pid() << " ends it\n";
      n->let_go();
    }
  }

  demo_options options_;
  demo_node provider_;
  demo_node consumer_;
  organisation acme_{provider_, "acme", "did:web:acme.example", R"({"membership":"active","region":"eu"})"};
  organisation globex_{consumer_, "globex", "did:web:globex.example", R"({"membership":"active","region":"eu"})"};
  organisation umbrella_{consumer_, "umbrella", "did:web:umbrella.example", R"({"membership":"active","region":"us"})"};
  demo_http http_;
  std::map<std::string, std::string> tokens_;
};

} // namespace

int run_demo(const demo_options& options) {
  if (!is_url(options.data) && !std::filesystem::is_regular_file(options.data)) {
    std::cerr << "fondaco demo: '" << options.data << "' is neither a file nor an http(s) URL\n";
    return 2;
  }
  return demo(options).run();
}

} // namespace fondaco::tools
