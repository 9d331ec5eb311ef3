#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "e2e/fabric.hpp"

namespace fondaco::e2e {

/// The rows of a query over a node's database, each its columns' texts; the query is the same for both databases.
/// `{payload}` stands for an event's payload as a text.
std::vector<std::vector<std::string>> select(const node& n, store_kind kind, const std::string& query);

/// How many rows of each sort the stores of a fabric have, by `<node>: <table> <owner> <kind> <status>`, where the
/// owner is `.cfm`, `.node`, `issuer` or `participants`. Tables without anything of a tenant (leases, heartbeats,
/// positions) are left out.
std::map<std::string, int64_t> census(fabric& f, store_kind kind);

/// What onboarding adds to the stores, exactly; fails with all that differs.
void check_onboarded(const std::map<std::string, int64_t>& before, const std::map<std::string, int64_t>& now,
                     size_t tenants);

/// What is left of it after disposal, exactly; fails with all that differs.
void check_disposed(const std::map<std::string, int64_t>& before, const std::map<std::string, int64_t>& now,
                    size_t tenants);

/// Where something of these tenants, whose names begin alike, is readable in the stores, `<node>: <table> <owner>
/// <kind>`, and what it is: `name` (which their DIDs hold), `context`, `tenant`, `profile` (ids).
std::map<std::string, std::set<std::string>> traces_of(fabric& f, store_kind kind, const std::vector<tenancy>& all);

/// Fails if there is a trace that disposal does not keep on purpose.
void check_traces(const std::map<std::string, std::set<std::string>>& found);

/// Fails unless every activity of every orchestration came to exactly one end, a good one: `orchestrations` of them for
/// each tenant, the deployment and maybe the disposal.
void check_activities(fabric& f, store_kind kind, const std::vector<tenancy>& all, size_t orchestrations);

/// Fails unless each of these tenants has each thing once in the stores of the cell.
void check_things(fabric& f, store_kind kind, const std::vector<tenancy>& present);

/// Fails unless these tenants, disposed ones among them, are those who ever got something of the issuer: each once,
/// with a place of its own in the status list.
void check_issued(fabric& f, store_kind kind, const std::vector<tenancy>& ever);

/// The same as the APIs show it; each tenant can ask its neighbour for its catalog.
void check_apis(fabric& f, const std::vector<tenancy>& all);

/// Fails unless each credential was revoked, once.
void check_revoked(fabric& f, store_kind kind);

/// Fails unless the APIs know nothing of the tenants' participant contexts and DID documents.
void check_apis_forgot(fabric& f, const std::vector<tenancy>& all);

} // namespace fondaco::e2e
