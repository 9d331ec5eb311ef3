# What `fondaco version` says: the revision of a clone, as it is when the build is configured.
set(FONDACO_REVISION "unknown")
if(EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE revision
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(FONDACO_REVISION ${revision})
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/tools/fondaco/version.cpp PROPERTIES COMPILE_DEFINITIONS
                            "FONDACO_VERSION=\"${PROJECT_VERSION}\";FONDACO_REVISION=\"${FONDACO_REVISION}\"")
