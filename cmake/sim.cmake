# The simulator: the product's libraries in a world of one seed.
file(GLOB sim_sources CONFIGURE_DEPENDS tests/sim/*.cpp)
add_executable(sim ${sim_sources})
target_include_directories(sim PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(sim PRIVATE fondaco_cells fondaco_cfm)
target_precompile_headers(sim PRIVATE <algorithm> <chrono> <expected> <functional> <map> <memory> <optional> <string>
                          <string_view> <variant> <vector> <boost/json.hpp>)
