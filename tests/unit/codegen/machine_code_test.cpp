// Named properties of the machine code that speed rests on, and what the objects hold.
#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "tests/jit/kernel_builder.h"
#include "tests/jit/kernel_run.h"

using namespace ganc;
using kernel::LoopKind;
using Id = KernelBuilder::Id;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& line, const char* part) {
  return line.find(part) != std::string::npos;
}

// The lines between a label and the jump back to it that hold most multiply-adds, where there is no
// label between.
std::vector<std::string> hottest_loop(const std::string& assembly) {
  std::vector<std::string> best, current;
  std::ptrdiff_t most = 0;
  std::string label;
  for (const std::string& line : lines_of(assembly)) {
    if (!line.empty() && line[0] == '.' && has(line, ":")) {
      label = line.substr(0, line.find(':'));
      current.clear();
      continue;
    }
    current.push_back(line);
    if (label.empty() || !has(line, ("\t" + label).c_str()) || !has(line, "\tj")) continue;
    const auto count =
        std::ranges::count_if(current, [](const std::string& l) { return has(l, "vfmadd"); });
    if (count > most) most = count, best = current;
  }
  return best;
}

kernel::Kernel dense(DType dtype, std::int64_t m, std::int64_t v, std::int64_t k) {
  KernelBuilder b("dense");
  const auto x = b.input("a", dtype, m * k), w = b.input("b", dtype, k * v),
             y = b.output("y", dtype, m * v);
  kernel::Contraction c = b.product(m, v, x, w, k);
  c.axes = {{k, 1, v}};
  b.contraction(std::move(c), [&](Id i, Id j, Id sum) {
    b.store(y, b.add(b.scale(i, v), j), b.apply(Op::maximum, {sum, b.number(0, dtype)}));
  });
  return std::move(b.kernel);
}

}  // namespace

TEST_CASE(
    "the inner loop of a product is multiply-adds on full registers, without spills or calls") {
  for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      for (const std::int64_t m : {3, 6, 14, 64, 100}) {
        for (const std::int64_t v : {16, 28, 32, 64, 128}) {
          INFO(name(isa) << " " << name(dtype) << " m " << m << " v " << v);
          const std::vector<std::string> loop =
              hottest_loop(print_assembly(dense(dtype, m, v, 64), {.isa = isa}));
          const auto count = [&](const char* part) {
            return std::ranges::count_if(loop,
                                         [&](const std::string& line) { return has(line, part); });
          };
          const char* registers = isa == Isa::x86_64_v4 ? "zmm" : "ymm";
          const auto products = count("vfmadd");
          CHECK(products >= 12);
          CHECK(std::ranges::none_of(
              loop, [&](const std::string& l) { return has(l, "vfmadd") && !has(l, registers); }));
          CHECK(count("call") == 0);
          CHECK(count("(%rsp") == 0);
          // Loads and the end of the loop are all there is beside the products.
          CHECK(static_cast<std::ptrdiff_t>(loop.size()) <= 2 * products + 12);
        }
      }
    }
  }
}

TEST_CASE("what an epilogue reads and writes is fetched while the sum is made") {
  const auto fetches = [](std::int64_t m, std::int64_t k, bool optimize) {
    const std::vector<std::string> lines = lines_of(
        print_assembly(dense(DType::f32, m, 32, k), {.isa = Isa::x86_64_v4, .optimize = optimize}));
    return std::ranges::count_if(lines, [](const std::string& l) { return has(l, "prefetch"); });
  };
  CHECK(fetches(12, 64, true) == 2);  // a row of 128 bytes an iteration
  CHECK(fetches(12, 64, false) == 0);
  CHECK(fetches(12, 8, true) == 0);  // too few steps for the rows
  CHECK(fetches(1, 64, true) == 0);  // hardware follows one row
}

