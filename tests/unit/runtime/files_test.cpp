#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/convert.h"
#include "runtime/files.h"
#include "runtime/json.h"
#include "runtime/npy.h"
#include "runtime/run_folder.h"
#include "runtime/safetensors.h"

using namespace ganc::runtime;
namespace fs = std::filesystem;

namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("ganc-files-" + std::to_string(getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

std::string error_of(const auto& result) {
  return result ? "no error" : result.error().message;
}

std::string npy(const std::string& header, const std::string& numbers = "") {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + numbers;
}

std::string json_error(std::string_view text) {
  return error_of(parse_json(text, {.depth = 4}));
}

}  // namespace

TEST_CASE("a folder, FIFO or missing file is an error and never a hang") {
  Scratch scratch;
  CHECK_THAT(error_of(File::open(scratch.path)),
             Catch::Contains("it is a folder, and a file is needed here"));
  CHECK_THAT(error_of(File::open(scratch.path / "no")),
             Catch::Contains("cannot read") && Catch::Contains("No such file"));
  mkfifo((scratch.path / "fifo").c_str(), 0600);
  CHECK_THAT(error_of(File::open(scratch.path / "fifo")), Catch::Contains("it is a FIFO"));
  CHECK_THAT(error_of(File::create(scratch.path / "fifo")), Catch::Contains("it is a FIFO"));
  CHECK_THAT(error_of(File::append(scratch.path / "fifo")), Catch::Contains("it is a FIFO"));
  CHECK_THAT(error_of(read_file("/dev/null")), Catch::Contains("it is a device"));
}

TEST_CASE("a replaced file is the old one or the new one") {
  Scratch scratch;
  const auto path = scratch.path / "x";
  REQUIRE(replace_file(path, "old"));
  REQUIRE(replace_file(path, "new"));
  CHECK(*read_text(path) == "new");
  CHECK_FALSE(fs::exists(scratch.path / "x.part"));
  CHECK_THAT(error_of(replace_file(scratch.path / "no" / "x", "a")),
             Catch::Contains("cannot create"));
  CHECK_THAT(error_of(read_text(path, 2)),
             Catch::Contains("its 3 bytes are more than the 2 that can be right"));
  REQUIRE(replace_link(scratch.path / "link", "x"));
  REQUIRE(replace_link(scratch.path / "link", "y"));
  CHECK(fs::read_symlink(scratch.path / "link") == "y");
  CHECK(ganc::runtime::exists(scratch.path / "link"));
  CHECK(*make_new_folder(scratch.path / "f"));
  CHECK_FALSE(*make_new_folder(scratch.path / "f"));
  CHECK_THAT(error_of(make_folder(path)), Catch::Contains("cannot create folder"));
  CHECK(list_folder(scratch.path)->size() == 3);
}

TEST_CASE("reading past the end says where the file ends") {
  Scratch scratch;
  REQUIRE(replace_file(scratch.path / "x", "abc"));
  auto file = File::open(scratch.path / "x");
  REQUIRE(file);
  char buffer[8];
  CHECK_THAT(error_of(file->read_at(1, buffer, 8)),
             Catch::Contains("it ends at byte 3, 6 bytes too early"));
}

TEST_CASE("JSON is strict, bounded and keeps integers") {
  const auto json = parse_json(
      R"({"a": [1, -2.5, 1e3, true, null], "b": "x\u00e9\n\ud83d\ude00", "c": 9007199254740993})");
  REQUIRE(json);
  CHECK(*json->find("c")->integer() == 9007199254740993);
  CHECK(json->find("a")->elements()->at(1).number() == -2.5);
  CHECK_FALSE(json->find("a")->elements()->at(2).natural());
  CHECK(*json->find("b")->string() == "xé\n😀");
  CHECK(parse_json(json->dump())->dump() == json->dump());
  CHECK(parse_json(json->dump_indented())->dump() == json->dump());
  CHECK(Json(0.1).dump() == "0.1");
  CHECK(Json(3.0).dump() == "3.0");
  CHECK(Json(std::numeric_limits<double>::infinity()).dump() == "null");
  CHECK(Json(std::string("\xff\x01\"")).dump() == "\"\xEF\xBF\xBD\\u0001\\\"\"");
  CHECK_THAT(json_error("[[[[[[1]]]]]]"), Catch::Contains("nested deeper than 4 levels"));
  CHECK_THAT(json_error(R"({"a": 1, "a": 2})"), Catch::Contains("the key \"a\" is given twice"));
  CHECK_THAT(json_error("9223372036854775808"), Catch::Contains("an integer beyond 64 bits"));
  CHECK_THAT(json_error("1e999"), Catch::Contains("a number out of range"));
  for (const char* wrong :
       {"",      "[1,]",   "{\"a\" 1}", "{\"a\":1,}",  "01",          "1.",   "1e",
        "-",     "nul",    "\"\\x\"",   "\"\\ud800\"", "\"\\udc00\"", "\"a",  "\"\n\"",
        "[1] 2", "{1: 2}", "'a'",       "NaN",         "+1",          "[1 2]"})
    CHECK_FALSE(parse_json(wrong));
}

TEST_CASE("arrays are written as NumPy reads them, and back") {
  Scratch scratch;
  const auto path = scratch.path / "a.npy";
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{0, 5}}) {
    Tensor tensor(DType::f32, shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, static_cast<double>(i) / 2);
    REQUIRE(write_npy(path, to_array(tensor)));
    const auto bytes = *read_file(path);
    CHECK((bytes.size() - tensor.bytes.size()) % 64 == 0);
    const auto array = read_npy(path);
    REQUIRE(array);
    CHECK(array->dtype == "f4");
    CHECK(array->shape == shape);
    CHECK(array->bytes == tensor.bytes);
  }
}

