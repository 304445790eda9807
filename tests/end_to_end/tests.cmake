# Whole uses of compiler and trainers. They need Debian's python3 with numpy (and torch, for one) and skip visibly without.
find_program(DEBIAN_PYTHON NAMES /usr/bin/python3 python3)
foreach(name same_bits ring torch_step trainer_file memory divergence)
  add_test(NAME end_to_end/${name}
           COMMAND ${DEBIAN_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/${name}_test.py)
  set_tests_properties(end_to_end/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1500
    ENVIRONMENT "GANC=${CMAKE_BINARY_DIR}/bin/ganc")
endforeach()
