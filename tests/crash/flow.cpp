#include "crash/flow.hpp"

#include "e2e/raw.hpp"
#include "e2e/text.hpp"

namespace fondaco::crash {

namespace {

namespace json = boost::json;
using e2e::answer;
using e2e::node;
using e2e::organisation;
using e2e::wait_for;

constexpr e2e::milliseconds step_within_ms{30'000};

class client {
public:
  client(load::tenants& market, std::string key)
      : market_(market), key_(std::move(key)), consumer_(market.consumers().at(0)), provider_(market.providers().at(0)),
        at_consumer_(consumer_.at), at_provider_(provider_.at) {}

  traces run() {
    auto request = counterparty("ContractRequest");
    request["policy"] = offer();
    const auto negotiation = begin("/contractnegotiations", request);
    const auto theirs = await_both("/contractnegotiations/", negotiation, "FINALIZED");
    auto wanted = counterparty("TransferRequest");
    wanted["contractId"] = member("/contractnegotiations/" + negotiation + "/agreement", "@id");
    wanted["transferType"] = e2e::transfer_type;
    const auto transfer = begin("/transferprocesses", wanted);
    const auto their_transfer = await_both("/transferprocesses/", transfer, "STARTED");
    pull(transfer);
    end(transfer);
    await_both("/transferprocesses/", transfer, "TERMINATED");
    traces out;
    for (const auto& id : {negotiation, transfer})
      keep("consumer", consumer_.at, id, out);
    for (const auto& id : {theirs, their_transfer})
      keep("provider", provider_.at, id, out);
    return out;
  }

private:
  json::object counterparty(const char* type) const {
    auto body = e2e::managed(type);
    body["counterPartyAddress"] = provider_.dsp();
    body["counterPartyId"] = provider_.identity;
    body["profile"] = e2e::profile;
    if (std::string_view(type) != "CatalogRequest")
      body.erase("counterPartyId");
    return body;
  }

  // The provider may be down when the consumer asks it: that answer is no offer.
  json::object offer() {
    return wait_for("an offer in the catalog", [&](std::string& saw) -> std::optional<json::object> {
      const auto got = at_consumer_.send("POST", consumer_.path("/catalog/request"), counterparty("CatalogRequest"));
      saw = std::to_string(got.status) + " " + got.body;
      if (got.status != 200)
        return std::nullopt;
      for (const auto& d : e2e::array_at(got.object(), "dataset")) {
        const auto offers = e2e::array_at(d.as_object(), "hasPolicy");
        if (e2e::text_at(d.as_object(), "@id") != load::offered_asset || offers.empty())
          continue;
        auto found = offers.front().as_object();
        found["@type"] = "Offer";
        found["assigner"] = provider_.identity;
        found["target"] = load::offered_asset;
        return found;
      }
      return std::nullopt;
    });
  }

  std::string begin(const std::string& collection, const json::object& body) {
    const auto got =
        at_consumer_.send("POST", consumer_.path(collection), body, {{"Idempotency-Key", key_ + collection}});
    e2e::check(got.status == 200,
               "POST " + collection + " was answered " + std::to_string(got.status) + " " + got.body);
    return e2e::text_at(got.object(), "@id");
  }

  std::string member(const std::string& path, const char* name) {
    const auto got = at_consumer_.send("GET", consumer_.path(path));
    e2e::check(got.status == 200, "GET " + path + " was answered " + std::to_string(got.status) + " " + got.body);
    return e2e::text_at(got.object(), name);
  }

  void await(load::insistent& at, const organisation& who, const std::string& path, const std::string& state) {
    wait_for(
        who.id + path + " to be " + state,
        [&](std::string& saw) -> std::optional<bool> {
          const auto got = at.send("GET", who.path(path) + "/state");
          saw = got.body;
          return got.status == 200 && e2e::text_at(got.object(), "state") == state ? std::optional(true) : std::nullopt;
        },
        step_within_ms);
  }

  /// Gives the provider's id of it.
  std::string await_both(const std::string& collection, const std::string& id, const std::string& state) {
    await(at_consumer_, consumer_, collection + id, state);
    const auto theirs = member(collection + id, "correlationId");
    await(at_provider_, provider_, collection + theirs, state);
    return theirs;
  }

  void pull(const std::string& transfer) {
    const auto path = "/edrs/" + transfer + "/dataaddress";
    wait_for("the whole file", [&](std::string& saw) -> std::optional<bool> {
      const auto got = at_consumer_.send("GET", consumer_.path(path));
      saw = got.body;
      if (got.status != 200)
        return std::nullopt;
      try {
        e2e::running_pull pulling(e2e::text_at(got.object(), "endpoint"), e2e::text_at(got.object(), "authorization"));
        saw = "status " + std::to_string(pulling.status());
        if (pulling.status() != 200 || !pulling.finish())
          return std::nullopt;
        e2e::check_equal("the SHA-256 of what was pulled", pulling.digest(), market_.digest());
        return true;
      } catch (const e2e::failed& f) {
        saw = f.what(); // whoever served it was killed
        return std::nullopt;
      }
    });
  }

  // Asked again when the answer was lost, it may have ended already.
  void end(const std::string& transfer) {
    auto body = e2e::managed("TerminateTransfer");
    body["reason"] = "all was had";
    const auto path = "/transferprocesses/" + transfer;
    const auto got = at_consumer_.send("POST", consumer_.path(path + "/terminate"), body);
    e2e::check(got.status < 300 || got.status == 409,
               "the end of a transfer was answered " + std::to_string(got.status) + " " + got.body);
  }

  // The last events come after the states: a delivery is noted when its answer is there.
  static void keep(const std::string& side, const node& at, const std::string& id, traces& into) {
    std::string before;
    const auto found = wait_for("the history of " + id + " to rest", [&](std::string& saw) -> std::optional<traces> {
      const auto told = at.ctl({"--json", "history", id});
      const auto shown = at.ctl({"--json", "show", id});
      saw = told.out + told.err;
      const auto now = told.out + waiting_of(shown.out);
      if (told.code != 0 || shown.code != 0 || std::exchange(before, now) != now ||
          shown.out.find(R"("waiting_on":"")") == std::string::npos)
        return std::nullopt;
      return traces_of(side, told.out);
    });
    into.insert(found.begin(), found.end());
  }

  static std::string waiting_of(const std::string& shown) {
    const auto at = shown.find("\"waiting_on\"");
    return at == std::string::npos ? std::string() : shown.substr(at);
  }

  static traces traces_of(const std::string& side, const std::string& text) {
    traces out;
    const auto all = json::parse(text);
    for (const auto& entity : all.as_array()) {
      std::string line;
      for (const auto& e : e2e::array_at(entity.as_object(), "events")) {
        const auto type = e2e::text_at(e.as_object(), "type");
        const bool caused = !e2e::text_at(e.as_object(), "cause").empty();
        if (!caused || !type.ends_with(".send_failed")) // an attempt while the other side was down
          line += " " + type + (caused ? "*" : "");
      }
      out[side + "'s " + e2e::text_at(entity.as_object(), "kind")] = line;
    }
    return out;
  }

  load::tenants& market_;
  std::string key_;
  const organisation& consumer_;
  const organisation& provider_;
  load::insistent at_consumer_;
  load::insistent at_provider_;
};

} // namespace

traces run_flow(load::tenants& market, const std::string& key) { return client(market, key).run(); }

} // namespace fondaco::crash
