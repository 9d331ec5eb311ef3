# A layer is a folder, a static library of its sources, and (with tests) one binary of the unit tests beside them.
function(fondaco_layer name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "\\.test\\.cpp$")
  add_library(fondaco_${name} STATIC ${sources})
  target_include_directories(fondaco_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(fondaco_${name} PUBLIC ${ARG_LINKS})
  target_precompile_headers(fondaco_${name} PRIVATE <algorithm> <chrono> <expected> <functional> <map> <memory>
                            <optional> <string> <string_view> <variant> <vector> <boost/json.hpp>)
  set_property(GLOBAL APPEND PROPERTY FONDACO_LAYERS ${name})
endfunction()
