#include <atomic>
#include <set>
#include <thread>

#include "data_fixture.h"
#include "runtime/data/loader.h"
#include "runtime/data/workers.h"

namespace ganc::runtime {
namespace {

// A sample's value is its index, its visit the second field. Fails at an index if asked to.
class CountingSet final : public DataSet {
 public:
  explicit CountingSet(std::int64_t count, std::int64_t broken = -1)
      : DataSet({integer_field({}, "i"), integer_field({}, "visit")}, false),
        count_(count),
        broken_(broken) {}
  std::int64_t count() const override { return count_; }
  Result<void> read(std::int64_t index, std::uint64_t visit, std::int64_t at,
                    std::vector<FieldValues>& fields) const override {
    if (index == broken_) return fail("cannot read it");
    fields[0].i32[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(index);
    fields[1].i32[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(visit);
    return {};
  }
  std::string describe() const override { return "counting"; }
  std::string short_name() const override { return "counting"; }

 private:
  std::int64_t count_, broken_;
};

std::vector<std::int32_t> take(Loader& loader, int batches, std::size_t field = 0) {
  std::vector<std::int32_t> all;
  for (int i = 0; i < batches; ++i) {
    auto batch = loader.next();
    REQUIRE(batch);
    all.insert(all.end(), batch->fields[field].i32.begin(), batch->fields[field].i32.end());
  }
  return all;
}

TEST_CASE("the order of a pass is a permutation, another for each pass and seed", "[loader]") {
  for (std::int64_t count = 1; count < 300; ++count) {
    std::vector<bool> seen(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = shuffled_index(i, count, 3, 1);
      REQUIRE(index >= 0);
      REQUIRE(index < count);
      REQUIRE(!seen[static_cast<std::size_t>(index)]);
      seen[static_cast<std::size_t>(index)] = true;
    }
  }
  for (const std::int64_t count : {1000, 4096, 4097, 60000, 65537}) {
    std::set<std::int64_t> seen;
    int same_pass = 0, same_seed = 0, fixed = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = shuffled_index(i, count, 7, 0);
      seen.insert(index);
      fixed += index == i;
      same_pass += index == shuffled_index(i, count, 7, 1);
      same_seed += index == shuffled_index(i, count, 8, 0);
    }
    CHECK(seen.size() == static_cast<std::size_t>(count));
    CHECK(*seen.rbegin() == count - 1);
    CHECK(fixed < 10);  // one is expected
    CHECK(same_pass < 10);
    CHECK(same_seed < 10);
  }
  // Far beyond what could be listed.
  constexpr std::int64_t huge = (std::int64_t{1} << 62) + 12345;
  CHECK(shuffled_index(huge - 1, huge, 1, 1) < huge);
  CHECK(shuffled_index(5, huge, 1, 1) != shuffled_index(6, huge, 1, 1));
}

TEST_CASE("each place of a small pass takes each sample about equally often", "[loader]") {
  constexpr std::int64_t count = 6;
  constexpr int passes = 6000;
  int table[count][count] = {};
  for (int pass = 0; pass < passes; ++pass)
    for (std::int64_t i = 0; i < count; ++i)
      ++table[i][shuffled_index(i, count, 11, static_cast<std::uint64_t>(pass))];
  for (const auto& row : table)
    for (const int times : row) CHECK(times == Approx(passes / count).epsilon(0.15));
}

TEST_CASE("a loader reads every sample once a pass and goes on in the next", "[loader]") {
  Loader loader(std::make_shared<CountingSet>(10), 4, 5, 0);
  const auto order = take(loader, 5);
  CHECK(loader.position() == 20);
  const std::set<std::int32_t> first(order.begin(), order.begin() + 10);
  const std::set<std::int32_t> second(order.begin() + 10, order.end());
  CHECK(first.size() == 10);
  CHECK(second.size() == 10);
  Loader again(std::make_shared<CountingSet>(10), 4, 5, 0);
  CHECK(take(again, 5, 1) ==
        std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("a batch may be larger than the set", "[loader]") {
  Loader loader(std::make_shared<CountingSet>(3), 7, 0, 0);
  const auto order = take(loader, 3);
  for (std::size_t pass = 0; pass < 7; ++pass) {
    std::set<std::int32_t> of_pass(order.begin() + static_cast<std::ptrdiff_t>(3 * pass),
                                   order.begin() + static_cast<std::ptrdiff_t>(3 * pass + 3));
    CHECK(of_pass.size() == 3);
  }
}

TEST_CASE("a loader begun at a position continues as if it had never stopped", "[loader]") {
  const auto set = std::make_shared<CountingSet>(97);
  Loader whole(set, 8, 42, 0);
  const auto order = take(whole, 40);
  for (const int stop : {1, 12, 13, 29}) {
    Loader before(set, 8, 42, 0);
    take(before, stop);
    Loader after(set, 8, 42, before.position());
    CHECK(take(after, 40 - stop) == std::vector(order.begin() + 8 * stop, order.end()));
  }
}

TEST_CASE("a sample that cannot be read stops the loader with its message", "[loader]") {
  Loader loader(std::make_shared<CountingSet>(20, 13), 4, 1, 0);
  int batches = 0;
  Result<Batch> batch = loader.next();
  while (batch) {
    ++batches;
    REQUIRE(batches < 6);
    batch = loader.next();
  }
  CHECK(batch.error().message == "cannot read it");
  CHECK(loader.next().error().message == "cannot read it");
  CHECK(loader.position() == static_cast<std::uint64_t>(4 * batches));
}

TEST_CASE("loaders end at any time", "[loader]") {
  const auto set = std::make_shared<CountingSet>(1000);
  for (int i = 0; i < 100; ++i) {
    Loader loader(set, 16, static_cast<std::uint64_t>(i), 0);
    if (i % 3 > 0) take(loader, i % 7);
  }
}

TEST_CASE("several loaders read one set at once", "[loader]") {
  const auto set = std::shared_ptr<const DataSet>(
      opened(source("digits", {real_field({1, 12, 12}), class_field(10)}, {{"samples", 100.0}})));
  Loader a(set, 32, 1, 0), b(set, 32, 1, 0);
  for (int i = 0; i < 8; ++i) {
    auto from_a = a.next(), from_b = b.next();
    REQUIRE(from_a);
    REQUIRE(from_b);
    CHECK(from_a->count == 32);
    CHECK(from_a->fields[0].f32 == from_b->fields[0].f32);
    CHECK(from_a->fields[1].i32 == from_b->fields[1].i32);
  }
}

TEST_CASE("shared work is done once each, and the first failure counts", "[loader]") {
  for (const unsigned threads : {0u, 1u, 2u, 5u}) {
    std::vector<std::atomic<int>> times(200);
    REQUIRE(share_work(200, threads, [&](std::int64_t i) -> Result<void> {
      ++times[static_cast<std::size_t>(i)];
      return {};
    }));
    for (const auto& n : times) CHECK(n == 1);
    const auto failed = share_work(200, threads, [&](std::int64_t i) -> Result<void> {
      if (i >= 50 && i % 10 == 3) return fail(std::to_string(i));
      return {};
    });
    REQUIRE(!failed);
    CHECK(failed.error().message == "53");
  }
  CHECK(share_work(0, 4, [](std::int64_t) { return Result<void>(fail("none")); }));
}

}  // namespace
}  // namespace ganc::runtime
