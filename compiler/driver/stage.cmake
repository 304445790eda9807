# The version that ganc reports is the project's.
find_package(nlohmann_json REQUIRED)
find_library(GANC_XXHASH xxhash REQUIRED)
target_link_libraries(ganc_driver PRIVATE nlohmann_json::nlohmann_json ${GANC_XXHASH})
target_compile_definitions(ganc_driver PRIVATE GANC_VERSION="${PROJECT_VERSION}")
