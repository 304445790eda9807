# Runs generated kernels in the test's own process: #include "tests/jit/jit.h".
add_library(test_jit STATIC 
  ${CMAKE_CURRENT_SOURCE_DIR}/jit/jit.cpp ${CMAKE_CURRENT_SOURCE_DIR}/jit/kernel_builder.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/jit/kernel_reference.cpp ${CMAKE_CURRENT_SOURCE_DIR}/jit/kernel_run.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/jit/tile_emulation.cpp)
target_include_directories(test_jit SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
target_compile_definitions(test_jit PRIVATE ${LLVM_DEFINITIONS})
target_link_libraries(test_jit PUBLIC ganc_codegen ganc_runtime LLVM)
foreach(test test_codegen test_schedule test_compiled)
  if(TARGET ${test})
    target_link_libraries(${test} PRIVATE test_jit)
  endif()
endforeach()
