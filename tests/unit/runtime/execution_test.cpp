#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>

#include "runtime/execute.h"
#include "runtime/finite.h"
#include "runtime/inputs.h"
#include "runtime/session.h"
#include "toy_program.h"

using namespace ganc::runtime;

namespace {

std::unique_ptr<Session> open(unsigned threads, const ToyOptions& toy = {}) {
  const GancProgram& program = toy_program(toy);
  auto description = read_description(program);
  REQUIRE(description);
  Options options;
  options.threads = threads;
  auto session = Session::open(program, std::move(*description), options, "", false);
  REQUIRE(session);
  return std::move(*session);
}

}  // namespace

TEST_CASE("regions run on every thread and barriers order what they write") {
  for (const unsigned threads : {1U, 2U, 3U, 5U}) {
    Pool pool(threads);
    std::vector<int> written(threads, 0);
    bool wrong = false;
    for (int round = 1; round <= 200; ++round) {
      pool.run([&](unsigned thread) {
        written[thread] = round;
        pool.barrier();
        for (const int seen : written)
          if (seen != round) wrong = true;
        pool.barrier();
        written[thread] = -round;
      });
      for (const int seen : written) CHECK(seen == -round);
    }
    CHECK_FALSE(wrong);
  }
}

TEST_CASE("a block begins without the losses of the one before") {
  Description description;
  description.trains.resize(2);
  for (Train& train : description.trains) train.epochs = false, train.count = 1;
  Counters counters;
  counters.last["loss/D"] = 1;
  REQUIRE(enter_block(description, counters));
  CHECK(counters.last.size() == 1);
  counters.block_step = 1;
  REQUIRE(enter_block(description, counters));
  CHECK(counters.block == 1);
  CHECK(counters.last.empty());
}

TEST_CASE("parts of units cover all and do not overlap") {
  for (const unsigned threads : {1U, 3U, 7U}) {
    const Pool pool(threads);
    for (const std::int64_t units : {0, 1, 2, 6, 7, 1000}) {
      std::int64_t next = 0;
      for (unsigned t = 0; t < threads; ++t) {
        const auto [begin, end] = pool.part(units, t);
        CHECK(begin == next);
        next = end;
      }
      CHECK(next == units);
    }
  }
}

TEST_CASE("tensors go to strided places and back") {
  auto arena = Arena::create(4096, 0, 1);
  REQUIRE(arena);
  for (const Shape& strides : {Shape{20, 5, 1}, Shape{1, 3, 12}, Shape{100, 2, 8}}) {
    const Binding binding{"x", DType::f32, {3, 4, 5}, strides, 128, 2048};
    Tensor tensor(DType::f32, binding.shape);
    for (std::int64_t i = 0; i < 60; ++i) tensor.set(i, static_cast<double>(i));
    std::memset(arena->data(), 0xFF, 4096);
    place(arena->data(), binding, tensor.bytes.data());
    CHECK(gather(arena->data(), binding).bytes == tensor.bytes);
    float last = 0;
    std::memcpy(&last, arena->data() + 128 + 4 * (2 * strides[0] + 3 * strides[1] + 4 * strides[2]),
                4);
    CHECK(last == 59);
  }
  const Binding scalar{"s", DType::f64, {}, {}, 0, 8};
  const double value = 3.5;
  place(arena->data(), scalar, &value);
  CHECK(gather(arena->data(), scalar).number(0) == 3.5);
  const Binding empty{"e", DType::f32, {0, 4}, {4, 1}, 0, 64};
  CHECK(gather(arena->data(), empty).bytes.empty());
}

TEST_CASE("an iteration has the same bits for any number of threads") {
  std::vector<char> first;
  for (const unsigned threads : {1U, 2U, 3U, 5U}) {
    auto session = open(threads);
    const Program& init = session->description.programs[0];
    const Program& iteration = session->description.programs[1];
    std::memset(session->arena->data(), 0, 2000);
    fill_counters(session->arena->data(), init, {.seed = 7});
    Execution(session->machine(), init).run();
    Execution execution(session->machine(), iteration);
    for (std::uint32_t n = 0; n < 20; ++n) {
      fill_counters(session->arena->data(), iteration,
                    {.step = double(n), .seed = 7, .random_step = n});
      execution.run();
    }
    std::vector<char> state(session->arena->data(),
                            session->arena->data() + session->description.persistent_bytes);
    if (first.empty()) first = state;
    CHECK(state == first);
  }
}

TEST_CASE("results are read after their call and fed draws take the place of theirs") {
  auto session = open(2);
  const Program& samples = session->description.programs[2];
  char* arena = session->arena->data();
  const float w[2] = {2, 3}, b[2] = {1, -1};
  place(arena, session->description.variables[0].binding, w);
  place(arena, session->description.variables[1].binding, b);
  Tensor z(DType::f32, {16, 2}), out(DType::f32, {16, 2});
  for (std::int64_t i = 0; i < 32; ++i) z.set(i, static_cast<double>(i));
  Execution execution(session->machine(), samples);
  execution.feed(samples.draws[0], z);
  execution.read(samples.results[0], out);
  std::vector<std::size_t> calls;
  SECTION("alone") {}
  SECTION("with an observer") {
    execution.after_each_call([&](std::size_t call) { return calls.push_back(call), true; });
  }
  execution.run();
  for (std::int64_t i = 0; i < 32; ++i)
    CHECK(out.number(i) == (i % 2 == 0 ? 2.0 * i + 1 : 3.0 * i - 1));
}

