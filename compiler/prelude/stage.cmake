# Puts the prelude's *.gan into the elaborator.
set(prelude_dir ${CMAKE_CURRENT_SOURCE_DIR}/compiler/prelude)
set(prelude_source ${CMAKE_BINARY_DIR}/generated/prelude.cpp)
file(GLOB prelude_files CONFIGURE_DEPENDS ${prelude_dir}/*.gan)
add_custom_command(
  OUTPUT ${prelude_source}
  COMMAND ${CMAKE_COMMAND} -D DIRECTORY=${prelude_dir} -D OUTPUT=${prelude_source} -P ${prelude_dir}/embed.cmake
  DEPENDS ${prelude_files} ${prelude_dir}/embed.cmake
  COMMENT "Embedding the prelude")
target_sources(ganc_elaborate PRIVATE ${prelude_source})
