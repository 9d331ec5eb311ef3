#include "load/workload.hpp"

#include <poll.h>

#include "e2e/raw.hpp"

namespace fondaco::load {

namespace {

using e2e::answer;
using e2e::organisation;
namespace json = boost::json;

/// A process is left to itself after so long: the ledger looks at it again at the end.
constexpr e2e::milliseconds patience_ms{30'000};
/// The assets that a worker keeps at most.
constexpr size_t own_assets_max = 20;

/// One worker's work: a consumer, any provider.
class worker {
public:
  worker(tenants& t, ledger& l, tally& done, size_t number, uint64_t seed)
      : tenants_(t), ledger_(l), done_(done), number_(number), random_(seed), at_consumer_(t.consumer_node()),
        at_provider_(t.provider_node()), consumer_(t.consumers()[number % pairs]) {}

  void once() {
    const auto& provider = tenants_.providers()[random_() % pairs];
    switch (random_() % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: return negotiate(provider);
    case 6:
    case 7:
    case 8:
    case 9: return catalog(provider, nullptr);
    case 10:
    case 11:
    case 12: return write_asset(provider);
    default: return read_lists(provider);
    }
  }

private:
  bool taken(const answer& a) {
    const bool good = a.status >= 200 && a.status < 300;
    if (!good)
      ++done_.refusals;
    return good;
  }

  void catalog(const organisation& provider, json::object* offer) {
    auto body = e2e::managed("CatalogRequest");
    body["counterPartyAddress"] = provider.dsp();
    body["counterPartyId"] = provider.identity;
    body["profile"] = e2e::profile;
    const auto got = at_consumer_.send("POST", consumer_.path("/catalog/request"), body);
    ++done_.catalogs;
    if (!taken(got) || !offer)
      return;
    for (const auto& d : e2e::array_at(got.object(), "dataset")) {
      const auto offers = e2e::array_at(d.as_object(), "hasPolicy");
      if (e2e::text_at(d.as_object(), "@id") != offered_asset || offers.empty())
        continue;
      *offer = offers.front().as_object();
      (*offer)["@type"] = "Offer";
      (*offer)["assigner"] = provider.identity;
      (*offer)["target"] = offered_asset;
    }
  }

  /// The state that a process comes to, or the one that it is in when patience ends.
  std::string come_to(const std::string& path, std::initializer_list<const char*> ends) {
    const auto deadline = e2e::steady::now() + patience_ms;
    for (;;) {
      const auto got = at_consumer_.send("GET", consumer_.path(path) + "/state");
      const auto state = got.status == 200 ? e2e::text_at(got.object(), "state") : std::string();
      for (const auto* end : ends)
        if (state == end)
          return state;
      if (e2e::steady::now() > deadline)
        return state;
      ::poll(nullptr, 0, e2e::look_again_ms);
    }
  }

  std::string begin(const std::string& collection, const json::object& body) {
    const auto got = at_consumer_.send("POST", consumer_.path(collection), body);
    if (!taken(got))
      return {};
    auto path = collection + "/" + e2e::text_at(got.object(), "@id");
    ledger_.began(consumer_, path);
    return path;
  }

  void negotiate(const organisation& provider) {
    json::object offer;
    catalog(provider, &offer);
    if (offer.empty())
      return;
    auto body = e2e::managed("ContractRequest");
    body["counterPartyAddress"] = provider.dsp();
    body["profile"] = e2e::profile;
    body["policy"] = std::move(offer);
    const auto path = begin("/contractnegotiations", body);
    if (path.empty())
      return;
    ++done_.negotiations;
    if (come_to(path, {"FINALIZED", "TERMINATED"}) != "FINALIZED" || random_() % 2 == 0)
      return;
    const auto agreement = at_consumer_.send("GET", consumer_.path(path) + "/agreement");
    if (taken(agreement))
      transfer(provider, e2e::text_at(agreement.object(), "@id"));
  }

  void transfer(const organisation& provider, const std::string& agreement) {
    auto body = e2e::managed("TransferRequest");
    body["counterPartyAddress"] = provider.dsp();
    body["profile"] = e2e::profile;
    body["contractId"] = agreement;
    body["transferType"] = e2e::transfer_type;
    const auto path = begin("/transferprocesses", body);
    if (path.empty())
      return;
    ++done_.transfers;
    if (come_to(path, {"STARTED", "TERMINATED"}) == "STARTED")
      pull(path.substr(path.rfind('/') + 1));
    auto end = e2e::managed("TerminateTransfer");
    end["reason"] = "all was had";
    taken(at_consumer_.send("POST", consumer_.path(path) + "/terminate", end));
  }

  void pull(const std::string& transfer) {
    const auto edr = at_consumer_.send("GET", consumer_.path("/edrs/" + transfer + "/dataaddress"));
    if (!taken(edr))
      return;
    ++done_.pulls;
    try {
      e2e::running_pull pulling(e2e::text_at(edr.object(), "endpoint"), e2e::text_at(edr.object(), "authorization"));
      const bool whole = pulling.status() == 200 && pulling.finish();
      if (!whole)
        ++done_.pulls_broken;
      else
        e2e::check_equal("the SHA-256 of what was pulled", pulling.digest(), tenants_.digest());
    } catch (const e2e::failed& f) {
      // The node that served it was killed; whoever pulls begins again.
      ++done_.pulls_broken;
      if (std::string(f.what()).find("SHA-256") != std::string::npos)
        throw;
    }
  }

  void write_asset(const organisation& provider) {
    ++done_.documents;
    if (assets_.size() >= own_assets_max) {
      const auto [who, path] = assets_.front();
      assets_.erase(assets_.begin());
      const auto status = at_provider_.send("DELETE", who->path(path)).status;
      // An answer that was lost had its effect: then it is gone already.
      e2e::check((status >= 200 && status < 300) || status == 404,
                 "the removal of " + who->id + path + " was answered " + std::to_string(status));
      return ledger_.removed(*who, path);
    }
    const auto id = "load-" + std::to_string(number_) + "-" + std::to_string(++written_);
    auto body = e2e::managed("Asset");
    body["@id"] = id;
    body["properties"] = json::object{{"name", id}};
    body["dataAddress"] = e2e::file_address("/nowhere");
    const auto status = at_provider_.send("POST", provider.path("/assets"), body).status;
    e2e::check((status >= 200 && status < 300) || status == 409,
               "the creation of " + provider.id + "'s " + id + " was answered " + std::to_string(status));
    assets_.emplace_back(&provider, "/assets/" + id);
    ledger_.created(provider, "/assets/" + id);
  }

  void read_lists(const organisation& provider) {
    ++done_.lists;
    auto query = e2e::managed("QuerySpec");
    query["limit"] = 20;
    taken(at_consumer_.send("POST", consumer_.path("/contractnegotiations/request"), query));
    taken(at_provider_.send("POST", provider.path("/assets/request"), query));
  }

  tenants& tenants_;
  ledger& ledger_;
  tally& done_;
  size_t number_;
  std::mt19937_64 random_;
  insistent at_consumer_;
  insistent at_provider_;
  const organisation& consumer_;
  std::vector<std::pair<const organisation*, std::string>> assets_;
  uint64_t written_ = 0;
};

} // namespace

workload::workload(tenants& t, ledger& l, uint64_t seed, size_t workers, double per_second)
    : tenants_(t), ledger_(l), pace_(static_cast<int64_t>(1000 * static_cast<double>(workers) / per_second)),
      failures_(workers) {
  for (size_t w = 0; w < workers; ++w)
    threads_.emplace_back([this, w, seed] { run(w, seed + w); });
}

void workload::run(size_t number, uint64_t seed) {
  try {
    worker mine(tenants_, ledger_, tally_, number, seed);
    for (auto next = e2e::steady::now(); !over_; next += pace_) {
      const auto left = std::chrono::duration_cast<e2e::milliseconds>(next - e2e::steady::now());
      if (left.count() > 0)
        ::poll(nullptr, 0, static_cast<int>(left.count()));
      else
        next = e2e::steady::now(); // what was missed is not caught up with
      mine.once();
    }
  } catch (...) {
    failures_[number] = std::current_exception();
  }
}

workload::~workload() {
  over_ = true;
  for (auto& t : threads_)
    if (t.joinable())
      t.join();
}

void workload::finish() {
  over_ = true;
  for (auto& t : threads_)
    t.join();
  for (const auto& f : failures_)
    if (f)
      std::rethrow_exception(f);
}

} // namespace fondaco::load
