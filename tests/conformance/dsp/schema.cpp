#include "conformance/dsp/schema.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <regex>

#include "conformance/dsp/messages.hpp"

namespace fondaco::conformance::dsp {

namespace {

/// Collects sentences while it walks down a body; `at` is the path of the value in hand.
class checker {
public:
  std::vector<std::string> found;

  void add(const std::string& at, const std::string& what) { found.push_back((at.empty() ? "body" : at) + " " + what); }

  const json::object* object(const json::value& v, const std::string& at) {
    if (!v.is_object()) {
      add(at, "must be an object");
      return nullptr;
    }
    return &v.get_object();
  }

  const json::value* member(const json::object& o, const std::string& at, std::string_view key, bool required) {
    const auto* v = o.if_contains(key);
    if (v == nullptr && required) {
      add(at, "lacks " + std::string(key));
    }
    return v;
  }

  void string(const json::object& o, const std::string& at, std::string_view key, bool required = true) {
    if (const auto* v = member(o, at, key, required); v != nullptr && !v->is_string()) {
      add(at + "/" + std::string(key), "must be a string");
    }
  }

  void one_of(const json::object& o, const std::string& at, std::string_view key,
              std::initializer_list<std::string_view> allowed, bool required = true) {
    const auto* v = member(o, at, key, required);
    if (v != nullptr && (!v->is_string() || std::ranges::find(allowed, v->get_string()) == allowed.end())) {
      std::string list;
      for (auto a : allowed) {
        list += (list.empty() ? "" : ", ") + std::string(a);
      }
      add(at + "/" + std::string(key), "must be one of " + list);
    }
  }

  void list(const json::object& o, const std::string& at, std::string_view key, size_t items_min, bool required,
            const std::function<void(const json::value&, const std::string&)>& each) {
    const auto* v = member(o, at, key, required);
    if (v == nullptr) {
      return;
    }
    auto path = at + "/" + std::string(key);
    if (!v->is_array()) {
      return add(path, "must be an array");
    }
    if (v->get_array().size() < items_min) {
      add(path, "must have at least " + std::to_string(items_min) + " item");
    }
    for (size_t i = 0; i < v->get_array().size(); ++i) {
      each(v->get_array()[i], path + "/" + std::to_string(i));
    }
  }

  void context(const json::object& o) {
    bool seen = false;
    list(o, "", "@context", 0, true, [&](const json::value& v, const std::string& at) {
      if (!v.is_string()) {
        add(at, "must be a string");
      }
      seen = seen || (v.is_string() && v.get_string() == context_url);
    });
    if (const auto* c = o.if_contains("@context"); c != nullptr && c->is_array() && !seen) {
      add("/@context", "must contain " + std::string(context_url));
    }
  }

  void constraint(const json::value& v, const std::string& at) {
    const auto* o = object(v, at);
    if (o == nullptr) {
      return;
    }
    size_t logical = 0;
    for (std::string_view key : {"and", "andSequence", "or", "xone"}) {
      logical += o->contains(key) ? 1 : 0;
      list(*o, at, key, 0, false, [this](const json::value& c, const std::string& p) { constraint(c, p); });
    }
    bool atomic = o->contains("leftOperand") && o->contains("operator") && o->contains("rightOperand");
    if ((logical == 1) == atomic) {
      return add(at, "must be an atomic constraint or have exactly one of and, andSequence, or, xone");
    }
    if (atomic) {
      string(*o, at, "leftOperand");
      one_of(*o, at, "operator",
             {"eq", "gt", "gteq", "lteq", "hasPart", "isA", "isAllOf", "isAnyOf", "isNoneOf", "isPartOf", "lt",
              "term-lteq", "neq"});
      const auto& right = o->at("rightOperand");
      if (!right.is_string() && !right.is_object() && !right.is_array()) {
        add(at + "/rightOperand", "must be a string, an object or an array");
      }
    }
  }

  void rule(const json::value& v, const std::string& at) {
    if (const auto* o = object(v, at)) {
      string(*o, at, "action");
      list(*o, at, "constraint", 0, false, [this](const json::value& c, const std::string& p) { constraint(c, p); });
      list(*o, at, "duty", 0, false, [this](const json::value& d, const std::string& p) { rule(d, p); });
    }
  }

