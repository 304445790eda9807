# The version that ganc reports is the project's.
find_package(nlohmann_json REQUIRED)
target_link_libraries(ganc_driver PRIVATE nlohmann_json::nlohmann_json)
target_compile_definitions(ganc_driver PRIVATE GANC_VERSION="${PROJECT_VERSION}")
