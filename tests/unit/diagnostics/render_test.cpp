#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "compiler/diagnostics/diagnostics.h"

namespace ganc {
namespace {

const std::string text =
    "noise z: [64] ~ normal\n"
    "net G(z: [64]) -> [10] {\n"
    "    let h = z\n"
    "    z + (z -> dense(10))\n"
    "}\n";

Span find(const Sources& sources, std::uint32_t file, std::string_view what) {
  const auto at = static_cast<std::uint32_t>(sources.text(file).find(what));
  return {file, at, at + static_cast<std::uint32_t>(what.size())};
}

TEST_CASE("a diagnostic shows its line, carets, labels, notes and fixes") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text);
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "dense"), "dense")
      .label(find(sources, file, "dense"), "not here")
      .label(find(sources, file, "z: [64] ~"), "this is [64]")
      .note("one\ntwo")
      .fix(find(sources, file, "dense"), "did you mean `conv`?", "conv")
      .fix(find(sources, file, "noise"), "or remove it");
  CHECK(render(diagnostics.all()[0], sources, false) ==
        "error[E0100]: unknown name `dense`\n"
        " --> model.gan:4:15\n"
        "  |\n"
        "1 | noise z: [64] ~ normal\n"
        "  |       --------- this is [64]\n"
        "...\n"
        "4 |     z + (z -> dense(10))\n"
        "  |               ^^^^^ not here\n"
        "  = note: one\n"
        "          two\n"
        "  = help: did you mean `conv`?\n"
        "  = help: or remove it, at model.gan:1:1\n");
}

TEST_CASE("one line between two places is shown, several are left out") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text);
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "G"), "G")
      .label(find(sources, file, "z + "), "");
  CHECK(render(diagnostics.all()[0], sources, false) ==
        "error[E0100]: unknown name `G`\n"
        " --> model.gan:2:5\n"
        "  |\n"
        "2 | net G(z: [64]) -> [10] {\n"
        "  |     ^\n"
        "3 |     let h = z\n"
        "4 |     z + (z -> dense(10))\n"
        "  |     ----\n");
}

TEST_CASE("a place of several lines is shown by its first and last") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text);
  Diagnostics diagnostics;
  const Span all{file, find(sources, file, "{").begin, find(sources, file, "}").end};
  diagnostics.report(Kind::unknown_name, all, "G").label(all, "this body");
  CHECK(render(diagnostics.all()[0], sources, false) ==
        "error[E0100]: unknown name `G`\n"
        " --> model.gan:2:24\n"
        "  |\n"
        "2 | net G(z: [64]) -> [10] {\n"
        "  |                        ^ from here ...\n"
        "...\n"
        "5 | }\n"
        "  | ^ ... to here: this body\n");
}

TEST_CASE("places in other files follow under their names") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text);
  const std::uint32_t other = sources.add("blocks.gan", "layer block(x) { x }\n");
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "normal"), "normal")
      .label(find(sources, other, "block"), "called here");
  CHECK(render(diagnostics.all()[0], sources, false) ==
        "error[E0100]: unknown name `normal`\n"
        " --> model.gan:1:17\n"
        "  |\n"
        "1 | noise z: [64] ~ normal\n"
        "  |                 ^^^^^^\n"
        " ::: blocks.gan:1:7\n"
        "  |\n"
        "1 | layer block(x) { x }\n"
        "  |       ----- called here\n");
}

TEST_CASE("tabs, wide text and what is no text stay aligned") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", "\tlet \xC3\xB6\x01\xFF x = y\n");
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "y"), "y");
  CHECK(render(diagnostics.all()[0], sources, false) ==
        "error[E0100]: unknown name `y`\n"
        " --> model.gan:1:14\n"
        "  |\n"
        "1 |     let \xC3\xB6\xEF\xBF\xBD\xEF\xBF\xBD x = y\n"
        "  |                 ^\n");
}

TEST_CASE("a very long line is shown around its place") {
  Sources sources;
  const std::uint32_t file =
      sources.add("model.gan", std::string(100000, 'a') + " here " + std::string(100000, 'b'));
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "here"), "here");
  const std::string shown = render(diagnostics.all()[0], sources, false);
  CHECK(shown.size() < 1000);
  CHECK(shown.find(" here ") != std::string::npos);
  CHECK(shown.find("^^^^") != std::string::npos);
}

TEST_CASE("a diagnostic without a place is its message") {
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{}, "x").note("why");
  CHECK(render(diagnostics.all()[0], Sources(), false) ==
        "error[E0100]: unknown name `x`\n  = note: why\n");
}

TEST_CASE("colours are added on demand only") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text);
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "G"), "G");
  CHECK(render(diagnostics.all()[0], sources, false).find('\x1b') == std::string::npos);
  CHECK(render(diagnostics.all()[0], sources, true).starts_with("\x1b[1;31merror[E0100]\x1b[0m"));
}

TEST_CASE("JSON has code, severity, message, spans, notes and fixes") {
  Sources sources;
  const std::uint32_t file = sources.add("model.gan", text + "# \xFF");
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, find(sources, file, "dense"), "dense\xFF")
      .label(find(sources, file, "G"), "there")
      .note("n")
      .fix(find(sources, file, "dense"), "did you mean `conv`?", "conv");
  const auto json = nlohmann::json::parse(render_json(diagnostics.all()[0], sources));
  CHECK(json["code"] == "E0100");
  CHECK(json["severity"] == "error");
  CHECK(json["message"] == "unknown name `dense\xEF\xBF\xBD`");
  REQUIRE(json["spans"].size() == 2);
  CHECK(json["spans"][0]["file"] == "model.gan");
  CHECK(json["spans"][0]["line"] == 4);
  CHECK(json["spans"][0]["column"] == 15);
  CHECK(json["spans"][0]["end"]["column"] == 20);
  CHECK(json["spans"][0]["primary"] == true);
  CHECK(json["spans"][1]["label"] == "there");
  CHECK(json["notes"][0] == "n");
  CHECK(json["fixes"][0]["replacement"] == "conv");
}

}  // namespace
}  // namespace ganc