TEST_CASE("an observer set later sees every call and can end the run") {
  for (const unsigned threads : {1U, 3U}) {
    auto session = open(threads);
    Execution execution(session->machine(), session->description.programs[1]);
    execution.run();
    std::vector<std::size_t> seen;
    execution.after_each_call([&](std::size_t call) { return seen.push_back(call), true; });
    execution.run();
    std::vector<std::size_t> all(15);
    std::iota(all.begin(), all.end(), 0);
    CHECK(seen == all);
    seen.clear();
    execution.after_each_call([&](std::size_t call) { return seen.push_back(call), call < 4; });
    execution.run();
    CHECK(seen.size() == 5);
    execution.after_each_call(nullptr);
    execution.run();
    CHECK(seen.size() == 5);
  }
}

TEST_CASE("a call whose guard is 0 does not run") {
  auto session = open(2);
  const Program& iteration = session->description.programs[1];
  const Variable& v = session->description.variables[2];
  char* arena = session->arena->data();
  const auto shrink_alone = [&](double step) {
    Execution execution(session->machine(), iteration);
    fill_counters(arena, iteration, {.step = step});
    const float ones[2] = {1, 1};
    // Only what follows the guard counts: v is set before it.
    execution.after_each_call([&](std::size_t call) {
      if (call == 11) place(arena, v.binding, ones);
      return true;
    });
    execution.run();
    return gather(arena, v.binding).number(0);
  };
  CHECK(shrink_alone(3) == Approx(0.9));
  CHECK(shrink_alone(4) == 1);
}

TEST_CASE("numbers that are not finite are found on any thread") {
  for (const unsigned threads : {1U, 4U}) {
    auto session = open(threads);
    char* arena = session->arena->data();
    std::memset(arena, 0, 2000);
    CHECK(first_not_finite(session->description, arena, *session->pool) == nullptr);
    const float bad[2] = {0, -std::numeric_limits<float>::infinity()};
    place(arena, session->description.variables[2].binding, bad);
    REQUIRE(first_not_finite(session->description, arena, *session->pool) != nullptr);
    CHECK(first_not_finite(session->description, arena, *session->pool)->binding.name == "D.v");
    // Slots are not looked at, and neither is padding between elements.
    const float good[2] = {0, 1};
    place(arena, session->description.variables[2].binding, good);
    place(arena, session->description.variables[4].binding, bad);
    std::memset(arena + 128 + 4, 0xFF, 4);
    CHECK(first_not_finite(session->description, arena, *session->pool) == nullptr);
  }
}

TEST_CASE("all_finite looks at every element") {
  const auto looks_at_all = [](auto good, auto bad, DType dtype) {
    for (const std::size_t count : {1, 3, 4, 16, 37}) {
      std::vector<decltype(good)> numbers(count + 1, good);
      numbers.back() = bad;  // beyond the last
      const auto finite = [&] {
        return all_finite(reinterpret_cast<const char*>(numbers.data()),
                          static_cast<std::int64_t>(count), dtype);
      };
      CHECK(finite());
      for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = bad;
        CHECK_FALSE(finite());
        numbers[i] = good;
      }
    }
  };
  looks_at_all(1.0F, -std::numeric_limits<float>::infinity(), DType::f32);
  looks_at_all(1.0, std::numeric_limits<double>::quiet_NaN(), DType::f64);
  looks_at_all(std::uint16_t{0x7F7F}, std::uint16_t{0xFF81}, DType::bf16);
}

TEST_CASE("all_finite knows every type") {
  const double doubles[3] = {1, 2, std::numeric_limits<double>::quiet_NaN()};
  CHECK(all_finite(reinterpret_cast<const char*>(doubles), 2, DType::f64));
  CHECK_FALSE(all_finite(reinterpret_cast<const char*>(doubles), 3, DType::f64));
  std::vector<float> floats(10000, 3e38F);
  CHECK(all_finite(reinterpret_cast<const char*>(floats.data()), 10000, DType::f32));
  floats.back() = std::numeric_limits<float>::infinity();
  CHECK_FALSE(all_finite(reinterpret_cast<const char*>(floats.data()), 10000, DType::f32));
  const std::uint16_t halves[2] = {0x3F80, 0x7F80};
  CHECK(all_finite(reinterpret_cast<const char*>(halves), 1, DType::bf16));
  CHECK_FALSE(all_finite(reinterpret_cast<const char*>(halves), 2, DType::bf16));
  const std::uint32_t integers[1] = {0xFFFFFFFF};
  CHECK(all_finite(reinterpret_cast<const char*>(integers), 1, DType::u32));
}

TEST_CASE("every order of axes in the arena, joined or not, is copied") {
  auto arena = Arena::create(1 << 16, 0, 1);
  REQUIRE(arena);
  const Shape shape = {3, 1, 17, 20};
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    // Dense in this order of axes, and with a gap after every row.
    for (const std::int64_t gap : {0, 3}) {
      Shape strides(4);
      std::int64_t stride = 1;
      for (std::size_t i = 4; i-- > 0;) {
        strides[order[i]] = stride;
        stride = stride * shape[order[i]] + (i == 3 ? gap : 0);
      }
      const Binding binding{"x", DType::f64, shape, strides, 64, 8 * stride};
      Tensor tensor(DType::f64, shape);
      for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.set(i, static_cast<double>(i));
      place(arena->data(), binding, tensor.bytes.data());
      double value = 0;
      std::memcpy(&value, arena->data() + 64 + 8 * (strides[0] + 11 * strides[2] + 7 * strides[3]),
                  8);
      CHECK(value == 1 * 340 + 11 * 20 + 7);
      CHECK(gather(arena->data(), binding).bytes == tensor.bytes);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}
