# Writes OUTPUT, a C++ file that holds every DIRECTORY/*.md under its name without ending.
file(GLOB files ${DIRECTORY}/*.md)
list(SORT files)
set(rows "")
foreach(file ${files})
  get_filename_component(code ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND rows "    {\"${code}\", R\"explain(${text})explain\"},\n")
endforeach()
list(LENGTH files count)
file(WRITE ${OUTPUT} "#include \"compiler/diagnostics/explanations.h\"

namespace ganc {
namespace {
constexpr Explanation rows[] = {
    {\"\", \"\"},  // an array has at least one element
${rows}};
}  // namespace

std::span<const Explanation> explanations() { return std::span(rows).subspan(1); }

}  // namespace ganc
")
