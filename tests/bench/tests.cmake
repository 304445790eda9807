# Benches are built on demand: `ninja bench_kernels`.
file(GLOB bench_kernels_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/kernels/*.cpp)
add_executable(bench_kernels EXCLUDE_FROM_ALL ${bench_kernels_sources})
target_link_libraries(bench_kernels PRIVATE test_jit test_layers ganc_runtime)
