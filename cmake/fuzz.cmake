# The fuzz targets of tests/fuzz. In the preset `fuzz` (clang) each is a libFuzzer program fuzz_NAME over the few sources
# that it needs; in the others `fuzz_replay` runs the kept corpus of all of them through the layers' libraries.
set(FONDACO_FUZZ_TARGETS json jose dsp dcp http config)

if(NOT FONDACO_FUZZ)
  file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*.cpp)
  list(FILTER fuzz_sources EXCLUDE REGEX "/fuzzer\\.cpp$")
  file(GLOB config_sources CONFIGURE_DEPENDS tools/fondaco/config*.cpp)
  list(FILTER config_sources EXCLUDE REGEX "\\.test\\.cpp$")
  add_executable(fuzz_replay ${fuzz_sources} ${config_sources})
  target_link_libraries(fuzz_replay PRIVATE fondaco_gateway fondaco::toml)
  return()
endif()

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  # An older clang says in __cpp_concepts that it lacks what the <expected> of libstdc++ 12 asks for.
  message(FATAL_ERROR "The fuzz targets need clang 19 or later: configure with the preset `fuzz`")
endif()
# Coverage is counted in the same build, so that what is measured is what is fuzzed.
add_compile_options(-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
add_link_options(-fprofile-instr-generate)

# A static library of what these patterns name; nothing links the rest of a layer.
function(fondaco_fuzzed name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_SOURCES})
  list(FILTER sources EXCLUDE REGEX "\\.test\\.cpp$")
  add_library(fuzzed_${name} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(fuzzed_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(fuzzed_${name} PUBLIC ${ARG_LINKS})
endfunction()

fondaco_fuzzed(json SOURCES protocols/base/*.cpp protocols/json/*.cpp LINKS fondaco::json fondaco::crypto)
fondaco_fuzzed(jose SOURCES protocols/jose/*.cpp LINKS fuzzed_json)
fondaco_fuzzed(messages SOURCES protocols/jsonld/*.cpp LINKS fuzzed_json)
fondaco_fuzzed(dsp SOURCES protocols/dsp/*.cpp protocols/odrl/*.cpp LINKS fuzzed_messages)
fondaco_fuzzed(dcp SOURCES protocols/dcp/*.cpp protocols/did/*.cpp protocols/vc/*.cpp
               LINKS fuzzed_messages fuzzed_jose fondaco::zip)
fondaco_fuzzed(http SOURCES gateway/http.cpp gateway/router.cpp gateway/form.cpp gateway/problem.cpp
                            gateway/detail/connection.cpp gateway/detail/wire.cpp gateway/detail/head.cpp
                            gateway/detail/text.cpp gateway/detail/address.cpp actors/ports/log.cpp
                            actors/ports/clock.cpp
               LINKS fuzzed_json fondaco::http fondaco::log)
fondaco_fuzzed(config SOURCES tools/fondaco/config*.cpp LINKS fuzzed_json fondaco::http fondaco::toml)

set(fuzz_support_jose tests/fuzz/keys.cpp)
set(fuzz_support_dcp tests/fuzz/keys.cpp)
set(fuzz_support_http tests/fuzz/one_connection.cpp)
foreach(name IN LISTS FONDACO_FUZZ_TARGETS)
  add_executable(fuzz_${name} tests/fuzz/fuzzer.cpp tests/fuzz/${name}_fuzz.cpp ${fuzz_support_${name}})
  target_compile_definitions(fuzz_${name} PRIVATE FONDACO_FUZZ_TARGET=${name}_target)
  target_link_libraries(fuzz_${name} PRIVATE fuzzed_${name})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endforeach()
