// What is checked:
//   values         operands come before their users, in number and kind as the kind wants them
//                  (index, number, predicate); dtypes agree; divisors and limits are positive;
//                  buffers, accumulators exist
//   buffers        loads want `read`, stores want `written`; dtypes agree; no negative size; local
//                  ones come last
//   variables      each is bound by one loop or contraction; a statement uses bound ones only
//   loops          one parallel loop, outermost and alone, of extent `units`; no vector loop in a
//                  vector loop; extents of parallel loops constant, of vector loops constant or a
//                  minimum with a constant; the same for all lanes
//   stores         no two lanes of a vector loop meet: `add` moves with the lane by a constant that
//                  is not 0, others move
//   accumulators   one statement an id; accumulated to inside it, of its dtype; read only after it,
//                  where it still stands
//   contractions   outside vector loops; a and b both of f32, of f64 or of pairs; in tiles where
//                  pairs lie so; dot products of numbers along an axis that is consecutive in
//                  both, without panels, else b along v and a along v or broadcast; counts within
//                  limits where constant; tables exist, positions are not negative; extents
//                  positive; `contraction` is used in epilogues alone, which hold nothing but
//                  stores and what is accumulated
#include <fmt/format.h>

#include "compiler/kernel/affine.h"
#include "compiler/kernel/kernel.h"
#include "compiler/kernel/verify_values.h"

namespace ganc::kernel {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// Walks the statements with what is bound where it stands.
class BodyVerifier {
 public:
  BodyVerifier(const Kernel& kernel, std::vector<std::string>& problems)
      : kernel_(kernel),
        problems_(problems),
        bound_(kernel.variable_count, false),
        ever_bound_(kernel.variable_count, false),
        accumulators_(kernel.accumulator_count) {}

  void run() {
    if (const Loop* loop = parallel_loop()) {
      if (kernel_.body.size() != 1) problem("a parallel loop stands beside other statements");
      if (constant(loop->extent) != kernel_.units)
        problem(fmt::format("the parallel loop's extent is not units = {}", kernel_.units));
    } else if (kernel_.units != 1) {
      problem(fmt::format("units is {} without a parallel loop", kernel_.units));
    }
    block(kernel_.body, true);
  }

 private:
  enum class AccumulatorState : std::uint8_t { unknown, open, readable, closed };
  struct AccumulatorInfo {
    AccumulatorState state = AccumulatorState::unknown;
    DType dtype = DType::f32;
  };

  void problem(std::string text) { problems_.push_back(std::move(text)); }

  const Loop* parallel_loop() const {
    for (const Statement& s : kernel_.body)
      if (const auto* loop = std::get_if<Loop>(&s.node); loop && loop->kind == LoopKind::parallel)
        return loop;
    return nullptr;
  }

  bool valid(ValueId id) const { return id.index < kernel_.values.size(); }
  std::int64_t constant(ValueId id) const {
    if (!valid(id)) return -1;
    const Value& v = kernel_.values[id.index];
    return v.kind == ValueKind::index_constant ? v.integer : -1;
  }

  // Is constant, or a minimum of which one operand is.
  bool bounded(ValueId id) const {
    if (!valid(id)) return false;
    const Value& v = kernel_.values[id.index];
    if (v.kind == ValueKind::index_constant) return true;
    if (v.kind != ValueKind::index_minimum || v.operands.size() != 2) return false;
    return bounded(v.operands[0]) || bounded(v.operands[1]);
  }

  // All that `id` is computed from is at hand here.
  void use(ValueId id, const char* what, bool epilogue) {
    if (!valid(id))
      return problem(fmt::format("{} is value {}, which is not there", what, id.index));
    std::vector<char> seen(kernel_.values.size(), 0);
    use_operand(id, what, epilogue, seen);
  }
  void use_operand(ValueId id, const char* what, bool epilogue, std::vector<char>& seen) {
    if (!valid(id) || seen[id.index]) return;
    seen[id.index] = 1;
    const Value& v = kernel_.values[id.index];
    if (v.kind == ValueKind::loop_variable && v.variable.index < bound_.size() &&
        !bound_[v.variable.index])
      problem(fmt::format("{} uses variable {} outside its loop", what, v.variable.index));
    if (v.kind == ValueKind::contraction && !epilogue)
      problem(fmt::format("{} uses a contraction's sum outside its epilogue", what));
    if (v.kind == ValueKind::accumulator && v.accumulator < accumulators_.size()) {
      const AccumulatorInfo& info = accumulators_[v.accumulator];
      if (info.state != AccumulatorState::readable)
        problem(fmt::format("{} reads accumulator {} where it has no value", what, v.accumulator));
      else if (info.dtype != v.dtype)
        problem(fmt::format("{} reads accumulator {} with another dtype", what, v.accumulator));
    }
    for (ValueId operand : v.operands) use_operand(operand, what, epilogue, seen);
  }
  void use_index(ValueId id, const char* what, bool epilogue = false) {
    use(id, what, epilogue);
    if (valid(id) && !is_index(kernel_.values[id.index]))
      problem(fmt::format("{} is not an index", what));
  }

