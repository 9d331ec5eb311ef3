#include "cells/control_plane/policy_reader.hpp"

#include <algorithm>
#include <utility>

#include "cells/control_plane/data_planes.hpp"
#include "cells/control_plane/management.hpp"
#include "persistence/query.hpp"

namespace fondaco::control_plane {

using cells::cell_services;
using persistence::criterion;
using persistence::query_spec;

namespace {

odrl::verdict judge(const cell_services& s, const cells::counterparty& asker, const json::object& policy,
                    const char* scope) {
  const auto readable = odrl::read_policy(policy);
  if (!readable)
    return {false, {"The policy cannot be read: " + readable.error().detail}};
  const odrl::evaluation_context context{scope, asker.id, asker.attributes, s.clock.now()};
  return odrl::evaluate(*readable, s.functions, context);
}

} // namespace

odrl::verdict judge_policy(const cell_services& s, const tenant& owner, const cells::counterparty& asker,
                           const json::object& policy, const char* scope) {
  cells::work_span span(s, "policy.evaluation", asker.traceparent);
  span.with("scope", scope).with("counterparty", asker.id).with("participant_context", owner.id());
  auto out = judge(s, asker, policy, scope);
  if (!out.allowed)
    span.fail(out.reasons.empty() ? "refused" : out.reasons.front());
  return out;
}

policy_reader::~policy_reader() {
  span_.with("scope", "catalog").with("counterparty", asker_.id).with("participant_context", owner_.id());
  span_.with("policies", std::to_string(access_.size()));
}

read_result<const json::object*> policy_reader::read(const std::string& id) {
  auto known = policies_.find(id);
  if (known == policies_.end()) {
    auto row = s_.documents.get({owner_, cells::kinds::policy_definition, id});
    if (!row)
      return std::unexpected(std::move(row.error()));
    std::optional<json::object> policy;
    if (*row) {
      const auto body = document_body(**row);
      if (const auto* o = json::object_at(body, "policy"))
        policy = *o;
    }
    known = policies_.emplace(id, std::move(policy)).first;
  }
  return known->second ? &*known->second : nullptr;
}

read_result<odrl::verdict> policy_reader::access(const std::string& id) {
  if (const auto known = access_.find(id); known != access_.end())
    return known->second;
  auto policy = read(id);
  if (!policy)
    return std::unexpected(std::move(policy.error()));
  auto verdict =
      *policy ? judge(s_, asker_, **policy, "catalog") : odrl::verdict{false, {"The access policy does not exist."}};
  return access_.emplace(id, std::move(verdict)).first->second;
}

json::object rules_of(const json::object& policy) {
  static constexpr std::string_view apart[] = {"@context", "@id", "@type", "target", "assigner", "assignee"};
  json::object out;
  for (const auto& [name, value] : policy)
    if (std::ranges::find(apart, std::string_view(name.data(), name.size())) == std::end(apart))
      out.emplace(name, value);
  return out;
}

bool has_rules(const json::object& policy) {
  const auto filled = [&](std::string_view name) {
    const auto* list = json::array_at(policy, name);
    return list && !list->empty();
  };
  return filled("permission") || filled("prohibition");
}

std::optional<std::vector<criterion>> read_selector(const json::object& definition, const tenant& owner) {
  std::vector<criterion> out;
  const auto* given = definition.if_contains("assetsSelector");
  if (!given || given->is_null())
    return out;
  json::array list;
  if (given->is_array())
    list = given->get_array();
  else
    list.push_back(*given);
  for (const auto& v : list) {
    const auto* o = v.if_object();
    const auto left = o ? json::string_at(*o, "operandLeft") : std::nullopt;
    const auto op = o ? json::string_at(*o, "operator") : std::nullopt;
    if (!left || !op || !o->contains("operandRight"))
      return std::nullopt;
    out.push_back(asset_criterion({std::string(*left), std::string(*op), o->at("operandRight")}));
  }
  query_spec probe;
  probe.filter = out;
  if (!persistence::compile_query(persistence::sql_dialect::sqlite, persistence::query_source::documents, owner,
                                  cells::kinds::asset, probe))
    return std::nullopt;
  return out;
}

read_result<bool> selects(cell_services& s, const tenant& owner, const std::vector<criterion>& selector,
                          const std::string& asset_id) {
  if (selector.empty())
    return true;
  query_spec spec;
  spec.filter = selector;
  spec.filter.push_back({"id", "=", json::value(std::string_view(asset_id))});
  spec.limit = 1;
  auto rows = s.documents.query(owner, cells::kinds::asset, spec);
  if (!rows && rows.error().code != persistence::query_errc::unavailable)
    return false;
  if (!rows)
    return std::unexpected(std::move(rows.error()));
  return !rows->empty();
}

} // namespace fondaco::control_plane
