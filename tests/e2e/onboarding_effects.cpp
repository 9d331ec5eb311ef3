// Each effect once: what the journal, the stores and the APIs say of tenants that were onboarded.

#include "e2e/api.hpp"
#include "e2e/onboarding_audit.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* issuer_api = "/api/issuer/v1beta/participants/issuer";

const std::set<std::string> deploying{"context", "connector", "identity", "registration", "dataplane", "credentials"};
const std::set<std::string> disposing{"revocation", "deregistration", "connector-end", "identity-end"};

json::object parsed(const std::string& text) {
  auto v = json::parse(text);
  check(v.is_object(), "a row is no JSON object: " + text);
  return std::move(v.get_object());
}

using counts = std::map<std::string, size_t>;

/// Fails unless these are the keys, each counted once.
void check_each_once(const std::string& what, const counts& got, const std::set<std::string>& expected) {
  std::string wrong;
  for (const auto& [key, count] : got)
    if (count != 1 || !expected.contains(key))
      wrong += " " + key + " " + std::to_string(count) + " times;";
  for (const auto& key : expected)
    if (!got.contains(key))
      wrong += " no " + key + ";";
  check(wrong.empty(), what + " has" + wrong);
}

std::set<std::string> all_of(const std::vector<tenancy>& all, std::string tenancy::* member) {
  std::set<std::string> out;
  for (const auto& t : all)
    out.insert(t.*member);
  check_equal("how many of the tenants differ", out.size(), all.size());
  return out;
}

/// Each participant's documents in the store of a node.
void check_documents(const node& n, store_kind kind, const std::set<std::string>& contexts,
                     const std::set<std::string>& expected) {
  std::map<std::string, counts> got;
  for (const auto& c : contexts)
    got[c];
  for (const auto& row : select(n, kind, "select tenant, kind, count(*) from document group by tenant, kind"))
    if (contexts.contains(row.at(0)))
      got[row.at(0)][row.at(1)] = std::stoul(row.at(2));
  for (const auto& [context, documents] : got)
    check_each_once("the participant context " + context + " in the store of " + n.name(), documents, expected);
}

/// How often an event of a type happened to each entity of a kind, by its id.
counts events_of(const node& n, store_kind kind, const std::string& entities, const std::string& type) {
  counts out;
  for (const auto& row : select(n, kind,
                                "select t.id, count(j.seq) from entity t left join journal j on j.entity = t.key and "
                                "j.type = '" +
                                    type + "' where t.kind = '" + entities + "' group by t.id"))
    out[row.at(0)] = std::stoul(row.at(1));
  return out;
}

void check_events(const node& n, store_kind kind, const std::string& entities, const std::string& type, size_t each) {
  for (const auto& [id, count] : events_of(n, kind, entities, type))
    check_equal("how often " + type + " happened to " + id, count, each);
}

} // namespace

void check_activities(fabric& f, store_kind kind, const std::vector<tenancy>& all, size_t orchestrations) {
  std::map<std::string, counts> ends, types;
  for (const auto& row : select(f.cfm(), kind,
                                "select t.id, j.type, {payload} from entity t join journal j on j.entity = t.key where "
                                "t.kind = 'orchestration' and j.type <> 'orchestration.handed_over' and j.type <> "
                                "'orchestration.put_off'")) {
    const auto event = parsed(row.at(2));
    if (row.at(1) == "orchestration.started")
      ++types[text_at(event, "correlation_id")][text_at(event, "type")], ends[row.at(0)];
    else if (row.at(1) == "orchestration.completed")
      ++ends[row.at(0)][text_at(event, "activity_id")];
    else if (row.at(1) == "orchestration.reported")
      check_equal("what " + row.at(0) + " told", text_at(event, "message"), "response");
    else
      throw failed("the orchestration " + row.at(0) + " has a " + row.at(1) + ": " + row.at(2));
  }
  std::set<std::string> wanted{"cfm.orchestration.vpa.deploy"};
  if (orchestrations == 2)
    wanted.insert("cfm.orchestration.vpa.dispose");
  for (const auto& profile : all_of(all, &tenancy::profile))
    check_each_once("the profile " + profile, types[profile], wanted);
  check_equal("the number of orchestrations", ends.size(), all.size() * orchestrations);
  for (const auto& [id, activities] : ends)
    check_each_once("the orchestration " + id, activities, activities.contains("context") ? deploying : disposing);
  check_events(f.cfm(), kind, "orchestration", "orchestration.reported", 1);
  check_events(f.cfm(), kind, "participant_profile", "participant_profile.ended", orchestrations);
}