  bool bind(VarId variable) {
    if (variable.index >= bound_.size()) {
      problem(fmt::format("variable {} is not there", variable.index));
      return false;
    }
    if (ever_bound_[variable.index])
      problem(fmt::format("variable {} is bound twice", variable.index));
    ever_bound_[variable.index] = bound_[variable.index] = true;
    return true;
  }
  void unbind(VarId variable) { bound_[variable.index] = false; }

  // `scope`: the accumulators that became readable in it stop to be so at its end. An Accumulator's
  // body is none.
  void block(const Block& statements, bool scope) {
    const std::size_t before = readable_.size();
    for (const Statement& s : statements) {
      std::visit(
          Overloaded{[&](const Loop& x) { loop(x); }, [&](const Store& x) { store(x, false); },
                     [&](const Accumulator& x) { accumulator(x); },
                     [&](const Accumulate& x) { accumulate(x, false); },
                     [&](const Contraction& x) { contraction(x); }},
          s.node);
    }
    if (!scope) return;
    for (std::size_t i = before; i < readable_.size(); ++i)
      accumulators_[readable_[i]].state = AccumulatorState::closed;
    readable_.resize(before);
  }

  void loop(const Loop& x) {
    use_index(x.extent, "an extent");
    if (in_vector_ && valid(x.extent) && lane_stride(kernel_, x.extent, lane_) != 0)
      problem("a loop's extent differs between lanes");
    const bool outermost = depth_ == 0;
    if (x.kind == LoopKind::parallel && !outermost) problem("a parallel loop is not the outermost");
    if (x.kind == LoopKind::vector) {
      if (in_vector_) problem("a vector loop stands in a vector loop");
      if (!bounded(x.extent))
        problem("a vector loop's extent is neither constant nor a minimum with a constant");
    }
    if (x.kind == LoopKind::unroll && constant(x.extent) < 0)
      problem("an unrolled loop's extent is not constant");
    if (!bind(x.variable)) return;
    const bool was_vector = in_vector_;
    const VarId was_lane = lane_;
    // A loop of extent 1 has no lanes that could meet.
    if (x.kind == LoopKind::vector && constant(x.extent) != 1)
      in_vector_ = true, lane_ = x.variable;
    ++depth_;
    block(x.body, true);
    --depth_;
    in_vector_ = was_vector;
    lane_ = was_lane;
    unbind(x.variable);
  }

  void store(const Store& x, bool epilogue) {
    use_index(x.index, "a store's index", epilogue);
    use(x.value, "a stored value", epilogue);
    if (x.predicate) use(x.predicate, "a store's predicate", epilogue);
    if (x.buffer >= kernel_.buffers.size())
      return problem(fmt::format("a store to buffer {}, which is not there", x.buffer));
    const Buffer& buffer = kernel_.buffers[x.buffer];
    if (!buffer.written)
      problem(fmt::format("a store to `{}`, which is not `written`", buffer.name));
    if (valid(x.value)) {
      const Value& v = kernel_.values[x.value.index];
      if (is_index(v) || v.dtype != buffer.dtype)
        problem(fmt::format("a store to `{}` of another dtype", buffer.name));
    }
    if (x.predicate && valid(x.predicate) && !is_predicate(kernel_.values[x.predicate.index]))
      problem(fmt::format("a store to `{}` whose predicate is none", buffer.name));
    if (x.add && buffer.dtype == DType::pred)
      problem(fmt::format("an addition to `{}`, which holds predicates", buffer.name));
    if (!in_vector_ || !valid(x.index)) return;
    const auto stride = lane_stride(kernel_, x.index, lane_);
    if (x.add && (!stride || *stride == 0))
      problem(fmt::format("lanes may meet in an addition to `{}`", buffer.name));
    if (!x.add && stride && *stride == 0)
      problem(fmt::format("lanes may meet in a store to `{}`", buffer.name));
  }

  void accumulator(const Accumulator& x) {
    if (x.id >= accumulators_.size())
      return problem(fmt::format("accumulator {} is not there", x.id));
    AccumulatorInfo& info = accumulators_[x.id];
    if (info.state != AccumulatorState::unknown)
      problem(fmt::format("accumulator {} has two statements", x.id));
    if (x.dtype == DType::pred) problem(fmt::format("accumulator {} is a predicate", x.id));
    info = {AccumulatorState::open, x.dtype};
    ++depth_;
    block(x.body, false);
    --depth_;
    accumulators_[x.id].state = AccumulatorState::readable;
    readable_.push_back(x.id);
  }

  void accumulate(const Accumulate& x, bool epilogue) {
    use(x.value, "an accumulated value", epilogue);
    if (x.accumulator >= accumulators_.size())
      return problem(fmt::format("accumulator {} is not there", x.accumulator));
    const AccumulatorInfo& info = accumulators_[x.accumulator];
    if (info.state != AccumulatorState::open)
      return problem(fmt::format("accumulator {} is not open where it is added to", x.accumulator));
    if (valid(x.value) && (is_index(kernel_.values[x.value.index]) ||
                           kernel_.values[x.value.index].dtype != info.dtype))
      problem(fmt::format("accumulator {} takes a value of another dtype", x.accumulator));
  }