TEST_CASE("a border that all lanes share is a branch: nothing is read under a mask") {
  KernelBuilder b("border");
  const auto x = b.input("x", DType::f32, 6 * 64), y = b.output("y", DType::f32, 8 * 64);
  b.loop(LoopKind::serial, 8, [&](Id row) {
    b.loop(LoopKind::vector, 64, [&](Id i) {
      const Id inside = b.compare_index(Comparison::greater_equal, row, b.index(2));
      const Id at = b.add(b.scale(b.add(row, b.index(-2)), 64), i);
      b.store(y, b.add(b.scale(row, 64), i),
              b.apply(Op::select, {inside, b.load(x, at, inside), b.number(0)}));
    });
  });
  CHECK(!has(print_llvm(b.kernel, {.isa = Isa::x86_64_v3}), "masked.load"));
  CHECK(has(print_llvm(b.kernel, {.isa = Isa::x86_64_v3, .optimize = false}), "masked.load"));
}

TEST_CASE("functions of f32 make no calls, those of f64 call the C library") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    KernelBuilder b("functions");
    const auto x = b.input("x", dtype, 100), y = b.output("y", dtype, 100);
    b.loop(LoopKind::vector, 100, [&](Id i) {
      Id value = b.load(x, i);
      for (const Op op : {Op::exponential, Op::log, Op::tanh, Op::sine, Op::erf, Op::log_plus_one})
        value = b.apply(op, {value});
      b.store(y, i, b.apply(Op::power, {value, b.number(1.5, dtype)}));
    });
    for (const Isa isa : {Isa::x86_64_v3, Isa::x86_64_v4}) {
      const std::string assembly = print_assembly(b.kernel, {.isa = isa});
      CHECK(has(assembly, "call") == (dtype == DType::f64));
    }
  }
}

TEST_CASE("elementwise loops are written in the vectors of the instruction set") {
  KernelBuilder b("add");
  const auto x = b.input("x", DType::f32, 1000), y = b.output("y", DType::f32, 1000);
  b.loop(LoopKind::vector, 1000,
         [&](Id i) { b.store(y, i, b.apply(Op::add, {b.load(x, i), b.number(1)})); });
  CHECK(has(print_llvm(b.kernel, {.isa = Isa::x86_64_v4}), "<16 x float>"));
  CHECK(has(print_llvm(b.kernel, {.isa = Isa::x86_64_v3}), "<8 x float>"));
  CHECK(has(print_assembly(b.kernel, {.isa = Isa::x86_64_v4}), "zmm"));
  const std::string narrow = print_assembly(b.kernel, {.isa = Isa::x86_64_v3});
  CHECK(has(narrow, "ymm"));
  CHECK(!has(narrow, "zmm"));
}

TEST_CASE("the same kernels give the same bytes") {
  std::vector<kernel::Kernel> kernels;
  for (std::int64_t i = 1; i < 40; ++i) kernels.push_back(dense(DType::f32, i, 2 * i, 3));
  const CodegenOptions options{.isa = Isa::x86_64_v4, .optimize = true, .prefix = "k"};
  const GeneratedCode once = generate(kernels, options), again = generate(kernels, options);
  CHECK(once.objects.size() > 1);
  CHECK(once.objects == again.objects);
}

TEST_CASE(
    "the program object holds the description, a table for each variant and nothing undefined but "
    "the kernels") {
  const std::string object = generate_program(
      {"{\"model\": \"m\"}", "{\"model\": \"n\"}"},
      {{.isa = Isa::x86_64_v3, .functions = {"three_0", "three_1"}, .description = 0},
       {.isa = Isa::amx, .functions = {"four_0", "three_1"}, .description = 1}});
  for (const char* part : {"ganc_program", "{\"model\": \"m\"}", "{\"model\": \"n\"}", "x86-64-v3",
                           "amx", "three_0", "three_1", "four_0"})
    CHECK(object.find(part) != std::string::npos);
  CHECK(object.find("four_1") == std::string::npos);
}
