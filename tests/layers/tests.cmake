# Layers of drawn shapes, for tests and benches: #include "tests/layers/layer_shape.h".
add_library(test_layers STATIC ${CMAKE_CURRENT_SOURCE_DIR}/layers/layer_shape.cpp)
target_link_libraries(test_layers PUBLIC ganc_schedule ganc_autodiff ganc_rewrite)
if(TARGET test_compiled)
  target_link_libraries(test_compiled PRIVATE test_layers)
endif()
