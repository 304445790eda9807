// Each check of verify.cpp, on a kernel that breaks it alone.
#include <catch2/catch.hpp>

#include <functional>

#include "compiler/kernel/kernel.h"

using namespace ganc;
using namespace ganc::kernel;

namespace {

constexpr ValueId id(std::uint32_t index) {
  return {index};
}

// y[i] = max(x[i], 0) + sum of x, for i in 8 units of 16 lanes; then a contraction of x with
// itself.
Kernel valid() {
  Kernel k;
  k.name = "valid";
  k.units = 8;
  k.variable_count = 5;
  k.accumulator_count = 1;
  k.buffers = {{"x", DType::f32, 128, true, false}, {"y", DType::f32, 128, false, true}};
  k.tables = {{{{{0, 0}}}}};
  k.values = {
      {.kind = ValueKind::index_constant, .integer = 8},                                     // 0
      {.kind = ValueKind::index_constant, .integer = 16},                                    // 1
      {.kind = ValueKind::loop_variable, .variable = {0}},                                   // 2
      {.kind = ValueKind::loop_variable, .variable = {1}},                                   // 3
      {.kind = ValueKind::index_scale, .operands = {id(2)}, .integer = 16},                  // 4
      {.kind = ValueKind::index_add, .operands = {id(4), id(3)}},                            // 5
      {.kind = ValueKind::load, .operands = {id(5)}, .buffer = 0},                           // 6
      {.kind = ValueKind::constant, .number = 0},                                            // 7
      {.kind = ValueKind::apply, .operands = {id(6), id(7)}, .op = Op::maximum},             // 8
      {.kind = ValueKind::accumulator, .accumulator = 0},                                    // 9
      {.kind = ValueKind::loop_variable, .variable = {2}},                                   // 10
      {.kind = ValueKind::index_add, .operands = {id(4), id(10)}},                           // 11
      {.kind = ValueKind::load, .operands = {id(11)}, .buffer = 0},                          // 12
      {.kind = ValueKind::apply, .operands = {id(8), id(9)}, .op = Op::add},                 // 13
      {.kind = ValueKind::index_constant, .integer = 0},                                     // 14
      {.kind = ValueKind::index_compare, .dtype = DType::pred, .operands = {id(3), id(0)}},  // 15
      {.kind = ValueKind::loop_variable, .variable = {4}},                                   // 16
      {.kind = ValueKind::contraction},                                                      // 17
      {.kind = ValueKind::index_constant, .integer = 4},                                     // 18
      {.kind = ValueKind::index_add, .operands = {id(4), id(16)}},                           // 19
  };
  Loop sum{LoopKind::vector, {2}, id(1), {{Accumulate{0, id(12)}}}};
  Loop lanes{LoopKind::vector, {1}, id(1), {{Store{1, id(5), id(13), id(15)}}}};
  Contraction c{.m_variable = {3},
                .v_variable = {4},
                .m_count = id(18),
                .v_count = id(1),
                .m_limit = 4,
                .v_limit = 16,
                .a_buffer = 0,
                .b_buffer = 0,
                .a_base = id(14),
                .b_base = id(14),
                .a_m_stride = 1};
  c.taps = {{0, id(14), 1, 1}};
  c.axes = {{4, 1, 16}};
  c.epilogue = {{Store{1, id(19), id(17)}}};
  Block units = {{Accumulator{0, Accumulator::Combine::sum, DType::f32, {{sum}}}}, {lanes}, {c}};
  k.body = {{Loop{LoopKind::parallel, {0}, id(0), units}}};
  return k;
}

Loop& outermost(Kernel& k) {
  return std::get<Loop>(k.body[0].node);
}
Accumulator& sum(Kernel& k) {
  return std::get<Accumulator>(outermost(k).body[0].node);
}
Loop& lanes(Kernel& k) {
  return std::get<Loop>(outermost(k).body[1].node);
}
Store& store(Kernel& k) {
  return std::get<Store>(lanes(k).body[0].node);
}
Contraction& product(Kernel& k) {
  return std::get<Contraction>(outermost(k).body[2].node);
}

struct Mistake {
  const char* message;
  std::function<void(Kernel&)> make;
};

ValueId add(Kernel& k, kernel::Value v) {
  k.values.push_back(std::move(v));
  return id(static_cast<std::uint32_t>(k.values.size() - 1));
}

const Mistake mistakes[] = {
    {"value 5: operand 9 does not come before it",
     [](Kernel& k) { k.values[5].operands[1] = id(9); }},
    {"value 5: has 1 operands in place of 2", [](Kernel& k) { k.values[5].operands.pop_back(); }},
    {"value 8: has 1 operands in place of 2", [](Kernel& k) { k.values[8].operands.pop_back(); }},
    {"value 5: an operand is not an index",
     [](Kernel& k) { k.values[4] = {.kind = ValueKind::constant}; }},
    {"value 8: an operand is an index, not a number",
     [](Kernel& k) { k.values[8].operands[1] = id(0); }},
    {"value 8: the operands' dtypes differ", [](Kernel& k) { k.values[7].dtype = DType::f64; }},
    {"value 8: is f64 in place of f32", [](Kernel& k) { k.values[8].dtype = DType::f64; }},
    {"value 8: `reduce_sum` is not elementwise",
     [](Kernel& k) { k.values[8].op = Op::reduce_sum; }},
    {"value 15: is f32 in place of pred", [](Kernel& k) { k.values[15].dtype = DType::f32; }},
    {"value 6: is f64 in place of f32", [](Kernel& k) { k.values[6].dtype = DType::f64; }},
    {"value 6: loads from buffer 7, which is not there", [](Kernel& k) { k.values[6].buffer = 7; }},
    {"value 6: loads from `y`, which is not `read`", [](Kernel& k) { k.values[6].buffer = 1; }},
    {"value 6: the place to load from is not an index",
     [](Kernel& k) {
       k.values[6].operands[0] = id(5);
       k.values[5] = {.kind = ValueKind::constant};
     }},
    {"value 8: a load's predicate is none",
     [](Kernel& k) {
       k.values[8] = {.kind = ValueKind::load, .operands = {id(5), id(7)}, .buffer = 0};
     }},
    {"the divisor is 0",
     [](Kernel& k) {
       add(k, {.kind = ValueKind::index_modulo, .operands = {id(0)}, .integer = 0});
     }},
    {"the limit is -1",
     [](Kernel& k) {
       add(k, {.kind = ValueKind::index_clamp, .operands = {id(0)}, .integer = -1});
     }},
    {"variable 9 is not there",
     [](Kernel& k) { add(k, {.kind = ValueKind::loop_variable, .variable = {9}}); }},
    {"accumulator 3 is not there",
     [](Kernel& k) { add(k, {.kind = ValueKind::accumulator, .accumulator = 3}); }},
    {"the operand is neither i32 nor u32",
     [](Kernel& k) { add(k, {.kind = ValueKind::to_index, .operands = {id(7)}}); }},
    {"an index becomes a predicate",
     [](Kernel& k) {
       add(k, {.kind = ValueKind::from_index, .dtype = DType::pred, .operands = {id(0)}});
     }},
    {"selects by what is no predicate",
     [](Kernel& k) {
       add(k, {.kind = ValueKind::apply, .operands = {id(7), id(7), id(7)}, .op = Op::select});
     }},
    {"seed and step are not u32",
     [](Kernel& k) {
       add(k, {.kind = ValueKind::philox,
               .dtype = DType::u32,
               .operands = {id(7), id(7), id(7), id(0)}});
     }},
    {"buffer `x` has -1 elements", [](Kernel& k) { k.buffers[0].elements = -1; }},

    {"a parallel loop stands beside other statements",
     [](Kernel& k) { k.body.push_back({Store{1, id(14), id(7)}}); }},
    {"the parallel loop's extent is not units = 9", [](Kernel& k) { k.units = 9; }},
    {"units is 8 without a parallel loop", [](Kernel& k) { outermost(k).kind = LoopKind::serial; }},
    {"a parallel loop is not the outermost", [](Kernel& k) { lanes(k).kind = LoopKind::parallel; }},
    {"a vector loop stands in a vector loop",
     [](Kernel& k) {
       outermost(k).kind = LoopKind::vector;
       k.units = 1;
     }},
    {"a vector loop's extent is neither constant nor a minimum with a constant",
     [](Kernel& k) { lanes(k).extent = id(2); }},
    {"an unrolled loop's extent is not constant",
     [](Kernel& k) {
       lanes(k).kind = LoopKind::unroll;
       lanes(k).extent = id(2);
     }},
    {"an extent is not an index", [](Kernel& k) { lanes(k).extent = id(7); }},
    {"variable 2 is bound twice", [](Kernel& k) { lanes(k).variable = {2}; }},
    {"a store's index uses variable 1 outside its loop",
     [](Kernel& k) { lanes(k).variable = {k.variable_count++}; }},

    {"a store's index is value 99, which is not there", [](Kernel& k) { store(k).index = id(99); }},
    {"a store's index is not an index", [](Kernel& k) { store(k).index = id(7); }},
    {"a store to buffer 5, which is not there", [](Kernel& k) { store(k).buffer = 5; }},
    {"a store to `x`, which is not `written`", [](Kernel& k) { store(k).buffer = 0; }},
    {"a store to `y` of another dtype", [](Kernel& k) { k.buffers[1].dtype = DType::f64; }},
    {"a store to `y` whose predicate is none", [](Kernel& k) { store(k).predicate = id(7); }},
    {"lanes may meet in an addition to `y`",
     [](Kernel& k) {
       store(k).add = true;
       store(k).index = id(4);
     }},
    {"lanes may meet in a store to `y`", [](Kernel& k) { store(k).index = id(4); }},
    {"a loop's extent differs between lanes",
     [](Kernel& k) {
       lanes(k).body.push_back({Loop{LoopKind::serial, {k.variable_count++}, id(3), {}}});
     }},
    {"an addition to `y`, which holds predicates",
     [](Kernel& k) {
       k.buffers[1].dtype = DType::pred;
       store(k).add = true;
     }},

    {"accumulator 4 is not there", [](Kernel& k) { sum(k).id = 4; }},
    {"accumulator 0 has two statements",
     [](Kernel& k) {
       outermost(k).body.push_back({Accumulator{0, Accumulator::Combine::sum, DType::f32, {}}});
     }},
    {"accumulator 0 is a predicate", [](Kernel& k) { sum(k).dtype = DType::pred; }},
    {"reads accumulator 0 where it has no value",
     [](Kernel& k) { std::swap(outermost(k).body[0], outermost(k).body[1]); }},
    {"reads accumulator 0 where it has no value",  // its block has ended
     [](Kernel& k) {
       outermost(k).body[0] = {
           Loop{LoopKind::serial, {k.variable_count++}, id(0), {outermost(k).body[0]}}};
     }},
    {"reads accumulator 0 with another dtype", [](Kernel& k) { sum(k).dtype = DType::f64; }},
    {"accumulator 0 takes a value of another dtype", [](Kernel& k) { sum(k).dtype = DType::f64; }},
    {"accumulator 0 is not open where it is added to",
     [](Kernel& k) { lanes(k).body.push_back({Accumulate{0, id(7)}}); }},

    {"a contraction stands in a vector loop",
     [](Kernel& k) {
       lanes(k).body.push_back(outermost(k).body[2]);
       outermost(k).body.pop_back();
     }},
    {"a contraction of a buffer that is not there", [](Kernel& k) { product(k).a_buffer = 8; }},
    {"a contraction of a buffer that is not `read`", [](Kernel& k) { product(k).b_buffer = 1; }},
    {"a contraction of i32 and f32",
     [](Kernel& k) {
       k.buffers.push_back({"z", DType::i32, 9, true, false});
       product(k).a_buffer = 2;
     }},
    {"a contraction's initial value has another dtype",
     [](Kernel& k) {
       product(k).initial = add(k, {.kind = ValueKind::constant, .dtype = DType::f64});
     }},
    {"a contraction's m_count is not an index", [](Kernel& k) { product(k).m_count = id(7); }},
    {"dot products of what does not lie so", [](Kernel& k) { product(k).dot = true; }},
    {"a contraction's lanes are not consecutive", [](Kernel& k) { product(k).b_v_stride = 2; }},
    {"a contraction's lanes are not consecutive", [](Kernel& k) { product(k).a_v_stride = 2; }},
    {"a contraction in tiles moves an operand with rows and lanes",
     [](Kernel& k) { product(k).tiles = true, product(k).b_m_stride = 1; }},
    {"a contraction's panels are no multiple of 16 lanes",
     [](Kernel& k) { product(k).b_panel = 8; }},
    {"a contraction that fetches ahead has not one axis alone",
     [](Kernel& k) { product(k).a_ahead = 8; }},
    {"a contraction fetches both operands ahead",
     [](Kernel& k) { product(k).a_ahead = product(k).b_ahead = 8; }},
    {"buffer `y` comes after a local one", [](Kernel& k) { k.buffers[0].local = true; }},
    {"a contraction's limit is below 1", [](Kernel& k) { product(k).v_limit = 0; }},
    {"a contraction's count is above its limit", [](Kernel& k) { product(k).v_limit = 15; }},
    {"table 3 is not there", [](Kernel& k) { product(k).taps[0].table = 3; }},
    {"table 0 has a negative position", [](Kernel& k) { k.tables[0].rows[0][0].first = -1; }},
    {"a contraction's axis has an extent below 1",
     [](Kernel& k) { product(k).axes[0].extent = 0; }},
    {"an epilogue holds more than stores and what is accumulated",
     [](Kernel& k) { product(k).epilogue.push_back({Loop{LoopKind::serial, {0}, id(7), {}}}); }},
    {"accumulator 0 is not open where it is added to",
     [](Kernel& k) { product(k).epilogue.push_back({Accumulate{0, id(7)}}); }},
    {"a stored value uses a contraction's sum outside its epilogue",
     [](Kernel& k) { store(k).value = id(17); }},
};

}  // namespace

