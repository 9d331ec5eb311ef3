#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "persistence/documents.hpp"
#include "persistence/query.hpp"
#include "persistence/store.hpp"
#include "protocols/json/json.hpp"

/// What every document store promises. A database for it has `add_document`, `add_entity` and `documents()`.
namespace fondaco::contract {

using persistence::criterion;
using persistence::entity_row;
using persistence::query_errc;
using persistence::query_spec;

inline const tenant first_tenant{"ctx-1"};
inline const tenant second_tenant{"ctx-2"};

inline json::value json_of(std::string_view text) {
  auto parsed = json::parse(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

inline query_spec where(std::string_view path, std::string_view op, std::string_view right) {
  query_spec spec;
  spec.filter.push_back({std::string{path}, std::string{op}, json_of(right)});
  return spec;
}

/// The ids of the rows with a blank between them, or the error's words.
template <class Rows> std::string ids_of(const Rows& rows) {
  if (!rows)
    return "error: " + rows.error().detail;
  std::string out;
  for (const auto& row : *rows)
    out += (out.empty() ? "" : " ") + row.key.id;
  return out;
}

inline std::string outcome_of(const persistence::append_result& result) {
  return result ? "acknowledged" : std::string{persistence::name_of(result.error())};
}

struct document_sample {
  const char* id;
  const char* body;
};

inline constexpr document_sample document_samples[] = {
    {"a", R"({"name":"Alpha","size":10,"price":0.1,"open":true,"tags":["x","y"],"state":"NEW",
             "owner":{"name":"Ann","parts":[{"k":"p1"},{"k":["p2","p4"]},"k",null]},
             "https://w3id.org/edc/v0.0.1/ns/name":"iri","a.b":{"c d":1},"0":"zero"})"},
    {"b", R"({"name":"beta","size":"10","price":"0.1","open":false,"tags":["y",5],"list":["zero",{"0":"one"}],
             "owner":{"name":"Bob","parts":{"k":"p3"}}})"},
    {"c",
     R"({"name":"Álvaro 100%","size":9007199254740993,"price":0.30000000000000004,"tags":[],"open":null,"owner":"Ann"})"},
    {"d", R"({"name":"a_b*[c]?^\\","size":-2.5e3,"price":3e-1,"tags":"x","open":"true","owner":{}})"},
    {"e", R"({"name":10,"size":"1e3","tags":[null,"z"],"nested":[[1,2],3],"owner":[{"name":"Ann"},{"name":"Eve"}]})"},
    {"f", R"({})"},
    {"g", R"({"name":"ALPHA","size":1e400,"price":1e-400,"tags":{"x":1}})"},
    {"h",
     R"({"name":"","odd":["01"," 5","5 ","+5","1.",".5","1e1000","0x10","-","5e","1_0","Infinity","nan","1e+0001"]})"},
    {"i", R"({"name":"z\u00e9\"q\"","odd":["-0.50e1","7"],"tags":[["x"],true]})"},
};

struct query_case {
  const char* path;
  const char* op;
  const char* right;
  const char* ids;
};

