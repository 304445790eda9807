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

# Every header compiles alone, under the flags of its library.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
     ${CMAKE_SOURCE_DIR}/compiler/*.h ${CMAKE_SOURCE_DIR}/runtime/*.h)
set(header_sources)
foreach(header ${headers})
  string(REPLACE "/" "_" name ${header})
  set(source ${CMAKE_BINARY_DIR}/headers/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
  list(APPEND header_sources ${source})
endforeach()
add_library(headers_compile_alone OBJECT ${header_sources})
target_include_directories(headers_compile_alone PRIVATE ${CMAKE_SOURCE_DIR})
target_include_directories(headers_compile_alone SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
target_link_libraries(headers_compile_alone PRIVATE fmt::fmt nlohmann_json::nlohmann_json)
target_compile_options(headers_compile_alone PRIVATE -O0 -g0)

add_test(NAME unit/format COMMAND ${CMAKE_CURRENT_LIST_DIR}/repository/format.sh ${CMAKE_SOURCE_DIR})
set_tests_properties(unit/format PROPERTIES SKIP_RETURN_CODE 77)

# driver: runs the compiler of this build.
if(TARGET test_driver AND TARGET ganc)
  add_dependencies(test_driver ganc)
  target_link_libraries(test_driver PRIVATE nlohmann_json::nlohmann_json)
  target_compile_definitions(test_driver PRIVATE GANC_BINARY="$<TARGET_FILE:ganc>")
endif()

# Random programs, graphs and layers: more of them than a unit test has by itself, and on demand (./gan test -C long)
# a hundred thousand, ten thousand and two thousand.
if(TARGET test_elaborate)
  set_tests_properties(unit/elaborate PROPERTIES ENVIRONMENT "GANC_FUZZ_COUNT=10000" TIMEOUT 1500 COST 100)
  add_test(NAME long/mutated_programs CONFIGURATIONS long COMMAND test_elaborate "a mutated*")
  set_tests_properties(long/mutated_programs PROPERTIES ENVIRONMENT "GANC_FUZZ_COUNT=100000" TIMEOUT 7200)
endif()
if(TARGET test_compiled)
  set_tests_properties(unit/compiled PROPERTIES ENVIRONMENT "GANC_FUZZ_COUNT=1000" TIMEOUT 1500 COST 200)
  add_test(NAME long/random_graphs CONFIGURATIONS long COMMAND test_compiled "random graphs*")
  set_tests_properties(long/random_graphs PROPERTIES ENVIRONMENT "GANC_FUZZ_COUNT=10000" TIMEOUT 14400)
  add_test(NAME long/odd_shapes CONFIGURATIONS long COMMAND test_compiled "layers of odd shapes*")
  set_tests_properties(long/odd_shapes PROPERTIES ENVIRONMENT "GANC_FUZZ_COUNT=10000" TIMEOUT 7200)
endif()