void check_things(fabric& f, store_kind kind, const std::vector<tenancy>& present) {
  const auto contexts = all_of(present, &tenancy::context);
  check_documents(f.control(), kind, contexts, {"participant_context", "participant_config", "data_plane"});
  check_documents(f.credentials(), kind, contexts,
                  {"identity_context", "did_document", "key_pair", "sts_account", "verifiable_credential"});
  check_events(f.credentials(), kind, "credential_request", "credential_request.issued", 1);
}

void check_issued(fabric& f, store_kind kind, const std::vector<tenancy>& ever) {
  std::set<std::string> dids, places;
  for (const auto& t : ever)
    dids.insert(f.did(t.name));
  counts holders;
  for (const auto& row :
       select(f.credentials(), kind, "select {body} from document t where t.kind = 'issued_credential'")) {
    const auto body = parsed(row.at(0));
    const auto holder = text_at(body, "holderId");
    ++holders[holder];
    const auto given = array_at(body, "statusPlaces");
    check_equal("the number of places in the status list that " + holder + " has", given.size(), size_t{1});
    check(places.insert(json::serialize(given.front())).second,
          "the place " + json::serialize(given.front()) + " of the status list was given twice");
  }
  check_each_once("the issuer's register", holders, dids);
  const auto lists = select(f.credentials(), kind, "select t.view from entity t where t.kind = 'status_list'");
  check_equal("the number of status lists", lists.size(), size_t{1});
  const auto view = parsed(lists.front().front());
  check_equal("the places that the status list gave away", view.at("allocated").as_int64(),
              static_cast<int64_t>(ever.size()));
  check_events(f.credentials(), kind, "issuance", "issuance.credentials_made", 1);
  check_events(f.credentials(), kind, "issuance", "issuance.delivered", 1);
}

void check_revoked(fabric& f, store_kind kind) {
  check_events(f.credentials(), kind, "issuance", "issuance.credential_revoked", 1);
}

void check_apis(fabric& f, const std::vector<tenancy>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& t = all[i];
    auto& credentials = f.at(f.credentials());
    const auto identity = "/api/identity/v1beta/participants/" + t.context;
    const auto size_of = [](const json::value& v) { return v.is_array() ? v.get_array().size() : size_t{0}; };
    check_equal(t.name + "'s keys", size_of(credentials.call("GET", identity + "/keypairs")), size_t{1});
    check_equal(t.name + "'s credentials", size_of(credentials.call("GET", identity + "/credentials")), size_t{1});
    json::object query;
    query["filterExpression"] =
        json::array{json::object{{"operandLeft", "holderId"}, {"operator", "="}, {"operandRight", f.did(t.name)}}};
    check_equal("what the issuer gave to " + t.name,
                size_of(credentials.call("POST", std::string(issuer_api) + "/credentials/query", query)), size_t{1});
    const json::object predicate{{"predicate", "correlationId = '" + t.profile + "'"}};
    check_equal(t.name + "'s orchestrations",
                size_of(f.at(f.cfm()).call("POST", "/api/v1alpha1/orchestrations/query", predicate)), size_t{1});
    const auto document = send("GET", f.credentials().url("protocol") + "/" + t.name + "/did.json", {});
    check_equal("the status of " + t.name + "'s DID document", document.status, 200);
    check_equal("the keys in " + t.name + "'s DID document", array_at(document.object(), "verificationMethod").size(),
                size_t{1});
    // Its account at the STS, its key, its credential and its neighbour's endpoint have to be in order for this.
    (void)f.find_offer(t, all[(i + 1) % all.size()], "nothing");
  }
}

void check_apis_forgot(fabric& f, const std::vector<tenancy>& all) {
  for (const auto& t : all) {
    const auto context = f.at(f.control()).send("GET", "/api/management/v5beta/participants/" + t.context);
    check_equal("the status of " + t.name + "'s participant context", context.status, 404);
    const auto identity = f.at(f.credentials()).send("GET", "/api/identity/v1beta/participants/" + t.context);
    check_equal("the status of " + t.name + "'s identity", identity.status, 404);
    const auto document = send("GET", f.credentials().url("protocol") + "/" + t.name + "/did.json", {});
    check_equal("the status of " + t.name + "'s DID document", document.status, 404);
  }
}

} // namespace fondaco::e2e
