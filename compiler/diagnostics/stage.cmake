# Puts explain/*.md into the library, for `ganc explain`.
set(explain_dir ${CMAKE_CURRENT_SOURCE_DIR}/compiler/diagnostics/explain)
set(explain_source ${CMAKE_BINARY_DIR}/generated/explanations.cpp)
file(GLOB explain_files CONFIGURE_DEPENDS ${explain_dir}/*.md)
add_custom_command(
  OUTPUT ${explain_source}
  COMMAND ${CMAKE_COMMAND} -D DIRECTORY=${explain_dir} -D OUTPUT=${explain_source}
          -P ${CMAKE_CURRENT_SOURCE_DIR}/compiler/diagnostics/embed.cmake
  DEPENDS ${explain_files} ${CMAKE_CURRENT_SOURCE_DIR}/compiler/diagnostics/embed.cmake
  COMMENT "Embedding the explanations of diagnostics")
target_sources(ganc_diagnostics PRIVATE ${explain_source})
