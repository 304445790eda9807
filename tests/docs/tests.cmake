# What README.md, docs/ and examples/ say, carried out. Only the standard library of Python is needed.
find_program(DEBIAN_PYTHON NAMES /usr/bin/python3 python3)
foreach(name snippets examples)
  add_test(NAME docs/${name} COMMAND ${DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py)
  set_tests_properties(docs/${name} PROPERTIES TIMEOUT 3000 ENVIRONMENT "GANC=${CMAKE_BINARY_DIR}/bin/ganc")
endforeach()
# It compiles a copy of the compiler, so it belongs to the longer runs: ./gan test -C long
add_test(NAME docs/walkthroughs CONFIGURATIONS long
         COMMAND ${DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/walkthroughs_test.py)
set_tests_properties(docs/walkthroughs PROPERTIES TIMEOUT 3000 PROCESSORS 2
  ENVIRONMENT "GANC=${CMAKE_BINARY_DIR}/bin/ganc;WALKTHROUGHS=${CMAKE_BINARY_DIR}/walkthroughs")
