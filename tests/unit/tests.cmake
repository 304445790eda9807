# What the unit tests of a stage need beyond their sources.

# link: an object and an archive in place of generated code and runtime. Trainers are never sanitized.
if(TARGET test_link)
  add_library(link_fixture_runtime STATIC ${CMAKE_CURRENT_LIST_DIR}/link/fixtures/runtime.cpp)
  add_library(link_fixture_program OBJECT ${CMAKE_CURRENT_LIST_DIR}/link/fixtures/program.cpp)
  if(GANC_SANITIZE)
    target_compile_options(link_fixture_runtime PRIVATE -fno-sanitize=all)
    target_compile_options(link_fixture_program PRIVATE -fno-sanitize=all)
  endif()
  add_dependencies(test_link link_fixture_runtime link_fixture_program)
  target_compile_definitions(test_link PRIVATE
    GANC_LIBRARIES="${GANC_LIBRARY_FOLDER}"
    FIXTURE_RUNTIME="$<TARGET_FILE:link_fixture_runtime>"
    FIXTURE_PROGRAM="$<TARGET_OBJECTS:link_fixture_program>")
endif()