  void policy(const json::object& o, const std::string& at) {
    string(o, at, "@id");
    for (std::string_view key : {"permission", "prohibition", "obligation"}) {
      list(o, at, key, 1, false, [this](const json::value& r, const std::string& p) { rule(r, p); });
    }
    if (!o.contains("permission") && !o.contains("prohibition")) {
      add(at, "must have permission or prohibition");
    }
    const auto* profile = o.if_contains("profile");
    bool strings = profile != nullptr && profile->is_array() &&
                   std::ranges::all_of(profile->get_array(), [](const json::value& p) { return p.is_string(); });
    if (profile != nullptr && !profile->is_string() && !strings) {
      add(at + "/profile", "must be a string or an array of strings");
    }
  }

  void message_offer(const json::object& body, bool id_and_target) {
    const auto* v = member(body, "", "offer", true);
    const auto* o = v == nullptr ? nullptr : object(*v, "/offer");
    if (o != nullptr) {
      policy(*o, "/offer");
      one_of(*o, "/offer", "@type", {"Offer"});
      string(*o, "/offer", "target", id_and_target);
    }
  }

  void catalog_offer(const json::value& v, const std::string& at) {
    if (const auto* o = object(v, at)) {
      policy(*o, at);
      one_of(*o, at, "@type", {"Offer"}, false);
      if (o->contains("target")) {
        add(at, "must not have target");
      }
    }
  }

  void agreement(const json::object& body) {
    static const std::regex timestamp("-?([1-9][0-9]{3,}|0[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
                                      "T(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?|(24:00:00(\\.0+)?))"
                                      "(Z|(\\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?");
    const auto* v = member(body, "", "agreement", true);
    const auto* o = v == nullptr ? nullptr : object(*v, "/agreement");
    if (o == nullptr) {
      return;
    }
    policy(*o, "/agreement");
    one_of(*o, "/agreement", "@type", {"Agreement"});
    for (std::string_view key : {"target", "assigner", "assignee"}) {
      string(*o, "/agreement", key);
    }
    const auto* at = o->if_contains("timestamp");
    if (at != nullptr && (!at->is_string() || !std::regex_search(std::string(at->get_string()), timestamp))) {
      add("/agreement/timestamp", "must be an XSD dateTime");
    }
  }

  void exactly_one(const json::object& o, std::string_view a, std::string_view b) {
    if (o.contains(a) == o.contains(b)) {
      add("", "must have exactly one of " + std::string(a) + " and " + std::string(b));
    }
    string(o, "", a, false);
    string(o, "", b, false);
  }

  void pids(const json::object& o) {
    string(o, "", "providerPid");
    string(o, "", "consumerPid");
  }

  void code_and_reason(const json::object& o, size_t reasons_min) {
    string(o, "", "code", false);
    list(o, "", "reason", reasons_min, false, [](const json::value&, const std::string&) {});
  }

  void data_address(const json::object& body) {
    const auto* v = body.if_contains("dataAddress");
    const auto* o = v == nullptr ? nullptr : object(*v, "/dataAddress");
    if (o == nullptr) {
      return;
    }
    one_of(*o, "/dataAddress", "@type", {"DataAddress"});
    string(*o, "/dataAddress", "endpointType");
    string(*o, "/dataAddress", "endpoint", false);
    list(*o, "/dataAddress", "endpointProperties", 1, false, [this](const json::value& p, const std::string& at) {
      if (const auto* property = object(p, at)) {
        one_of(*property, at, "@type", {"EndpointProperty"});
        string(*property, at, "name");
        string(*property, at, "value");
      }
    });
  }

  void data_service(const json::value& v, const std::string& at) {
    if (const auto* o = object(v, at)) {
      string(*o, at, "@id");
      one_of(*o, at, "@type", {"DataService"});
      string(*o, at, "endpointURL");
      list(*o, at, "servesDataset", 1, false, [this](const json::value& d, const std::string& p) { dataset(d, p); });
    }
  }

