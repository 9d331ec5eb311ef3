# Test programs: one of unit tests for each layer, one for what needs PostgreSQL, the contract suite, and the programs
# that drive the real binary from outside.
find_path(FONDACO_HEADER_doctest doctest/doctest.h REQUIRED)
add_library(fondaco_unit_main STATIC tests/support/unit_main.cpp)

function(fondaco_unit_tests target library)
  if(ARGN)
    add_executable(${target} ${ARGN})
    target_link_libraries(${target} PRIVATE fondaco_unit_main ${library})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <expected> <functional> <map> <memory> <optional>
                              <string> <string_view> <variant> <vector> <boost/json.hpp> <doctest/doctest.h>)
    add_test(NAME ${target} COMMAND ${target})
  endif()
endfunction()

get_property(layers GLOBAL PROPERTY FONDACO_LAYERS)
set(server_tests)
set(nats_tests)
foreach(layer IN LISTS layers)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${layer}/*.test.cpp)
  set(needing_server ${tests})
  list(FILTER needing_server INCLUDE REGEX "\\.pg\\.test\\.cpp$")
  set(needing_nats ${tests})
  list(FILTER needing_nats INCLUDE REGEX "\\.nats\\.test\\.cpp$")
  list(FILTER tests EXCLUDE REGEX "\\.(pg|nats)\\.test\\.cpp$")
  list(APPEND server_tests ${needing_server})
  list(APPEND nats_tests ${needing_nats})
  fondaco_unit_tests(${layer}_unit fondaco_${layer} ${tests})
endforeach()

fondaco_unit_tests(nats fondaco_actors ${nats_tests})

file(GLOB contract_tests CONFIGURE_DEPENDS tests/contract/*.test.cpp)
set(contract_server_tests ${contract_tests})
list(FILTER contract_server_tests INCLUDE REGEX "\\.pg\\.test\\.cpp$")
list(FILTER contract_tests EXCLUDE REGEX "\\.pg\\.test\\.cpp$")
fondaco_unit_tests(contract fondaco_persistence ${contract_tests})
fondaco_unit_tests(postgres fondaco_persistence ${server_tests} ${contract_server_tests})

file(GLOB tools_sources CONFIGURE_DEPENDS tools/fondaco/*.cpp)
set(tools_tests ${tools_sources})
list(FILTER tools_tests INCLUDE REGEX "\\.test\\.cpp$")
list(FILTER tools_sources EXCLUDE REGEX "(\\.test|/main)\\.cpp$")
if(tools_tests)
  fondaco_unit_tests(tools_unit fondaco_cells ${tools_tests} ${tools_sources})
  target_link_libraries(tools_unit PRIVATE fondaco_cfm fondaco::cli fondaco::toml)
endif()

# Programs from outside: they share no code with the product.
function(fondaco_outside_program target folder)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  if(sources)
    add_executable(${target} ${sources})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${target} PRIVATE Boost::json Boost::headers Threads::Threads)
  endif()
endfunction()
fondaco_outside_program(dsp_conformance tests/conformance/dsp)
fondaco_outside_program(dsp_driver tests/conformance/dsp_driver)
fondaco_outside_program(dcp_conformance tests/conformance/dcp)
# It prints as the DSP suite does, and reads its settings from files of the same kind.
target_sources(dcp_conformance PRIVATE ${CMAKE_SOURCE_DIR}/tests/conformance/dsp/report.cpp
                                       ${CMAKE_SOURCE_DIR}/tests/conformance/dsp/settings.cpp)
target_link_libraries(dcp_conformance PRIVATE OpenSSL::Crypto)
fondaco_outside_program(e2e tests/e2e)
# It plays a participant with keys of its own.
target_sources(e2e PRIVATE ${CMAKE_SOURCE_DIR}/tests/conformance/dcp/crypto.cpp)
target_link_libraries(e2e PRIVATE OpenSSL::Crypto)
# A long load with what the cases drive nodes with.
fondaco_outside_program(load tests/load)
# The crash matrix: a node is killed at each of its commits.
fondaco_outside_program(crash tests/crash)
target_sources(crash PRIVATE ${CMAKE_SOURCE_DIR}/tests/load/tenants.cpp ${CMAKE_SOURCE_DIR}/tests/load/ledger.cpp)
foreach(part fabric fabric_share insistent_operator onboarding_audit onboarding_effects)
  target_sources(crash PRIVATE ${CMAKE_SOURCE_DIR}/tests/e2e/${part}.cpp)
endforeach()
foreach(part admin answer api node peer process raw store text world)
  foreach(program load crash)
    target_sources(${program} PRIVATE ${CMAKE_SOURCE_DIR}/tests/e2e/${part}.cpp)
  endforeach()
endforeach()

file(GLOB bench_sources CONFIGURE_DEPENDS tools/bench/*.cpp)
if(bench_sources)
  # It starts nodes and speaks to them as the demo does.
  add_executable(fondaco_bench ${bench_sources} ${tools_sources})
  target_link_libraries(fondaco_bench PRIVATE fondaco_cells fondaco_cfm fondaco::cli fondaco::toml fondaco::crypto)
endif()

# Kept files that tests read: __FILE__ may be relative, to whatever folder a compiler cache was told.
set_property(
  SOURCE ${CMAKE_SOURCE_DIR}/gateway/metrics.test.cpp ${CMAKE_SOURCE_DIR}/tools/fondaco/golden.test.cpp
         ${CMAKE_SOURCE_DIR}/tests/e2e/operator_cases.cpp
  APPEND PROPERTY COMPILE_DEFINITIONS "FONDACO_SOURCE_FOLDER=\"${CMAKE_SOURCE_DIR}\"")
