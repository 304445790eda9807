# Writes OUTPUT: the text of every .gan file in DIRECTORY as a C++ source.
file(GLOB files ${DIRECTORY}/*.gan)
list(SORT files)
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} content)
  # A literal may hold 64 KiB at most by the standard; a file of the prelude stays far below.
  string(APPEND rows "    {\"${name}\", R\"prelude(${content})prelude\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"compiler/prelude/prelude.h\"

namespace ganc {

std::span<const PreludeFile> prelude_files_embedded() {
  static constexpr PreludeFile files[] = {
${rows}  };
  return files;
}

}  // namespace ganc
")
