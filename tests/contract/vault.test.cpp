#include <doctest/doctest.h>

#include "tests/contract/scratch_sqlite.hpp"
#include "tests/contract/vault_contract.hpp"

namespace fondaco::contract {

TEST_CASE_TEMPLATE_INVOKE(vault_seals, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_separates, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_authenticates, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_names, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_refuses_names, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_shreds, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_checks_key, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_races, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_cache, scratch_sqlite);
TEST_CASE_TEMPLATE_INVOKE(vault_hides, scratch_sqlite);

} // namespace fondaco::contract