TEST_CASE("a valid kernel has no problems") {
  CHECK(verify(valid()).empty());
}

TEST_CASE("each check of the kernel verifier fires") {
  for (const Mistake& mistake : mistakes) {
    Kernel k = valid();
    mistake.make(k);
    std::string all;
    for (const std::string& problem : verify(k)) all += problem + "\n";
    INFO("wanted: " << mistake.message << "\ngot:\n" << all);
    CHECK(all.find(mistake.message) != std::string::npos);
  }
}

TEST_CASE("kernels print readably") {
  CHECK(print(valid()) == R"(kernel valid units 8 {
  buffer x.0: f32[128] read
  buffer y.1: f32[128] written
  table t0 = [ 0:0 ]
  parallel i0 < 8 {
    sum0: f32 sum {
      vector i2 < 16 {
        %4 = i0 * 16
        sum0 <- x.0[(%4 + i2)]
      }
    }
    vector i1 < 16 {
      %5 = (%4 + i1)
      y.1[%5 if (i1 == 8)] = add(maximum(x.0[%5], 0:f32), sum0)
    }
    contraction i3 < 4 (<= 4), i4 < 16 (<= 16) {
      x.0[0 + i3 * 1] * x.0[0 + i4]
      over t0[0]: a * 1, b * 1
      over 4: a * 1, b * 16
      y.1[(%4 + i4)] = contraction
    }
  }
}
)");
}