  void contraction(const Contraction& x);
  void contraction_operands(const Contraction& x);

  const Kernel& kernel_;
  std::vector<std::string>& problems_;
  std::vector<bool> bound_, ever_bound_;
  std::vector<AccumulatorInfo> accumulators_;
  std::vector<std::uint32_t> readable_;
  int depth_ = 0;
  bool in_vector_ = false;
  VarId lane_;
};

void BodyVerifier::contraction_operands(const Contraction& x) {
  const auto count = kernel_.buffers.size();
  if (x.a_buffer >= count || x.b_buffer >= count)
    return problem("a contraction of a buffer that is not there");
  const Buffer& a = kernel_.buffers[x.a_buffer];
  const Buffer& b = kernel_.buffers[x.b_buffer];
  if (!a.read || !b.read) problem("a contraction of a buffer that is not `read`");
  if (a.dtype != b.dtype ||
      (a.dtype != DType::f32 && a.dtype != DType::f64 && a.dtype != DType::u32))
    problem(fmt::format("a contraction of {} and {}", name(a.dtype), name(b.dtype)));
  if (x.tiles && (a.dtype != DType::u32 || x.axes.empty() || x.axes.back().a_stride != 1 ||
                  x.axes.back().extent % 16 != 0))
    problem("a contraction in tiles of what does not lie so");
  if (x.dot && (a.dtype == DType::u32 || x.axes.empty() || x.axes.back().a_stride != 1 ||
                x.axes.back().b_stride != 1 || x.b_panel != 0))
    problem("dot products of what does not lie so");
  if (!x.dot && (x.b_v_stride != 1 || (x.a_v_stride != 0 && x.a_v_stride != 1)))
    problem("a contraction's lanes are not consecutive");
  if (x.tiles && (x.dot || x.a_v_stride != 0 || x.b_m_stride != 0))
    problem("a contraction in tiles moves an operand with rows and lanes");
  if (x.initial && valid(x.initial) &&
      kernel_.values[x.initial.index].dtype != sum_type(kernel_, x))
    problem("a contraction's initial value has another dtype");
}

void BodyVerifier::contraction(const Contraction& x) {
  if (in_vector_) problem("a contraction stands in a vector loop");
  contraction_operands(x);
  use_index(x.m_count, "a contraction's m_count");
  use_index(x.v_count, "a contraction's v_count");
  use_index(x.a_base, "a contraction's a_base");
  use_index(x.b_base, "a contraction's b_base");
  if (x.b_panel < 0 || x.b_panel % 16 != 0)
    problem("a contraction's panels are no multiple of 16 lanes");
  if ((x.a_ahead != 0 || x.b_ahead != 0) && (!x.taps.empty() || x.axes.size() != 1))
    problem("a contraction that fetches ahead has not one axis alone");
  if (x.a_ahead != 0 && x.b_ahead != 0) problem("a contraction fetches both operands ahead");
  if (x.m_limit < 1 || x.v_limit < 1) problem("a contraction's limit is below 1");
  if (constant(x.m_count) > x.m_limit || constant(x.v_count) > x.v_limit)
    problem("a contraction's count is above its limit");
  for (const TapAxis& tap : x.taps) {
    use_index(tap.row, "a row of taps");
    if (tap.table >= kernel_.tables.size()) {
      problem(fmt::format("table {} is not there", tap.table));
      continue;
    }
    for (const auto& row : kernel_.tables[tap.table].rows)
      for (const auto& [a, b] : row)
        if (a < 0 || b < 0) problem(fmt::format("table {} has a negative position", tap.table));
  }
  for (const ReduceAxis& axis : x.axes)
    if (axis.extent < 1) problem("a contraction's axis has an extent below 1");
  if (!bind(x.m_variable) || !bind(x.v_variable)) return;
  if (x.initial) use(x.initial, "a contraction's initial value", false);
  const VarId was_lane = lane_;
  in_vector_ = constant(x.v_count) != 1;
  lane_ = x.v_variable;
  for (const Statement& s : x.epilogue) {
    if (const auto* node = std::get_if<Store>(&s.node))
      store(*node, true);
    else if (const auto* sum = std::get_if<Accumulate>(&s.node))
      accumulate(*sum, true);
    else
      problem("an epilogue holds more than stores and what is accumulated");
  }
  in_vector_ = false;
  lane_ = was_lane;
  unbind(x.m_variable);
  unbind(x.v_variable);
}

}  // namespace

std::vector<std::string> verify(const Kernel& kernel) {
  std::vector<std::string> problems = verify_values(kernel);
  BodyVerifier(kernel, problems).run();
  return problems;
}

}  // namespace ganc::kernel
