# Numbers against PyTorch. Debian's python3 is asked for, since its python3-torch goes with it; a test whose Python has
# no torch exits with 77 and shows as skipped.
find_program(GANC_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)

add_executable(dump_ops ${CMAKE_CURRENT_LIST_DIR}/dump_ops.cpp
                        ${CMAKE_CURRENT_SOURCE_DIR}/unit/ops/sample_graphs.cpp)
target_link_libraries(dump_ops PRIVATE ganc_interpret ganc_autodiff)
if(GANC_PYTHON)
  add_test(NAME numeric/ops_against_torch
           COMMAND ${GANC_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/ops_against_torch.py $<TARGET_FILE:dump_ops>)
  add_test(NAME numeric/ops_against_torch_finds_errors
           COMMAND ${GANC_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/ops_against_torch.py --spoil $<TARGET_FILE:dump_ops>)
  set_tests_properties(numeric/ops_against_torch numeric/ops_against_torch_finds_errors
                       PROPERTIES SKIP_RETURN_CODE 77)
endif()