TEST_CASE("the key is that of the code: names, numbering and what nobody uses do not count") {
  const std::string key = structural_key(valid());
  Kernel same = valid();
  same.name = "other";
  same.buffers[0].name = "z";
  same.values.insert(same.values.begin(),
                     kernel::Value{.kind = ValueKind::index_constant, .integer = 77});
  for (kernel::Value& v : same.values)
    for (ValueId& operand : v.operands) ++operand.index;
  const auto shift = [](ValueId& x) {
    if (x) ++x.index;
  };
  shift(outermost(same).extent);
  shift(lanes(same).extent);
  shift(store(same).index);
  shift(store(same).value);
  shift(store(same).predicate);
  Loop& inner = std::get<Loop>(sum(same).body[0].node);
  shift(inner.extent);
  shift(std::get<Accumulate>(inner.body[0].node).value);
  Contraction& c = product(same);
  for (ValueId* x : {&c.m_count, &c.v_count, &c.a_base, &c.b_base, &c.taps[0].row}) shift(*x);
  Store& last = std::get<Store>(c.epilogue[0].node);
  shift(last.index);
  shift(last.value);
  REQUIRE(verify(same).empty());
  CHECK(structural_key(same) == key);

  const std::function<void(Kernel&)> changes[] = {
      [](Kernel& k) { k.values[7].number = 1; },
      [](Kernel& k) { k.values[7].number = -0.0; },
      [](Kernel& k) { k.values[4].integer = 17; },
      [](Kernel& k) { k.values[8].op = Op::minimum; },
      [](Kernel& k) { k.values[15].comparison = Comparison::less; },
      [](Kernel& k) { k.buffers[1].read = true; },
      [](Kernel& k) { store(k).predicate = {}; },
      [](Kernel& k) { sum(k).combine = Accumulator::Combine::maximum; },
      [](Kernel& k) { product(k).m_outer = true; },
      [](Kernel& k) { product(k).axes[0].b_stride = 15; },
      [](Kernel& k) { k.tables[0].rows[0].push_back({1, 1}); },
      [](Kernel& k) { lanes(k).kind = LoopKind::serial; },
  };
  for (const auto& change : changes) {
    Kernel k = valid();
    change(k);
    CHECK(structural_key(k) != key);
  }
}
