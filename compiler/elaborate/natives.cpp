#include "compiler/elaborate/natives.h"

#include <algorithm>
#include <array>

namespace ganc::elab {
namespace {

NativeFunction parse(const NativeRow& row) {
  NativeFunction f;
  const std::string_view s = row.signature;
  const std::size_t open = s.find('(');
  f.name = std::string(s.substr(0, open));
  f.code = row.code;
  std::size_t at = open + 1;
  while (at < s.size() && s[at] != ')') {
    std::size_t end = s.find_first_of(",)", at);
    std::string_view one = s.substr(at, end - at);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    const std::size_t equal = one.find(" = ");
    f.parameters.push_back({std::string(one.substr(0, equal)), equal != std::string_view::npos});
    at = s[end] == ',' ? end + 1 : end;
  }
  return f;
}

constexpr std::array sources = {"digits", "mnist",   "ring",  "grid",   "swissroll",
                                "images", "cifar10", "pairs", "scenes", "waves",
                                "table",  "series",  "text",  "npy"};
constexpr std::array metrics = {"fid", "inception_score", "precision_recall", "mode_coverage"};

}  // namespace

const std::vector<NativeFunction>& all_natives() {
  static const std::vector<NativeFunction> table = [] {
    std::vector<NativeFunction> all;
    for (const auto* rows :
         {&elementwise_natives(), &reduce_natives(), &movement_natives(), &index_natives(),
          &contract_natives(), &list_natives(), &batch_natives(), &net_natives(),
          &distribution_natives(), &special_natives()}) {
      for (const NativeRow& row : *rows) all.push_back(parse(row));
    }
    return all;
  }();
  return table;
}

bool is_source(std::string_view function) {
  return std::find(sources.begin(), sources.end(), function) != sources.end();
}

bool is_metric(std::string_view function) {
  return std::find(metrics.begin(), metrics.end(), function) != metrics.end();
}

}  // namespace ganc::elab
