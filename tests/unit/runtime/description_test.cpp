#include <catch2/catch.hpp>

#include "runtime/description.h"
#include "toy_program.h"

using namespace ganc::runtime;

namespace {

// The description with the first `from` replaced; what reading it says.
std::string damage(const std::string& from, const std::string& to) {
  std::string text = toy_description({});
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const auto read = read_description(toy_program_with(text));
  REQUIRE_FALSE(read);
  CHECK(read.error().exit_code == 70);
  CHECK_THAT(read.error().message, Catch::Contains("the program inside this trainer is damaged") &&
                                       Catch::Contains("report it as a bug of ganc"));
  return read.error().message;
}

}  // namespace

TEST_CASE("the description becomes structs") {
  const auto read = read_description(toy_program({}));
  REQUIRE(read);
  CHECK(read->model == "toy");
  CHECK(read->parameters() == 6);
  CHECK(read->variables[2].binding.strides == Shape{2});
  CHECK(read->sources[0].place == "toy.gan:1");
  CHECK(std::get<double>(read->sources[0].arguments.at("samples")) == 64);
  CHECK(read->programs[1].calls[13].guards.size() == 1);
  CHECK(read->programs[1].result("loss/G")->after == 10);
  CHECK(read->programs[1].input("data/D#1/x") != nullptr);
  CHECK(read->source_of("x") == 0);
  CHECK(read->source_of("y") == -1);
  CHECK(read->kernels.size() == 13);
}

TEST_CASE("what is wrong in a description is named by its place") {
  CHECK_THAT(damage("\"abi\": 2", "\"abi\": 1"), Catch::Contains(".abi is another version"));
  CHECK_THAT(damage("\"model\": \"toy\"", "\"model\": 3"), Catch::Contains(".model is no text"));
  CHECK_THAT(damage("\"dtype\": \"f32\"", "\"dtype\": \"f31\""),
             Catch::Contains(".dtype is no dtype"));
  CHECK_THAT(damage("\"persistent_bytes\": 384", "\"persistent_bytes\": 38400"),
             Catch::Contains(".persistent_bytes are more"));
  CHECK_THAT(damage("\"kind\": \"weight\"", "\"kind\": \"wait\""),
             Catch::Contains(".variables[0].kind is unknown"));
  CHECK_THAT(damage("\"offset\": 64,", "\"offset\": 384,"),
             Catch::Contains(".variables[1].offset lies outside"));
  CHECK_THAT(damage("\"offset\": 64,", "\"offset\": -64,"), Catch::Contains(".offset is negative"));
  CHECK_THAT(damage("\"offset\": 64,", "\"offset\": 63,"),
             Catch::Contains(".offset is not aligned"));
  CHECK_THAT(damage("\"strides\": [1]", "\"strides\": [100]"),
             Catch::Contains(".bytes are too few"));
  CHECK_THAT(damage("\"strides\": [1]", "\"strides\": []"),
             Catch::Contains(".strides are not as many as axes"));
  CHECK_THAT(damage("\"shape\": [2]", "\"shape\": [4611686018427387904]"),
             Catch::Contains(".bytes are too few"));
  CHECK_THAT(damage("\"kind\": \"real\"", "\"kind\": \"unreal\""),
             Catch::Contains(".sources[0].fields[0].kind is unknown"));
  CHECK_THAT(damage("\"kernel\": 12", "\"kernel\": 13"),
             Catch::Contains(".programs[0].calls[0].kernel is out of range"));
  CHECK_THAT(damage("\"offsets\": [576, ", "\"offsets\": [99999, "),
             Catch::Contains(".calls[0].offsets lie outside"));
  CHECK_THAT(damage("\"guards\": [1792]", "\"guards\": [-1]"),
             Catch::Contains(".guards lie outside"));
  CHECK_THAT(damage("\"after\": 14", "\"after\": 15"), Catch::Contains(".after is no call"));
  CHECK_THAT(damage("\"call\": 8", "\"call\": 80"),
             Catch::Contains(".draws[2].call is out of range"));
  CHECK_THAT(damage("\"batches\": 2", "\"batches\": 0"), Catch::Contains(".batches are none"));
  CHECK_THAT(damage("\"unit\": \"epochs\"", "\"unit\": \"years\""),
             Catch::Contains(".trains[0].unit is unknown"));
  CHECK_THAT(damage("\"kind\": \"points\"", "\"kind\": \"dots\""),
             Catch::Contains(".outputs[0].kind is unknown"));
  CHECK_THAT(damage("\"parts\": [\"out/0\"]", "\"parts\": []"), Catch::Contains(".parts are none"));
  CHECK_THAT(damage("\"parts\": [\"out/0\"]", "\"parts\": [\"out/1\"]"),
             Catch::Contains("unknown result out/1"));
  CHECK_THAT(damage("\"init\": 0", "\"init\": 5"), Catch::Contains(".init is out of range"));
  CHECK_THAT(damage("\"init\": 0", "\"init\": 0.5"), Catch::Contains(".init is no integer"));
  CHECK_THAT(damage("{\"abi\"", "{{\"abi\""), Catch::Contains("byte 1"));
}

TEST_CASE("a program of another ABI or without kernels is refused") {
  GancProgram program = toy_program({});
  program.abi_version = 9;
  CHECK_THAT(read_description(program).error().message,
             Catch::Contains("made for version 9 of the runtime, and this is 2"));
  program = toy_program({});
  program.variant_count = 0;
  CHECK_THAT(read_description(program).error().message, Catch::Contains("it has no kernels"));
}
