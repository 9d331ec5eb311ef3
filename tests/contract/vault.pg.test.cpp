#include <doctest/doctest.h>

#include "tests/contract/scratch_postgres.hpp"
#include "tests/contract/vault_contract.hpp"

namespace fondaco::contract {

TEST_CASE_TEMPLATE_INVOKE(vault_seals, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_separates, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_authenticates, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_names, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_refuses_names, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_shreds, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_checks_key, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_races, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_cache, scratch_postgres);
TEST_CASE_TEMPLATE_INVOKE(vault_hides, scratch_postgres);

} // namespace fondaco::contract