inline constexpr query_case query_cases[] = {
    // strings, numbers, booleans
    {"name", "=", R"("Alpha")", "a"},
    {"name", "=", R"("alpha")", ""},
    {"name", "=", R"("Álvaro 100%")", "c"},
    {"name", "=", R"("zé\"q\"")", "i"},
    {"name", "=", R"("")", "h"},
    {"name", "=", R"("10")", ""},
    {"name", "=", "10", "e"},
    {"size", "=", "10", "a b"},
    {"size", "=", "10.0", "a b"},
    {"size", "=", R"("10")", "b"},
    {"size", "=", "1000", "e"},
    {"size", "=", "9007199254740992", "c"},
    {"price", "=", "0.1", "a b"},
    {"price", "=", "0.30000000000000004", "c"},
    {"price", "=", "0.3", "d"},
    {"price", "=", "0", "g"},
    {"open", "=", "true", "a"},
    {"open", "=", "false", "b"},
    {"open", "=", R"("true")", "d"},
    {"open", "!=", "true", "b d"},
    // missing, null and empty lists match nothing
    {"name", "!=", R"("Alpha")", "b c d e g h i"},
    {"size", "!=", "10", "c d e g"},
    {"tags", "!=", R"("x")", "b e g i"},
    {"missing", "!=", R"("x")", ""},
    {"missing", "not in", "[]", ""},
    {"open", "not in", R"([true])", "b d"},
    {"tags", "not in", R"(["x","y"])", "e g i"},
    // lists
    {"tags", "=", R"("x")", "a d"},
    {"tags", "=", R"("y")", "a b"},
    {"tags", "=", "5", "b"},
    {"tags", "=", "true", "i"},
    {"tags", "contains", R"("x")", "a"},
    {"tags", "CONTAINS", "5", "b"},
    {"tags", "contains", "true", "i"},
    {"name", "contains", R"("Alpha")", ""},
    {"nested", "=", "1", ""},
    {"nested", "contains", "3", "e"},
    {"tags", "in", R"(["z","x"])", "a d e"},
    {"name", "in", R"(["Alpha",10,"nobody"])", "a e"},
    {"open", "in", "[true,false]", "a b"},
    {"open", "in", R"([false,"true"])", "b d"},
    {"name", "in", "[]", ""},
    {"name", "not in", R"(["Alpha","beta",10])", "c d g h i"},
    // order
    {"size", ">", "10", "c e g"},
    {"size", ">=", "10", "a b c e g"},
    {"size", "<", "0", "d"},
    {"size", "<=", "10", "a b d"},
    {"size", "<", R"("1e")", "b"},
    {"name", "<", R"("a")", "a g h"},
    {"name", ">", R"("z")", "c i"},
    {"price", "<", "0.1", "g"},
    // patterns
    {"name", "like", R"("A%")", "a g"},
    {"name", "like", R"("a%")", "d"},
    {"name", "ilike", R"("a%")", "a d g"},
    {"name", "ILIKE", R"("ALPH_")", "a g"},
    {"name", "like", R"("_lvaro%")", "c"},
    {"name", "like", R"("a_b*[c]?%")", "d"},
    {"name", "like", R"("a*%")", ""},
    {"name", "like", R"("%[ab]%")", ""},
    {"name", "like", R"("%\\")", "d"},
    {"name", "like", R"("%\\%")", "d"},
    {"name", "like", R"("%")", "a b c d g h i"},
    {"name", "like", R"("_____")", "a g i"},
    {"name", "ilike", R"("á%")", ""},
    {"name", "ilike", R"("Á%")", "c"},
    {"tags", "like", R"("z%")", "e"},
    // paths
    {"owner.name", "=", R"("Ann")", "a e"},
    {"owner.name", "=", R"("Eve")", "e"},
    {"owner.parts.k", "=", R"("p1")", "a"},
    {"owner.parts.k", "=", R"("p4")", "a"},
    {"owner.parts.k", "contains", R"("p4")", "a"},
    {"owner.parts.k", "in", R"(["p3","p2"])", "a b"},
    {"owner.parts", "=", R"("k")", "a"},
    {"owner.'parts'.'k'", "!=", R"("p3")", "a"},
    {"owner", "=", R"("Ann")", "c"},
    {"'https://w3id.org/edc/v0.0.1/ns/name'", "=", R"("iri")", "a"},
    {"'a.b'.'c d'", "=", "1", "a"},
    {"'0'", "=", R"("zero")", "a"},
    {"list.0", "=", R"("one")", "b"},
    {"list.0", "=", R"("zero")", ""},
    {"tags.x", "=", "1", "g"},
    // what looks like a number
    {"odd", "=", "5", ""},
    {"odd", "=", "1", ""},
    {"odd", "=", "7", "i"},
    {"odd", "=", "-5", "i"},
    {"odd", ">", "7", ""},
    {"odd", ">=", "-100", "i"},
    // columns
    {"id", "=", R"("c")", "c"},
    {"@id", "in", R"(["c","a"])", "a c"},
    {"id", "!=", R"("c")", "a b d e f g h i"},
    {"id", "like", R"("_")", "a b c d e f g h i"},
    {"id", ">", R"("g")", "h i"},
    {"id", "contains", R"("c")", ""},
    {"id", "=", "1", ""},
    {"createdAt", "=", "1003", "d"},
    {"createdAt", "<", "1002", "a b"},
    {"createdAt", "in", "[1001,1008]", "b i"},
    {"updatedAt", ">=", "1008", "h i"},
    {"state", "=", R"("NEW")", "a"},
};

template <class Database> void add_samples(Database& database) {
  int64_t created_ms = 1000;
  for (const auto& [id, body] : document_samples)
    database.add_document({first_tenant, "asset", id}, body, created_ms++);
  database.add_document({second_tenant, "asset", "a"}, R"({"name":"theirs","tags":["x"]})", 1000);
  database.add_document({first_tenant, "policy_definition", "a"}, R"({"name":"Alpha","tags":["x"]})", 1000);
}

