#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/unit/elaborate/elaborated.h"
#include "tests/unit/expectations.h"

namespace ganc::testing {
namespace {

std::vector<std::filesystem::path> error_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GANC_TESTS "/errors/elaborate")) {
    if (entry.path().extension() == ".gan") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The kinds that elaboration reports: E01.. and the warnings.
bool is_ours(const KindInfo& kind) {
  return kind.severity == Severity::warning || kind.code.starts_with("E01");
}

TEST_CASE("every error test reports what its comments say") {
  const auto files = error_files();
  REQUIRE(files.size() >= 50);
  for (const auto& path : files) {
    const Elaborated e(read_text(path), {}, path.string());
    INFO(path.filename().string());
    for (const std::string& wrong : mismatches(e.sources, e.file, e.diagnostics)) FAIL_CHECK(wrong);
    CHECK_FALSE(e.diagnostics.all().empty());
  }
}

TEST_CASE("every kind that elaboration reports has an error test") {
  std::set<std::string> expected = {"E0108",
                                    "E0109"};  // settings: tested in train_test.cpp, without a file
  for (const auto& path : error_files()) {
    for (const Expectation& e : expectations(read_text(path))) expected.insert(e.code);
  }
  for (const Kind kind : all_kinds()) {
    if (!is_ours(info(kind))) continue;
    INFO(info(kind).name << " has no test in tests/errors/elaborate");
    CHECK(expected.contains(std::string(info(kind).code)));
  }
}

TEST_CASE("an error in the prelude is shown at the user's call, with what was called") {
  const Elaborated e(
      "noise z: [4] ~ normal\nnet G(z: [4]) -> [2] { z -> dense(3.5) -> dense(2) }\noutput o = "
      "G(z)\n");
  REQUIRE(e.diagnostics.error_count() == 1);
  const Diagnostic& d = e.diagnostics.all().front();
  CHECK(d.span.file == e.file);
  CHECK(e.sources.text(d.span) == "dense(3.5)");
  const std::string text = render(d, e.sources, false);
  CHECK(text.find("in the call of `dense`") != std::string::npos);
  CHECK(text.find("`G` is called here") != std::string::npos);
}

// The first diagnostic of a program as it is shown.
std::string shown(const std::string& text) {
  const Elaborated e(text);
  REQUIRE_FALSE(e.diagnostics.all().empty());
  return render(e.diagnostics.all().front(), e.sources, false);
}

TEST_CASE("notes name the parameters, the ranks, the shapes and the parts that there are") {
  const std::string noise = "noise z: [1, 8, 8] ~ normal\n";
  CHECK(shown(noise + "net G(z: [1, 8, 8]) { conv(z, 8, 3, paddings = 1) }\noutput o = G(z)\n")
            .find("it has `x`, `channels`, `kernel`, `stride`, `pad`") != std::string::npos);
  CHECK(shown(noise + "output o = concat(z, sum(z, keep = 0))\n")
            .find("as many axes, but have 3 and 1") != std::string::npos);
  const std::string nets =
      "data x: [2] from ring()\nnet D(x: [2]) { dense(x, 1) }\nnet C(x: [2]) { dense(x, 3) }\n";
  CHECK(shown(nets + "train for 1 steps { C minimizes E[C(x)] by sgd(1)\n"
                     "  D minimizes E[D(x)] by sgd(1)\n  average D into C, decay 0.9 }\n")
            .find("`D.dense.w` is [2, 1], `C.dense.w` is [2, 3]") != std::string::npos);
  CHECK(shown(nets + "train for 1 steps { C.nope minimizes E[C(x)] by sgd(1) }\n")
            .find("it has `C.dense`") != std::string::npos);
  CHECK(shown(nets + "train for 1 steps { C.dens minimizes E[C(x)] by sgd(1) }\n")
            .find("did you mean `C.dense`?") != std::string::npos);
}

TEST_CASE("what this version lacks has its line") {
  const Elaborated e("data w: [64] from waves(\"x\")\n\noutput o = audio(w, 8000)\n");
  REQUIRE(e.model.missing.size() == 2);
  CHECK(e.model.missing[0] == e.sources.name(e.file) + ":1: the source `waves` cannot be read yet");
  CHECK(e.model.missing[1] == e.sources.name(e.file) + ":3: sound cannot be written yet");
}

TEST_CASE("the rows of a copy have the parameters of the original's") {
  const Elaborated e(
      "data x: [2] from ring()\nnet D(x: [2]) { x -> dense(3) -> dense(1) }\nnet C = copy(D)\n"
      "train for 1 steps { D minimizes E[D(x)] by sgd(1)\n  average D into C, decay 0.9 }\n"
      "output o = C(x)\n");
  REQUIRE(e.model.nets.size() == 2);
  REQUIRE(e.model.nets[1].layers.size() == 2);
  CHECK(e.model.nets[1].layers[0].parameters == 9);
  CHECK(e.model.nets[1].layers[1].parameters == 4);
  CHECK(e.model.nets[1].parameters == 13);
}

TEST_CASE("`require` gives its value, and of a runtime number knows nothing") {
  const Elaborated e(
      "data x: [2] from ring()\nfn f(x, p) { x * require(p, p < 1, \"a p below 1\") }\n"
      "net D(x: [2]) { dense(x, 1) }\n"
      "train for 1 steps { D minimizes E[D(f(x, progress))] + E[D(f(x, 0.5))] by sgd(1) }\n");
  CHECK(e.diagnostics.all().empty());
  CHECK(shown("noise z: [2] ~ normal\noutput o = require(z, 1, 2)\n").find("a text in quotes") !=
        std::string::npos);
}

TEST_CASE("a mistake is reported once, whatever uses its value") {
  const Elaborated e(
      "noise z: [4] ~ normal\nnet G(z: [4]) -> [2] {\n  let h = z -> dens(4)\n  let g = h + 1\n  g "
      "-> dense(2)\n}\n"
      "output a = G(z)\noutput b = G(z)\n");
  CHECK(e.diagnostics.error_count() == 1);
  REQUIRE_FALSE(e.diagnostics.all().front().fixes.empty());
  CHECK(e.diagnostics.all().front().fixes.front().text == "dense");
}

// What is suggested for the one unknown name of a program.
std::string suggested(const std::string& text) {
  const Elaborated e(text);
  REQUIRE(e.diagnostics.error_count() == 1);
  const Diagnostic& d = e.diagnostics.all().front();
  return d.fixes.empty() ? "" : d.fixes.front().text;
}

TEST_CASE("the name that is suggested can be what it is used as") {
  const std::string start =
      "data x: [2] from ring()\nnet D(x: [2]) -> [1] { x -> dense(1) }\nconst sgdd = 1\n"
      "fn adb(lr) { lr }\nnoise denses: [2] ~ normal\n";
  const auto by = [&](const std::string& optimizer) {
    return suggested(start + "train for 9 steps, batch 8 { D minimizes E[D(x)^2] by " + optimizer +
                     " }\noutput o = adb(denses)\n");
  };
  CHECK(by("adm(lr = 1)") == "adam");  // not the function `adb`
  CHECK(by("adan(lr = 1)") == "adam");
  CHECK(by("rmspro(lr = 1) -> within(0.01)") == "rmsprop");
  CHECK(by("sgd(lr = 1) -> withn(0.01)") == "within");
  CHECK(suggested(start + "output o = denses -> densee(2)\n") == "dense");  // not the noise
  CHECK(suggested(start + "output o = adb(densess)\n") == "denses");
}

std::vector<std::string> gan_blocks(const std::string& text) {
  std::vector<std::string> blocks;
  const std::string fence = "```gan\n";
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t begin = at + fence.size();
    blocks.push_back(text.substr(begin, text.find("```", begin) - begin));
  }
  return blocks;
}

std::set<std::string> codes_of(const std::string& text) {
  const Elaborated e(text);
  std::set<std::string> codes;
  for (const Diagnostic& d : e.diagnostics.all()) codes.emplace(info(d.kind).code);
  return codes;
}

TEST_CASE("the examples of the explanations are wrong and right as they say") {
  for (const Kind kind : all_kinds()) {
    if (!is_ours(info(kind))) continue;
    const std::string code(info(kind).code);
    INFO(code);
    CHECK_FALSE(explain(code).empty());
    const std::vector<std::string> blocks = gan_blocks(explain(code));
    if (blocks.size() == 2) CHECK(codes_of(blocks[0]).contains(code));
    if (!blocks.empty()) CHECK(codes_of(blocks.back()).empty());
  }
}

}  // namespace
}  // namespace ganc::testing