TEST_CASE("a wrong .npy file is named with its defect") {
  Scratch scratch;
  const auto path = scratch.path / "a.npy";
  const auto says = [&](const std::string& bytes) {
    REQUIRE(replace_file(path, bytes));
    return error_of(read_npy(path));
  };
  const std::string four(16, '\0');
  CHECK_THAT(says("x"), Catch::Contains("too short for a .npy file"));
  CHECK_THAT(says("not an array at all"), Catch::Contains("it is not a .npy file"));
  CHECK_THAT(says(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", "123")),
             Catch::Contains("needs 16 bytes of numbers, but 3 follow"));
  CHECK_THAT(says(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }", four)),
             Catch::Contains("big-endian"));
  CHECK_THAT(says(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", four)),
             Catch::Contains("Fortran order"));
  CHECK_THAT(says(npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }", four)),
             Catch::Contains("the type '|O'"));
  CHECK_THAT(says(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", four)),
             Catch::Contains("it holds records"));
  CHECK_THAT(says(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", four)),
             Catch::Contains("the shape in its header"));
  CHECK_THAT(
      says(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }",
               four)),
      Catch::Contains("is too large"));
  CHECK_THAT(says(npy("{'descr': '<f4', 'shape': (4,), }", four)),
             Catch::Contains("lacks 'descr', 'fortran_order' or 'shape'"));
  CHECK_THAT(says(npy("{'more': '<f4'}      ", four)), Catch::Contains("unknown key 'more'"));
  CHECK_THAT(says(npy("[1, 2, 3]", four)), Catch::Contains("no dictionary"));
  CHECK_THAT(says(npy("{'descr' '<f4'}", four)), Catch::Contains("its header is damaged"));
  CHECK_THAT(says(std::string("\x93NUMPY\x07\x00", 8) + "....."),
             Catch::Contains("format version 7 is unknown"));
  CHECK_THAT(says(std::string("\x93NUMPY\x01\x00\xff\xff", 10) + "..."),
             Catch::Contains("does not fit in the file"));
}

TEST_CASE("numbers are converted where nothing is lost but rounding") {
  Tensor floats(DType::f32, {2}), classes(DType::i32, {2}), masks(DType::pred, {2});
  const double doubles[2] = {0.1, 3};
  REQUIRE(convert(FileType::f64, reinterpret_cast<const char*>(doubles), 2, floats));
  CHECK(floats.number(0) == static_cast<double>(0.1F));
  CHECK_THAT(error_of(convert(FileType::f64, reinterpret_cast<const char*>(doubles), 2, classes)),
             Catch::Contains(
                 "element 0 is 0.1, and a whole number from -2147483648 to 2147483647 is needed"));
  const std::int64_t integers[2] = {7, 1};
  REQUIRE(convert(FileType::i64, reinterpret_cast<const char*>(integers), 2, classes));
  CHECK(classes.number(0) == 7);
  CHECK_THAT(error_of(convert(FileType::i64, reinterpret_cast<const char*>(integers), 2, masks)),
             Catch::Contains("element 0 is 7"));
  const std::uint16_t halves[2] = {0x3C00, 0xC100};  // 1, -2.5
  REQUIRE(convert(FileType::f16, reinterpret_cast<const char*>(halves), 2, floats));
  CHECK(floats.number(1) == -2.5);
  const std::uint16_t brains[2] = {0x3F80, 0xC020};
  REQUIRE(convert(FileType::bf16, reinterpret_cast<const char*>(brains), 2, floats));
  CHECK(floats.number(1) == -2.5);
}

TEST_CASE("tensor files have one form and a checksum over header and data") {
  Scratch scratch;
  const auto path = scratch.path / "t.safetensors";
  Tensor a(DType::f32, {2, 2}), b(DType::pred, {3});
  a.set(3, 1.5);
  b.set(1, 1);
  const std::string sum_text = "sum " + std::string(checksum_place);
  REQUIRE(write_tensor_file(path, {{"format", "pt"}, {"s", sum_text}},
                            {to_write("a", a), to_write("b", b)}));
  const auto once = *read_file(path);
  CHECK((once.size() - 16 - 3) % 8 == 0);
  REQUIRE(write_tensor_file(path, {{"format", "pt"}, {"s", sum_text}},
                            {to_write("a", a), to_write("b", b)}));
  CHECK(*read_file(path) == once);
  auto file = TensorFile::open(path);
  REQUIRE(file);
  const std::string sum = file->metadata("s")->substr(4);
  CHECK(sum != checksum_place);
  CHECK(*file->digest(sum) == sum);
  CHECK(file->read(*file->find("a"), DType::f64)->number(3) == 1.5);
  CHECK(file->read(*file->find("b"), DType::pred)->bytes == b.bytes);
  a.set(3, 1.25);
  REQUIRE(write_tensor_file(path, {{"format", "pt"}, {"s", sum_text}},
                            {to_write("a", a), to_write("b", b)}));
  CHECK(*TensorFile::open(path)->digest(checksum_place) != sum);
}

TEST_CASE("a run's folder takes the next free number") {
  Scratch scratch;
  const fs::path before = fs::current_path();
  fs::current_path(scratch.path);
  fs::create_directories("runs/00006-other");
  fs::create_directories("runs/notes");
  CHECK(RunFolder::create("", "gan", "ring")->path() == "runs/00007-gan-ring");
  CHECK(RunFolder::create("", "gan", "")->path() == "runs/00008-gan");
  fs::current_path(before);
}
