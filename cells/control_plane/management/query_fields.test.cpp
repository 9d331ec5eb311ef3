#include <doctest/doctest.h>

#include "cells/control_plane/management.hpp"
#include "cells/control_plane/management/query_fields.hpp"

namespace {

using namespace fondaco;
using namespace fondaco::control_plane::management;

query_plan plan(const field_map& fields, const std::string& left, json::value right = "x") {
  persistence::query_spec spec;
  spec.filter.push_back({left, "=", std::move(right)});
  auto planned = plan_query(std::move(spec), tenant("alice"), fields);
  REQUIRE(planned.has_value());
  return std::move(*planned);
}

int refused(const field_map& fields, const std::string& left) {
  persistence::query_spec spec;
  spec.sort_field = left;
  auto planned = plan_query(std::move(spec), tenant("alice"), fields);
  return planned ? 200 : planned.error().status;
}

} // namespace

TEST_CASE("a filter's field is found where the entity keeps it") {
  struct row {
    const field_map& fields;
    const char* asked;
    const char* stored;
  };
  for (const auto& r : {
           row{asset_fields(), "id", "'id'"},
           row{asset_fields(), "https://w3id.org/edc/v0.0.1/ns/id",
               "'lookup'.'https://w3id'.'org/edc/v0'.'0'.'1/ns/id'"},
           row{asset_fields(), "'https://w3id.org/edc/v0.0.1/ns/id'", "'id'"},
           row{asset_fields(), "edc:name", "'lookup'.'name'"},
           row{asset_fields(), "name.first", "'lookup'.'name'.'first'"},
           row{asset_fields(), "properties.'edc:name'", "'properties'.'name'"},
           row{asset_fields(), "privateProperties.x", "'privateProperties'.'x'"},
           row{asset_fields(), "'http://purl.org/dc/terms/title'", "'lookup'.'http://purl.org/dc/terms/title'"},
           row{policy_definition_fields(), "uid", "'id'"},
           row{policy_definition_fields(), "policy.permissions.action", "'policy'.'permission'.'action'"},
           row{policy_definition_fields(), "policy.type", "'policy'.'@type'"},
           row{negotiation_fields(), "protocol", "'profile'"},
           row{negotiation_fields(), "contractAgreement.id", "'contractAgreementId'"},
           row{transfer_fields(), "dataPlaneId", "'dataplaneId'"},
           row{edr_fields(), "transferProcessId", "'id'"},
           row{edr_fields(), "agreementId", "'contractId'"},
       }) {
    INFO(std::string(r.asked));
    CHECK(plan(r.fields, r.asked).spec.filter.at(0).operand_left == r.stored);
  }
}

TEST_CASE("a state is asked for by its name or its code") {
  CHECK(plan(negotiation_fields(), "state", 850).spec.filter.at(0).operand_right == json::value("AGREED"));
  CHECK(plan(transfer_fields(), "state", 600).spec.filter.at(0).operand_right == json::value("STARTED"));
  CHECK(plan(transfer_fields(), "state", json::array{600, "SUSPENDED"}).spec.filter.at(0).operand_right ==
        json::value(json::array{"STARTED", "SUSPENDED"}));
  CHECK(plan(transfer_fields(), "state", "STARTED").spec.filter.at(0).operand_right == json::value("STARTED"));
}

TEST_CASE("a query never reaches another participant") {
  CHECK(plan(asset_fields(), "participantContextId", "bob").nothing);
  CHECK_FALSE(plan(asset_fields(), "participantContextId", "alice").nothing);
  CHECK(plan(asset_fields(), "participantContextId", "alice").spec.filter.empty());
  persistence::query_spec spec;
  spec.filter.push_back({"participantContextId", "!=", json::value("alice")});
  CHECK_FALSE(plan_query(std::move(spec), tenant("alice"), asset_fields()).has_value());
}

TEST_CASE("a field that an entity does not have, or that is hidden, cannot be asked for") {
  CHECK(refused(policy_definition_fields(), "colour") == 400);
  CHECK(refused(negotiation_fields(), "causes") == 400);
  CHECK(refused(transfer_fields(), "sealedAddress") == 400);
  CHECK(refused(edr_fields(), "sealedAddress") == 400);
  CHECK(refused(agreement_fields(), "negotiationId") == 400);
  CHECK(refused(asset_fields(), "1x") == 400);
  CHECK(refused(asset_fields(), "") == 200);
  CHECK(plan(asset_fields(), "sealedDataAddress").spec.filter.at(0).operand_left == "'lookup'.'sealedDataAddress'");
}

TEST_CASE("an assets selector's criterion is the same as an asset query's") {
  CHECK(control_plane::asset_criterion({"edc:name", "=", json::value("x")}).operand_left == "'lookup'.'name'");
  CHECK(control_plane::asset_criterion({"a..b", "=", json::value("x")}).operand_left == "a..b");
}
