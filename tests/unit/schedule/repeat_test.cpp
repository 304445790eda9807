#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/schedule/repeat_drafts.h"
#include "tests/unit/schedule/drafts.h"

// What lies idle while most is alive is made again.

using namespace ganc;
using namespace ganc::planning;

namespace {

constexpr std::int64_t large = 1 << 16;  // elements: 256 KiB

// The kernel walks over so many elements of its first buffer and writes them to the last.
void give_work(Draft& d, std::int64_t elements) {
  kernel::Kernel& k = d.kernel;
  const auto last = static_cast<std::uint32_t>(k.buffers.size() - 1);
  k.buffers.front().elements = k.buffers.back().elements = elements;
  k.variable_count = 1;
  k.values = {{.kind = kernel::ValueKind::index_constant, .integer = elements},
              {.kind = kernel::ValueKind::loop_variable, .variable = {0}},
              {.kind = kernel::ValueKind::load, .operands = {{1}}, .buffer = 0}};
  k.body = {{kernel::Loop{
      kernel::LoopKind::serial, {0}, {0}, {{kernel::Store{last, {1}, {2}, {}, false}}}}}};
}

// 1 is drawn, 2 is made of it, 3 of 2. 4 and 5 need much place while 2 lies idle; 6 reads 1 and
// 2 again, and 7 is the result. The last call has `work` times the work of that which makes 2.
ProgramDraft idle(std::int64_t work = 1000) {
  ProgramDraft p = program({1, large, large, 1, 4 * large, 1, 1, 1},
                           {draft({0}, {1}), draft({1}, {2}), draft({2}, {3}), draft({3}, {4}),
                            draft({4}, {5}), draft({1, 2, 5}, {6}), draft({6}, {7})});
  p.tensors[0].home = Tensor::Home::input;
  p.drafts[0].draw = 0;
  give_work(p.drafts[1], large);
  give_work(p.drafts[6], large * work);
  return p;
}

}  // namespace

TEST_CASE("a value is made again of what is kept anyway") {
  ProgramDraft p = idle();
  CHECK(repeat_drafts(p) == 5 * large * 4 + 64);
  CHECK(names(p) == "1 2 3 4 5 2 6 7");
  REQUIRE(p.tensors.size() == 9);
  CHECK(p.drafts[5].buffers == std::vector<std::uint32_t>{1, 8});
  CHECK(p.drafts[6].buffers == std::vector<std::uint32_t>{1, 8, 5, 6});
  CHECK(p.drafts[2].buffers == std::vector<std::uint32_t>{2, 3});
}

TEST_CASE("a value that nobody reads before is made later") {
  ProgramDraft p = idle();
  p.drafts[2] = draft({0}, {3});
  repeat_drafts(p);
  CHECK(names(p) == "1 3 4 5 2 6 7");
  CHECK(p.tensors.size() == 8);
}

TEST_CASE("a value is not made again") {
  ProgramDraft p = idle();
  SECTION("whose operand is as large and dies") {
    p.drafts[5] = draft({2, 5}, {6});
  }
  SECTION("whose operand changes") {
    p.drafts[4] = draft({4}, {1, 5});
  }
  SECTION("whose operand is a variable that changes") {
    p.tensors[1].home = Tensor::Home::variable;
    p.tensors[1].variable = 0;
    p.drafts.erase(p.drafts.begin());
    p.targets.push_back({"variable/w", {5}, 0});
    p.drafts[4] = draft({2, 5}, {6});
  }
  SECTION("that is drawn") {
    p.drafts[1].draw = 0;
  }
  SECTION("that is a result") {
    p.targets.push_back({"two", {2}, -1});
  }
  SECTION("that a guard reads afterwards") {
    p.drafts[6].guards.push_back(p.tensors[2].node);
  }
  SECTION("whose guard changes") {
    p.drafts[1].guards.push_back(p.tensors[3].node);
    p.drafts[1].guards.push_back(p.tensors[6].node);
    p.drafts.insert(p.drafts.begin(), draft({0}, {6}));
    p.drafts.insert(p.drafts.begin() + 5, draft({0}, {6}));
  }
  SECTION("that is written in two calls") {
    p.drafts.insert(p.drafts.begin() + 2, draft({1}, {2}));
  }
  SECTION("with another value of the same call") {
    p.drafts[1] = draft({1}, {2, 3});
    p.drafts.erase(p.drafts.begin() + 2);
  }
  SECTION("that is read while most is alive") {
    p.drafts[4] = draft({2, 4}, {5});
  }
  SECTION("that takes more than a few hundredths of the time") {
    p = idle(20);
  }
  SECTION("that is small") {
    p.tensors[2].elements = large - 16;
  }
  const std::string as_written = names(p);
  repeat_drafts(p);
  CHECK(names(p) == as_written);
}

TEST_CASE("a small operand is kept for what is made again") {
  ProgramDraft p = idle();
  p.tensors[1].elements = 16;
  p.drafts[5] = draft({2, 5}, {6});
  CHECK(repeat_drafts(p) == 4 * large * 4 + 2 * 64);
  CHECK(names(p) == "1 2 3 4 5 2 6 7");
}

TEST_CASE("nothing is made again where that needs no less") {
  // As idle(), but what reads 2 needs as much place beside it as 4 takes.
  ProgramDraft p = idle();
  p.tensors[6].elements = 4 * large;
  const std::string before = names(p);
  repeat_drafts(p);
  CHECK(names(p) == before);
  CHECK(p.tensors.size() == 8);
}