TEST_CASE_TEMPLATE_DEFINE("a query gives exactly the tenant's documents that match", Database, documents_match) {
  Database database;
  add_samples(database);
  auto store = database.documents();
  for (const auto& c : query_cases) {
    INFO(c.path, " ", c.op, " ", c.right);
    CHECK(ids_of(store->query(first_tenant, "asset", where(c.path, c.op, c.right))) == std::string{c.ids});
  }
  auto both = where("tags", "=", R"("x")");
  both.filter.push_back({"open", "=", json::value(true)});
  CHECK(ids_of(store->query(first_tenant, "asset", both)) == "a");
  CHECK(ids_of(store->query(first_tenant, "asset", {})) == "a b c d e f g h i");
  auto theirs = store->query(second_tenant, "asset", {});
  REQUIRE(theirs);
  REQUIRE(theirs->size() == 1);
  CHECK(theirs->front().key == persistence::entity_key{second_tenant, "asset", "a"});
  CHECK(ids_of(store->query(tenant{""}, "asset", {})).empty());
}

TEST_CASE_TEMPLATE_DEFINE("a document is read back by its key and by nobody else's", Database, documents_get) {
  Database database;
  add_samples(database);
  auto store = database.documents();
  auto found = store->get({first_tenant, "asset", "a"});
  REQUIRE(found);
  REQUIRE(*found);
  CHECK((*found)->version == 1);
  CHECK(to_epoch_ms((*found)->created_at) == 1000);
  CHECK(to_epoch_ms((*found)->updated_at) == 1001);
  CHECK(json_of((*found)->body) == json_of(document_samples[0].body));
  for (const auto& key :
       {persistence::entity_key{second_tenant, "asset", "b"}, persistence::entity_key{first_tenant, "asset", "A"},
        persistence::entity_key{first_tenant, "asset", std::string{"\xff", 1}},
        persistence::entity_key{first_tenant, "asset", std::string{"a\0", 2}}}) {
    auto nothing = store->get(key);
    REQUIRE(nothing);
    CHECK_FALSE(*nothing);
  }
}

