#include "e2e/onboarding_audit.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "e2e/process.hpp"
#include "e2e/text.hpp"

namespace fondaco::e2e {

namespace {

constexpr const char* separator = "\x1f";

/// A row's owner as a group, so that all participants are one.
constexpr const char* group =
    "case when {t}.tenant = 'issuer' or {t}.tenant like '.%' then {t}.tenant else 'participants' end";

struct listed {
  const char* sort;
  const char* text;
  const char* from;
};

/// Every table with something of a tenant: what sort of row it is, its texts, and where it is.
const std::vector<listed>& tables() {
  static const std::vector<listed> all{
      {"'entity ' || {g} || ' ' || t.kind", "t.tenant || ' ' || t.id || ' ' || t.view", "entity t"},
      {"'event ' || {g} || ' ' || t.kind", "{payload} || ' ' || j.cause",
       "entity t join journal j on j.entity = t.key"},
      {"'snapshot ' || {g} || ' ' || t.kind", "{payload}", "entity t join snapshot j on j.entity = t.key"},
      {"'wake ' || {g} || ' ' || t.kind", "t.id", "entity t join wake j on j.entity = t.key"},
      {"'document ' || {g} || ' ' || t.kind", "t.tenant || ' ' || t.id || ' ' || {body}", "document t"},
      {"'name ' || {g} || ' ' || t.space || ' ' || t.kind", "t.tenant || ' ' || t.name || ' ' || t.id", "name t"},
      {"'secret ' || {g}", "t.tenant || ' ' || t.name", "secret t"},
      {"'seen ' || {g}", "t.tenant || ' ' || t.id", "seen t"},
      {"'chain ' || {g}", "t.tenant", "tenant_chain t"},
      {"'event of nobody'", "{payload}", "journal j where not exists (select 1 from entity e where e.key = j.entity)"}};
  return all;
}

std::string sort_of(const listed& t) { return replaced(t.sort, "{g}", replaced(group, "{t}", "t")); }

std::vector<std::string> split(const std::string& text, const std::string& by) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(by, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + by.size();
  }
  return out;
}

/// Calls `use` with every run of letters, digits, '-' and '_'.
template <class F> void each_word(const std::string& text, F use) {
  const auto inside = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && inside(static_cast<unsigned char>(text[end])))
      ++end;
    if (end > begin)
      use(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Rows of a sort that a tenant adds.
struct growth {
  const char* sort;
  /// How many each tenant adds; of some the fabric adds more, by its history.
  int64_t each;
  enum class rule : uint8_t { exactly, at_least, any, one_in_all, at_most_one_in_all } how = rule::exactly;
};

using enum growth::rule;

/// A deployed tenant.
constexpr growth onboarded[] = {
    {"cfm: entity .cfm cfm_tenant PRESENT", 1},
    {"cfm: event .cfm cfm_tenant", 1},
    {"cfm: document .cfm cfm_tenant", 1},
    {"cfm: name .cfm idempotency_key cfm_tenant", 1},
    {"cfm: entity .cfm participant_profile ACTIVE", 1},
    {"cfm: event .cfm participant_profile", 2, at_least},
    {"cfm: name .cfm cfm_participant_identifier participant_profile", 1},
    {"cfm: entity .cfm orchestration COMPLETED", 1},
    {"cfm: event .cfm orchestration", 8, at_least},
    {"control: entity .node participant_context PRESENT", 1},
    {"control: event .node participant_context", 1, at_least},
    {"control: document .node participant_context", 1},
    {"control: chain .node", 0, one_in_all},
    {"control: entity participants participant_context PRESENT", 1},
    {"control: event participants participant_context", 1},
    {"control: document participants participant_context", 1},
    {"control: entity participants participant_config PRESENT", 1},
    {"control: event participants participant_config", 3, at_least},
    {"control: document participants participant_config", 1},
    {"control: entity participants data_plane PRESENT", 1},
    {"control: event participants data_plane", 1, at_least},
    {"control: document participants data_plane", 1},
    {"control: entity participants vpa ACTIVE", 1},
    {"control: event participants vpa", 1},
    {"control: secret participants", 1},
    {"control: chain participants", 1},
    {"credentials: entity .node identity_context PRESENT", 1},
    {"credentials: event .node identity_context", 2, at_least},
    {"credentials: document .node identity_context", 1},
    {"credentials: entity participants identity_context PRESENT", 1},
    {"credentials: event participants identity_context", 2, at_least},
    {"credentials: document participants identity_context", 1},
    {"credentials: entity participants did_document PRESENT", 1},
    {"credentials: event participants did_document", 1, at_least},
    {"credentials: document participants did_document", 1},
    {"credentials: name participants did did_document", 1},
    {"credentials: entity participants key_pair PRESENT", 1},
    {"credentials: event participants key_pair", 1},
    {"credentials: document participants key_pair", 1},
    {"credentials: name participants key_id key_pair", 1},
    {"credentials: entity participants sts_account PRESENT", 1},
    {"credentials: event participants sts_account", 1, at_least},
    {"credentials: document participants sts_account", 1},
    {"credentials: name participants sts_client sts_account", 1},
    {"credentials: entity participants credential_request ISSUED", 1},
    {"credentials: event participants credential_request", 4, at_least},
    {"credentials: entity participants verifiable_credential PRESENT", 1},
    // A delivery that is repeated, since its answer was lost, writes the same credential again.
    {"credentials: event participants verifiable_credential", 1, at_least},
    {"credentials: document participants verifiable_credential", 1},
    {"credentials: entity participants vpa ACTIVE", 1},
    {"credentials: event participants vpa", 1},
    // The data key and the private key; one more for a key that was made, but not kept, when the node died.
    {"credentials: secret participants", 2, at_least},
    // Marks of tokens, until those expire.
    {"credentials: seen participants", 0, any},
    {"credentials: chain participants", 1},
    {"credentials: entity issuer holder PRESENT", 1},
    {"credentials: event issuer holder", 1, at_least},
    {"credentials: document issuer holder", 1},
    {"credentials: entity issuer issuance DELIVERED", 1},
    {"credentials: event issuer issuance", 3, at_least},
    {"credentials: document issuer issued_credential", 1},
    {"credentials: entity issuer status_list OPEN", 0, one_in_all},
    {"credentials: event issuer status_list", 1, at_least},
    {"credentials: document issuer status_list", 0, one_in_all},
    {"credentials: name issuer status_list status_list", 0, one_in_all},
    {"credentials: snapshot issuer status_list", 0, at_most_one_in_all},
    {"credentials: seen issuer", 0, any}};

/// A disposed tenant: what its operator and its issuer keep of it, and the tombstones under which no participant
/// context begins again.
constexpr growth disposed[] = {
    // The CFM's register, until its operator removes profile and tenant.
    {"cfm: entity .cfm cfm_tenant PRESENT", 1},
    {"cfm: event .cfm cfm_tenant", 1},
    {"cfm: document .cfm cfm_tenant", 1},
    {"cfm: name .cfm idempotency_key cfm_tenant", 1},
    {"cfm: entity .cfm participant_profile DISPOSED", 1},
    {"cfm: event .cfm participant_profile", 4, at_least},
    {"cfm: name .cfm cfm_participant_identifier participant_profile", 1},
    {"cfm: entity .cfm orchestration COMPLETED", 2},
    {"cfm: event .cfm orchestration", 14, at_least},
    // The tombstones.
    {"control: entity participants vpa DISPOSED", 1},
    {"control: event participants vpa", 2},
    {"control: chain participants", 1},
    {"credentials: entity participants vpa DISPOSED", 1},
    {"credentials: event participants vpa", 2},
    {"credentials: chain participants", 1},
    // The issuer's register: what it issued to whom, and that it revoked it.
    {"credentials: entity issuer holder REMOVED", 1},
    {"credentials: event issuer holder", 2, at_least},
    {"credentials: entity issuer issuance DELIVERED", 1},
    {"credentials: event issuer issuance", 4, at_least},
    {"credentials: document issuer issued_credential", 1},
    {"credentials: entity issuer status_list OPEN", 0, one_in_all},
    {"credentials: event issuer status_list", 2, at_least},
    {"credentials: document issuer status_list", 0, one_in_all},
    {"credentials: name issuer status_list status_list", 0, one_in_all},
    {"credentials: snapshot issuer status_list", 0, at_most_one_in_all},
    // Marks of the tokens that holders presented to it, until those expire.
    {"credentials: seen issuer", 0, any}};

/// What is readable of a disposed tenant, by the same reasons.
const std::map<std::string, std::set<std::string>> kept_traces{
    {"cfm: entity .cfm cfm_tenant", {"tenant"}},
    {"cfm: event .cfm cfm_tenant", {"name", "tenant"}},
    {"cfm: document .cfm cfm_tenant", {"name", "tenant"}},
    {"cfm: name .cfm idempotency_key cfm_tenant", {"tenant"}},
    {"cfm: entity .cfm participant_profile", {"name", "context", "tenant", "profile"}},
    {"cfm: event .cfm participant_profile", {"name", "context", "tenant", "profile"}},
    {"cfm: name .cfm cfm_participant_identifier participant_profile", {"name", "profile"}},
    {"cfm: entity .cfm orchestration", {"name", "context", "profile"}},
    {"cfm: event .cfm orchestration", {"name", "context", "profile"}},
    {"control: entity participants vpa", {"context"}},
    {"control: chain participants", {"context"}},
    {"credentials: entity participants vpa", {"context"}},
    {"credentials: chain participants", {"context"}},
    {"credentials: entity issuer holder", {"name"}},
    {"credentials: event issuer holder", {"name"}},
    {"credentials: entity issuer issuance", {"name"}},
    {"credentials: event issuer issuance", {"name"}},
    {"credentials: document issuer issued_credential", {"name"}},
    {"credentials: seen issuer", {"name"}}};

void check_growth(const char* when, const std::map<std::string, int64_t>& before,
                  const std::map<std::string, int64_t>& now, std::span<const growth> all, size_t tenants) {
  std::map<std::string, int64_t> grown;
  for (const auto& [sort, count] : now)
    grown[sort] += count;
  for (const auto& [sort, count] : before)
    grown[sort] -= count;
  std::string wrong;
  const auto note = [&](const std::string& sort, int64_t got, const std::string& expected) {
    wrong += "\n  " + sort + ": " + std::to_string(got) + ", but " + expected;
  };
  for (const auto& g : all) {
    const auto got = grown[g.sort];
    const auto wanted = g.each * static_cast<int64_t>(tenants);
    grown.erase(g.sort);
    if (g.how == exactly && got != wanted)
      note(g.sort, got, std::to_string(wanted));
    if (g.how == at_least && got < wanted)
      note(g.sort, got, "at least " + std::to_string(wanted));
    const auto found = now.find(g.sort);
    const auto there = found == now.end() ? 0 : found->second;
    if (g.how == one_in_all && there != 1)
      note(g.sort, there, "1 in all");
    if (g.how == at_most_one_in_all && there > 1)
      note(g.sort, there, "at most 1 in all");
  }
  for (const auto& [sort, got] : grown)
    if (got != 0)
      note(sort, got, "0");
  check(wrong.empty(), std::string("rows that the stores have ") + when + ", less those before:" + wrong);
}

} // namespace

std::vector<std::vector<std::string>> select(const node& n, store_kind kind, const std::string& query) {
  const bool postgres = kind == store_kind::postgres;
  auto sql = replaced(query, "{payload}", postgres ? "convert_from(j.payload, 'UTF8')" : "cast(j.payload as text)");
  sql = replaced(sql, "{body}", postgres ? "t.body::text" : "t.body");
  const auto url = n.database().url();
  const std::vector<std::string> words =
      postgres ? std::vector<std::string>{"psql", "-X", "-q", "-At", "-F", separator, "-v", "ON_ERROR_STOP=1",
                                          "-d",   url,  "-c", sql}
               : std::vector<std::string>{"sqlite3", "-batch",         "-noheader", "-separator", separator,
                                          "-cmd",    ".timeout 10000", url,         sql};
  const auto done = run_program(words);
  check(done.code == 0, words.front() + " on the store of " + n.name() + ": " + done.err + done.out);
  std::vector<std::vector<std::string>> out;
  for (const auto& line : split(done.out, "\n"))
    if (!line.empty())
      out.push_back(split(line, separator));
  return out;
}

std::map<std::string, int64_t> census(fabric& f, store_kind kind) {
  // One question a node: to start a program for each table takes longer than to count it.
  std::string query;
  for (const auto& t : tables()) {
    const std::string from = t.from;
    const auto status = from == "entity t" ? " || ' ' || t.status" : "";
    query += (query.empty() ? "select " : " union all select ") + sort_of(t) + status + ", count(*) from " + from +
             " group by 1";
  }
  std::map<std::string, int64_t> out;
  for (const auto& n : f.nodes())
    for (const auto& row : select(*n, kind, query))
      out[n->name() + ": " + row.at(0)] += std::stoll(row.at(1));
  return out;
}

std::map<std::string, std::set<std::string>> traces_of(fabric& f, store_kind kind, const std::vector<tenancy>& all) {
  std::unordered_map<std::string, const char*> known;
  for (const auto& t : all) {
    known[t.context] = "context";
    known[t.tenant] = "tenant";
    known[t.profile] = "profile";
  }
  // All names begin alike: so a part of a longer word is found too.
  const auto names = all.front().name.substr(0, all.front().name.rfind('-') + 1);
  std::map<std::string, std::set<std::string>> out;
  for (const auto& n : f.nodes())
    for (const auto& t : tables())
      for (const auto& row : select(*n, kind, "select " + sort_of(t) + ", " + t.text + " from " + t.from)) {
        const auto where = n->name() + ": " + row.at(0);
        if (row.at(1).find(names) != std::string::npos)
          out[where].insert("name");
        each_word(row.at(1), [&](const std::string& word) {
          if (const auto found = known.find(word); found != known.end())
            out[where].insert(found->second);
        });
      }
  return out;
}

void check_onboarded(const std::map<std::string, int64_t>& before, const std::map<std::string, int64_t>& now,
                     size_t tenants) {
  check_growth("after the onboarding", before, now, onboarded, tenants);
}

void check_disposed(const std::map<std::string, int64_t>& before, const std::map<std::string, int64_t>& now,
                    size_t tenants) {
  check_growth("after the disposal", before, now, disposed, tenants);
}

void check_traces(const std::map<std::string, std::set<std::string>>& found) {
  std::string wrong;
  for (const auto& [where, what] : found) {
    const auto allowed = kept_traces.find(where);
    for (const auto& one : what)
      if (allowed == kept_traces.end() || !allowed->second.contains(one))
        wrong += "\n  " + where + ": " + one;
  }
  check(wrong.empty(), "what a disposed tenant leaves is readable in" + wrong);
}

} // namespace fondaco::e2e