  void distribution(const json::value& v, const std::string& at) {
    const auto* o = object(v, at);
    if (o == nullptr) {
      return;
    }
    string(*o, at, "format");
    const auto* service = member(*o, at, "accessService", true);
    if (service != nullptr && !service->is_string()) {
      data_service(*service, at + "/accessService");
    }
    list(*o, at, "hasPolicy", 1, false, [this](const json::value& p, const std::string& q) { catalog_offer(p, q); });
  }

  void dataset(const json::value& v, const std::string& at) {
    if (const auto* o = object(v, at)) {
      string(*o, at, "@id");
      list(*o, at, "hasPolicy", 1, true, [this](const json::value& p, const std::string& q) { catalog_offer(p, q); });
      list(*o, at, "distribution", 1, true, [this](const json::value& d, const std::string& p) { distribution(d, p); });
    }
  }

  void catalog(const json::value& v, const std::string& at) {
    const auto* o = object(v, at);
    if (o == nullptr) {
      return;
    }
    string(*o, at, "@id");
    one_of(*o, at, "@type", {"Catalog"});
    list(*o, at, "dataset", 1, false, [this](const json::value& d, const std::string& p) { dataset(d, p); });
    list(*o, at, "catalog", 1, false, [this](const json::value& c, const std::string& p) { catalog(c, p); });
    list(*o, at, "service", 1, false, [this](const json::value& s, const std::string& p) { data_service(s, p); });
    list(*o, at, "distribution", 1, false, [this](const json::value& d, const std::string& p) { distribution(d, p); });
    if (o->contains("hasPolicy")) {
      add(at, "must not have hasPolicy");
    }
  }
};

using rules = std::function<void(checker&, const json::object&)>;

using schema_map = std::map<std::string, rules, std::less<>>;

void pids_only(checker& c, const json::object& o) { c.pids(o); }

void pids_with_reason(checker& c, const json::object& o) {
  c.pids(o);
  c.code_and_reason(o, 1);
}

void any_items(const json::value&, const std::string&) {}

void catalog_schemas(schema_map& table) {
  table["CatalogRequestMessage"] = [](checker& c, const json::object& o) {
    c.list(o, "", "filter", 0, false, any_items);
  };
  table["DatasetRequestMessage"] = [](checker& c, const json::object& o) { c.string(o, "", "dataset"); };
  table["Catalog"] = [](checker& c, const json::object& o) {
    c.string(o, "", "participantId");
    c.catalog(o, "");
  };
  table["Dataset"] = [](checker& c, const json::object& o) { c.dataset(o, ""); };
  table["CatalogError"] = [](checker& c, const json::object& o) { c.code_and_reason(o, 0); };
}

void negotiation_schemas(schema_map& table) {
  table["ContractRequestMessage"] = [](checker& c, const json::object& o) {
    c.string(o, "", "consumerPid");
    c.exactly_one(o, "callbackAddress", "providerPid");
    c.message_offer(o, false);
  };
  table["ContractOfferMessage"] = [](checker& c, const json::object& o) {
    c.string(o, "", "providerPid");
    c.exactly_one(o, "callbackAddress", "consumerPid");
    c.message_offer(o, true);
  };
  table["ContractAgreementMessage"] = [](checker& c, const json::object& o) {
    c.pids(o);
    c.agreement(o);
  };
  table["ContractAgreementVerificationMessage"] = pids_only;
  table["ContractNegotiationEventMessage"] = [](checker& c, const json::object& o) {
    c.pids(o);
    c.one_of(o, "", "eventType", {"ACCEPTED", "FINALIZED"});
  };
  table["ContractNegotiationTerminationMessage"] = pids_with_reason;
  table["ContractNegotiation"] = [](checker& c, const json::object& o) {
    c.pids(o);
    c.one_of(o, "", "state", {"REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED", "TERMINATED"});
  };
  table["ContractNegotiationError"] = pids_with_reason;
}

void transfer_schemas(schema_map& table) {
  table["TransferRequestMessage"] = [](checker& c, const json::object& o) {
    for (std::string_view key : {"consumerPid", "agreementId", "format", "callbackAddress"}) {
      c.string(o, "", key);
    }
    c.data_address(o);
  };
  table["TransferStartMessage"] = [](checker& c, const json::object& o) {
    c.pids(o);
    c.data_address(o);
  };
  table["TransferCompletionMessage"] = pids_only;
  for (const char* type : {"TransferSuspensionMessage", "TransferTerminationMessage", "TransferError"}) {
    table[type] = pids_with_reason;
  }
  table["TransferProcess"] = [](checker& c, const json::object& o) {
    c.pids(o);
    c.one_of(o, "", "state", {"REQUESTED", "STARTED", "TERMINATED", "COMPLETED", "SUSPENDED"});
  };
}

const schema_map& schema_table() {
  static const schema_map table = [] {
    schema_map all;
    catalog_schemas(all);
    negotiation_schemas(all);
    transfer_schemas(all);
    return all;
  }();
  return table;
}

std::string value_of(const json::object& body, std::string_view key, std::string_view wrapper) {
  const auto* v = body.if_contains(key);
  if (v != nullptr && v->is_array()) {
    v = v->get_array().empty() ? nullptr : &v->get_array().front();
  }
  if (v != nullptr && v->is_object()) {
    v = v->get_object().if_contains(wrapper);
  }
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

} // namespace

std::vector<std::string> violations(const json::value& body) {
  checker c;
  const auto* o = c.object(body, "");
  if (o == nullptr) {
    return c.found;
  }
  const auto* type = c.member(*o, "", "@type", true);
  c.context(*o);
  if (type != nullptr && !type->is_string()) {
    c.add("/@type", "must be a string");
  } else if (type != nullptr) {
    auto schema = schema_table().find(std::string_view(type->get_string()));
    if (schema != schema_table().end()) {
      schema->second(c, *o);
    }
  }
  return c.found;
}

bool checked_by_kit(std::string_view type) {
  static const std::set<std::string_view> unchecked{"CatalogError", "TransferCompletionMessage",
                                                    "TransferSuspensionMessage", "TransferTerminationMessage",
                                                    "TransferError"};
  return schema_table().contains(type) && !unchecked.contains(type);
}

std::vector<std::string> refusals(const json::value& body, const std::set<std::string>& known_contexts) {
  if (!body.is_object()) {
    return {"body must be an object"};
  }
  const auto& o = body.get_object();
  const auto* type = o.if_contains("@type");
  if (type == nullptr || !type->is_string()) {
    return {"body must have a string @type"};
  }
  auto found = checked_by_kit(type->get_string()) ? violations(body) : std::vector<std::string>{};
  const auto* context = o.if_contains("@context");
  auto named = context == nullptr ? json::array{} : context->is_array() ? context->get_array() : json::array{*context};
  bool terms = false;
  for (const auto& c : named) {
    if (!c.is_string() || !known_contexts.contains(std::string(c.get_string()))) {
      found.push_back("/@context names " + json::serialize(c) + ", which is not known");
    }
    terms = terms || (c.is_string() && c.get_string() == context_url);
  }
  if (!terms || !schema_table().contains(std::string_view(type->get_string()))) {
    found.push_back("the terms of @type '" + std::string(type->get_string()) + "' are not brought by @context");
  }
  return found;
}

std::vector<std::string> version_violations(const json::value& body) {
  checker c;
  if (const auto* o = c.object(body, "")) {
    c.list(*o, "", "protocolVersions", 1, true, [&](const json::value& v, const std::string& at) {
      if (const auto* item = c.object(v, at)) {
        c.string(*item, at, "version");
        c.string(*item, at, "path");
        c.one_of(*item, at, "binding", {"HTTPS"});
        const auto* auth = item->if_contains("auth");
        if (const auto* a = auth == nullptr ? nullptr : c.object(*auth, at + "/auth")) {
          c.string(*a, at + "/auth", "protocol");
          c.string(*a, at + "/auth", "version");
        }
      }
    });
  }
  return c.found;
}

std::string id_of(const json::object& body, std::string_view key) { return value_of(body, key, "@id"); }

std::string literal_of(const json::object& body, std::string_view key) { return value_of(body, key, "@value"); }

} // namespace fondaco::conformance::dsp