TEST_CASE_TEMPLATE_DEFINE("what the journal wrote and removed is what the documents of its store show", Database,
                          documents_follow_journal) {
  Database database;
  auto opened = persistence::open_store(database.options());
  REQUIRE(opened);
  const shard_number shards[] = {5};
  auto leases = opened->journal->take_shards(database.options().group, "node", shards, milliseconds{60'000});
  REQUIRE(leases);
  REQUIRE(leases->size() == 1);
  persistence::entity_append a{.key = {first_tenant, "context", "c1"},
                               .shard = 5,
                               .epoch = leases->front().epoch,
                               .expected_seq = 0,
                               .events = {},
                               .status = "ACTIVATED",
                               .view = R"({"pending":true})",
                               .wake = from_epoch_ms(9000),
                               .seen = {},
                               .names = {},
                               .documents = {},
                               .at = from_epoch_ms(1000)};
  a.events.push_back({"context.created", 1, 'j', "{}", ""});
  a.documents.push_back({"asset", "one", R"({"size":1})"});
  a.documents.push_back({"asset", "two", R"({"size":2})"});
  REQUIRE(outcome_of(opened->journal->append({&a, 1}).front()) == "acknowledged");
  CHECK(ids_of(opened->documents->query(first_tenant, "asset", where("size", ">", "1"))) == "two");
  CHECK(ids_of(opened->documents->query_entities(first_tenant, "context", where("pending", "=", "true"))) == "c1");
  a.expected_seq = 1;
  a.at = from_epoch_ms(2000);
  a.status = "DEACTIVATED";
  a.wake.reset();
  a.documents = {{"asset", "one", std::nullopt}, {"asset", "two", R"({"size":3})"}};
  REQUIRE(outcome_of(opened->journal->append({&a, 1}).front()) == "acknowledged");
  CHECK(ids_of(opened->documents->query(first_tenant, "asset", {})) == "two");
  auto two = opened->documents->get({first_tenant, "asset", "two"});
  REQUIRE(two);
  REQUIRE(*two);
  CHECK((*two)->version == 2);
  CHECK((*two)->created_at == from_epoch_ms(1000));
  CHECK((*two)->updated_at == from_epoch_ms(2000));
  auto rows = opened->documents->find_entities("c1");
  REQUIRE(rows);
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().status == "DEACTIVATED");
  CHECK(rows->front().seq == 2);
  CHECK_FALSE(rows->front().wake);
}

TEST_CASE_TEMPLATE_DEFINE("a query is sorted, reversed and cut into pages in one way", Database, documents_order) {
  Database database;
  for (auto [id, body, created_ms] :
       {std::tuple{"s1", R"({"v":"b","o":{"n":3}})", 20}, std::tuple{"s2", R"({"v":10})", 10},
        std::tuple{"S3", R"({"v":"B"})", 10}, std::tuple{"s4", R"({"v":9.5,"o":{"n":1}})", 30},
        std::tuple{"s5", R"({"v":null})", 5}, std::tuple{"s6", R"({"v":"é"})", 6},
        std::tuple{"s7", R"({"v":true,"o":[{"n":2}]})", 7}, std::tuple{"s8", R"({"v":1e400})", 8},
        std::tuple{"s9", R"({"w":1})", 9}})
    database.add_document({first_tenant, "asset", id}, body, created_ms);
  auto store = database.documents();
  auto sorted = [&store](const char* field, bool descending, size_t offset = 0, size_t limit = 50) {
    query_spec spec;
    spec.sort_field = field;
    spec.descending = descending;
    spec.offset = offset;
    spec.limit = limit;
    return ids_of(store->query(first_tenant, "asset", spec));
  };
  CHECK(sorted("", false) == "s5 s6 s7 s8 s9 S3 s2 s1 s4");
  CHECK(sorted("", true) == "s4 s1 s2 S3 s9 s8 s7 s6 s5");
  CHECK(sorted("createdAt", false) == "s5 s6 s7 s8 s9 S3 s2 s1 s4");
  CHECK(sorted("id", false) == "S3 s1 s2 s4 s5 s6 s7 s8 s9");
  CHECK(sorted("v", false) == "s4 s2 s8 S3 s1 s7 s6 s5 s9");
  CHECK(sorted("v", true) == "s6 s7 s1 S3 s8 s2 s4 s9 s5");
  CHECK(sorted("o.n", false) == "s4 s1 s5 s6 s7 s8 s9 S3 s2");
  CHECK(sorted("id", false, 2, 3) == "s2 s4 s5");
  CHECK(sorted("id", false, 8, 3) == "s9");
  CHECK(sorted("id", false, 9).empty());
  CHECK(sorted("id", false, SIZE_MAX, SIZE_MAX).empty());
  CHECK(sorted("id", false, 0, 0).empty());
  CHECK(sorted("id", true, 0, SIZE_MAX) == "s9 s8 s7 s6 s5 s4 s2 s1 S3");
}

TEST_CASE_TEMPLATE_DEFINE("a query never gives more rows than a read may", Database, documents_bound) {
  Database database;
  database.run("begin");
  for (size_t i = 0; i < persistence::limits::read_rows_max + 5; ++i)
    database.add_document({first_tenant, "asset", std::to_string(i)}, "{}", static_cast<int64_t>(i));
  database.run("commit");
  query_spec all;
  all.limit = SIZE_MAX;
  auto rows = database.documents()->query(first_tenant, "asset", all);
  REQUIRE(rows);
  CHECK(rows->size() == persistence::limits::read_rows_max);
}

TEST_CASE_TEMPLATE_DEFINE("a query that tries to break out of its quotes finds nothing", Database, documents_inject) {
  Database database;
  add_samples(database);
  auto store = database.documents();
  for (const char* path : {"x); drop table document --", "name) or (1=1", "'; drop table document; --'", "'$.*'", "@",
                           "name[*]", "'name[0]'", "name.$", "_'", "'**'", "'a' . 'b'"}) {
    INFO(path);
    for (const char* op : {"!=", "=", "contains", "like"}) {
      auto rows = store->query(first_tenant, "asset", where(path, op, R"("x' or '1'='1")"));
      CHECK((rows ? rows->empty() : rows.error().code == query_errc::bad_path));
    }
    query_spec sorted;
    sorted.sort_field = path;
    auto rows = store->query(first_tenant, "asset", sorted);
    CHECK((rows ? rows->size() == 9 : rows.error().code == query_errc::bad_path));
  }
  for (const char* right : {R"("'; drop table document; --")", R"("\\' or 1=1 --")", R"("$1")", R"("?1")"})
    CHECK(ids_of(store->query(first_tenant, "asset", where("name", "=", right))).empty());
  CHECK(ids_of(store->query(first_tenant, "asset' or '1'='1", {})).empty());
  CHECK(ids_of(store->query(first_tenant, "asset", {})) == "a b c d e f g h i");
}

inline entity_row entity_of(const tenant& owner, const char* kind, const char* id, const char* status, const char* view,
                            int64_t created_ms, int64_t updated_ms, std::optional<int64_t> wake_ms = {}) {
  entity_row row{{owner, kind, id}, 7, 3, status, view, from_epoch_ms(created_ms), from_epoch_ms(updated_ms), {}};
  if (wake_ms)
    row.wake = from_epoch_ms(*wake_ms);
  return row;
}

template <class Database> void add_entities(Database& database) {
  const char* view = R"({"counterPartyId":"did:web:a","state":"hidden","pending":false,"stateCount":2})";
  database.add_entity(entity_of(first_tenant, "negotiation", "n1", "REQUESTED", view, 10, 100, 500));
  database.add_entity(entity_of(first_tenant, "negotiation", "n2", "FINALIZED", R"({"pending":true})", 20, 90));
  database.add_entity(entity_of(first_tenant, "negotiation", "n3", "TERMINATED", "", 30, 110));
  database.add_entity(entity_of(first_tenant, "transfer", "t1", "STARTED", "{}", 40, 120, 600));
  database.add_entity(entity_of(second_tenant, "negotiation", "n1", "FINALIZED", R"({"pending":true})", 50, 80));
}

TEST_CASE_TEMPLATE_DEFINE("a query of entities sees their status, times and view", Database, entities_match) {
  Database database;
  add_entities(database);
  auto store = database.documents();
  for (const auto& c : std::initializer_list<query_case>{
           {"state", "=", R"("FINALIZED")", "n2"},
           {"state", "=", R"("hidden")", ""},
           {"state", "!=", R"("FINALIZED")", "n1 n3"},
           {"state", "in", R"(["REQUESTED","TERMINATED"])", "n1 n3"},
           {"state", "not in", R"(["REQUESTED"])", "n2 n3"},
           {"state", "ilike", R"("%ED")", "n1 n2 n3"},
           {"pending", "=", "true", "n2"},
           {"pending", "!=", "true", "n1"},
           {"stateCount", ">", "1", "n1"},
           {"counterPartyId", "like", R"("did:%")", "n1"},
           {"id", "=", R"("n3")", "n3"},
           {"createdAt", ">=", "20", "n2 n3"},
           {"updatedAt", "<", "100", "n2"},
           {"stateTimestamp", "=", "110", "n3"},
       }) {
    INFO(c.path, " ", c.op, " ", c.right);
    CHECK(ids_of(store->query_entities(first_tenant, "negotiation", where(c.path, c.op, c.right))) ==
          std::string{c.ids});
  }
  query_spec latest;
  latest.sort_field = "stateTimestamp";
  latest.descending = true;
  CHECK(ids_of(store->query_entities(first_tenant, "negotiation", latest)) == "n3 n1 n2");
  latest.sort_field = "state";
  CHECK(ids_of(store->query_entities(first_tenant, "negotiation", latest)) == "n3 n1 n2");
  latest.sort_field = "stateCount";
  CHECK(ids_of(store->query_entities(first_tenant, "negotiation", latest)) == "n1 n3 n2");
}

TEST_CASE_TEMPLATE_DEFINE("an operator lists and finds entities across tenants", Database, entities_list) {
  Database database;
  add_entities(database);
  auto store = database.documents();
  CHECK(ids_of(store->list_entities("", 0, 50)) == "t1 n3 n1 n2 n1");
  CHECK(ids_of(store->list_entities("negotiation", 1, 2)) == "n1 n2");
  CHECK(ids_of(store->list_entities("nothing", 0, 50)).empty());
  auto found = store->find_entities("n1");
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  const auto& row = found->front();
  CHECK(row.key == persistence::entity_key{first_tenant, "negotiation", "n1"});
  CHECK(row.shard == 7);
  CHECK(row.seq == 3);
  CHECK(row.status == "REQUESTED");
  CHECK(json_of(row.view).at("stateCount").as_int64() == 2);
  CHECK(row.created_at == from_epoch_ms(10));
  CHECK(row.updated_at == from_epoch_ms(100));
  CHECK(row.wake == from_epoch_ms(500));
  CHECK_FALSE((*found)[1].wake);
  CHECK((*found)[1].key.owner == second_tenant);
  CHECK(ids_of(store->find_entities("nobody")).empty());
  CHECK(ids_of(store->find_entities("\xc3")).empty());
}

} // namespace fondaco::contract
