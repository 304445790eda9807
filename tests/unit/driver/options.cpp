#include "compiler/driver/options.h"

#include <catch2/catch.hpp>

#include <sstream>

using namespace ganc;

namespace {

std::expected<Options, UsageEnd> parse(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return parse_options(words);
}

std::string wrong(const std::string& line) {
  const auto options = parse(line);
  if (options) return "no error";
  CHECK(options.error().exit_code == 2);
  return options.error().text;
}

}  // namespace

TEST_CASE("every option of a verb that compiles is read") {
  const auto options = parse(
      "build a.gan -o trainer --set n=3 --set=m=-1 --batch=32 --precision exact --dtype f64 --cpu "
      "x86-64-v3 "
      "--target cpu -O0 --allow unused --deny warnings --format json");
  REQUIRE(options);
  CHECK(options->verb == Verb::build);
  CHECK(options->files == std::vector<std::string>{"a.gan"});
  CHECK(options->output == "trainer");
  CHECK(options->json);
  const CompileOptions& compile = options->compile;
  CHECK(compile.set == std::vector<std::pair<std::string, std::string>>{{"n", "3"}, {"m", "-1"}});
  CHECK(compile.batch == 32);
  CHECK(compile.precision == Precision::exact);
  CHECK(compile.f64);
  CHECK(compile.cpu == Cpu::x86_64_v3);
  CHECK(!compile.cuda);
  CHECK(!compile.optimize);
  CHECK(compile.allow == std::vector<std::string>{"unused"});
  CHECK(compile.deny == std::vector<std::string>{"warnings"});
}

TEST_CASE("without options all variants are built, optimized, in float32") {
  const auto options = parse("check a.gan b.gan");
  REQUIRE(options);
  CHECK(options->files.size() == 2);
  CHECK(!options->json);
  CHECK(options->compile.optimize);
  CHECK(!options->compile.f64);
  CHECK(!options->compile.batch);
  CHECK(!options->compile.precision);
  CHECK(options->compile.cpu == Cpu::automatic);
}

TEST_CASE("what follows -- is the trainer's, whatever it looks like") {
  const auto options = parse("run a.gan --batch 8 -- sample --count 4 -- --help");
  REQUIRE(options);
  CHECK(options->files == std::vector<std::string>{"a.gan"});
  CHECK(options->compile.batch == 8);
  CHECK(options->trainer_arguments ==
        std::vector<std::string>{"sample", "--count", "4", "--", "--help"});
}

TEST_CASE("- is a file, --target a list") {
  const auto options = parse("emit kernels - --program D --target cpu,cuda");
  REQUIRE(options);
  CHECK(options->files == std::vector<std::string>{"-"});
  CHECK(options->stage == EmitStage::kernels);
  CHECK(options->program == "D");
  CHECK(options->compile.cuda);
}

TEST_CASE("explain has three forms") {
  CHECK(parse("explain")->verb == Verb::explain_code);
  CHECK(parse("explain E0123")->code == "E0123");
  const auto grad = parse("explain grad D.dense.w a.gan");
  REQUIRE(grad);
  CHECK(grad->verb == Verb::explain_grad);
  CHECK(grad->weight == "D.dense.w");
  CHECK(grad->files == std::vector<std::string>{"a.gan"});
  const auto cost = parse("explain cost a.gan");
  REQUIRE(cost);
  CHECK(cost->verb == Verb::explain_cost);
  CHECK(cost->threads == 2);
  CHECK(parse("explain cost a.gan --threads 4")->threads == 4);
  CHECK(wrong("explain cost a.gan --threads 0").find("--threads") != std::string::npos);
  CHECK(wrong("explain grad D.dense.w").find("grad WEIGHT FILE") != std::string::npos);
  CHECK(wrong("explain E0123 more").find("explain takes") != std::string::npos);
}

TEST_CASE("wrong usage is exit code 2, says what is wrong and where help is") {
  CHECK(wrong("").find("a verb is missing: build") == 0);
  CHECK(wrong("chek a.gan").find("did you mean `check`?") != std::string::npos);
  CHECK(wrong("xyzzy").find("there are build, run") != std::string::npos);
  CHECK(wrong("build").find("FILE is required\n`ganc build --help`") == 0);
  CHECK(wrong("build a.gan b.gan").find("b.gan") != std::string::npos);
  CHECK(wrong("build a.gan --frobnicate").find("--frobnicate") != std::string::npos);
  CHECK(wrong("build --nonsense").find("there is no option `--nonsense`\n") == 0);
  CHECK(
      wrong("check --batc=3 a.gan").find("there is no option `--batc`; did you mean `--batch`?") ==
      0);
  CHECK(wrong("emit pictures a.gan").find("pictures") != std::string::npos);
  CHECK(wrong("build a.gan --batch 0").find("--batch") != std::string::npos);
  CHECK(wrong("build a.gan --batch 1e9").find("--batch") != std::string::npos);
  CHECK(wrong("build a.gan --set n").find("`n` is not NAME=VALUE") != std::string::npos);
  CHECK(wrong("build a.gan --cpu pentium").find("pentium") != std::string::npos);
  CHECK(wrong("build a.gan -O1").find("-O") != std::string::npos);
  CHECK(wrong("fmt a.gan --batch 3").find("--batch") != std::string::npos);
}

TEST_CASE("every verb has help with an example") {
  for (const char* verb : {"build", "run", "check", "fmt", "emit", "explain"}) {
    INFO(verb);
    for (const char* flag : {" --help", " -h"}) {
      const auto end = parse(std::string(verb) + flag);
      REQUIRE(!end);
      CHECK(end.error().exit_code == 0);
      CHECK(end.error().text.find(std::string("Usage: ganc ") + verb) != std::string::npos);
      CHECK(end.error().text.find(std::string("Example:\n  ganc ") + verb) != std::string::npos);
    }
  }
  CHECK(parse("--version").error().text.find("ganc 0.") == 0);
  CHECK(parse("--version").error().exit_code == 0);
}

TEST_CASE("wrong usage under --format json is known to ask for JSON") {
  CHECK(parse("build --format json").error().json);
  CHECK(parse("build --format=json").error().json);
  CHECK(!parse("build").error().json);
}
