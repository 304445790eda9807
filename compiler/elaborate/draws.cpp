#include <cmath>
#include <numbers>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// Standard random numbers in f32, so that a run in f64 draws the same ones. Sample i does not
// depend on the batch: elements are counted row-major with the batch first.
struct Sampler {
  Builder& b;
  NodeId seed, step;
  std::set<std::uint32_t>& streams;
  std::string name;
  Shape shape;
  std::uint32_t first_stream = 0;
  int drawn = 0;

  Type f32() const { return {DType::f32, shape}; }
  NodeId constant(double x) const { return b.constant(x, f32()); }

  NodeId bits() {
    std::uint32_t stream = fnv1a(drawn ? fmt::format("{}/{}", name, drawn) : name);
    while (!streams.insert(stream).second) ++stream;
    if (drawn++ == 0) first_stream = stream;
    return b.random_bits(seed, step, stream, shape);
  }
  // The highest bits of a word, as a number.
  NodeId highest(int count) {
    const NodeId word = bits();
    return b.convert(b.binary(Op::shift_right_logical, word, b.like(word, 32 - count)), DType::f32);
  }

  // Of 24 bits: 0, 2^-24, ... below 1.
  NodeId uniform() { return b.multiply(highest(24), constant(0x1p-24)); }

  // Through the inverse of the distribution, at the middles of 2^23 equal cells: one word a number,
  // as many on either side, at most 5.3 from 0.
  NodeId normal() {
    const NodeId x = b.subtract(b.multiply(highest(23), constant(0x1p-22)), constant(1 - 0x1p-23));
    return b.multiply(inverse_erf(x), constant(std::numbers::sqrt2));
  }

  NodeId polynomial(NodeId x, std::initializer_list<double> coefficients) {
    NodeId p;
    for (const double c : coefficients) {
      p = p ? b.add(b.multiply(p, x), constant(c)) : constant(c);
    }
    return p;
  }

  // Giles, "Approximating the erfinv function" (2012), single precision.
  NodeId inverse_erf(NodeId x) {
    const NodeId one = constant(1);
    const NodeId w = b.negate(b.log(b.multiply(b.subtract(one, x), b.add(one, x))));
    const NodeId centre =
        polynomial(b.subtract(w, constant(2.5)),
                   {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941});
    const NodeId tail =
        polynomial(b.subtract(b.sqrt(b.maximum(w, constant(5))), constant(3)),
                   {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682});
    return b.multiply(x, b.select(b.compare(Comparison::less, w, constant(5)), centre, tail));
  }

  // erf(limit / sqrt 2) (2 u - 1) through the inverse, u in the middle of its cell.
  NodeId truncated_normal(double limit) {
    const NodeId u = b.add(uniform(), constant(0x1p-25));
    const double mass = std::erf(limit / std::numbers::sqrt2);
    const NodeId x =
        b.multiply(b.subtract(b.multiply(u, constant(2)), constant(1)), constant(mass));
    const NodeId z = b.multiply(inverse_erf(x), constant(std::numbers::sqrt2));
    return b.minimum(b.maximum(z, constant(-limit)), constant(limit));
  }
};

bool is_static(const Value& v, double x) {
  return v.number() && *v.number() == x;
}

}  // namespace

// A parameter of a distribution, brought to the shape of what is drawn.
NodeId Elaborator::distribution_argument(Frame& frame, const Distribution& d, std::size_t place,
                                         const TypeSpec& type, std::int64_t count, Span span) {
  Tensor t = real_tensor(frame, d.arguments[place], span, "a distribution");
  t.node = real_node(t);
  t.number = false;
  Tensor drawn = t;
  drawn.shape = type.shape;
  const bool fits = t.shape.size() <= type.shape.size() && (!t.batched() || t.count == count);
  if (!fits || common_shape(frame, d.text, t, drawn, span, {span, span}) != type.shape) {
    error(frame, Kind::shapes_differ, span, d.text, print(type.shape), describe(t));
  }
  return broadcast(frame, t, type.shape, count);
}

// The class of a uniform number: how many partial sums of p it has passed.
NodeId Elaborator::categorical(Frame& frame, const Distribution& d, const TypeSpec& type,
                               NodeId uniform, Span span) {
  if (is_static(d.arguments[0], 0)) {
    const NodeId scaled =
        b().multiply(uniform, b().like(uniform, static_cast<double>(type.classes)));
    return b().convert(b().unary(Op::floor, scaled), DType::i32);
  }
  const Tensor p = real_tensor(frame, d.arguments[0], span, "`categorical`");
  if (p.shape != Shape{type.classes} || p.batched()) {
    error(frame, Kind::shapes_differ, span, d.text, fmt::format("[{}]", type.classes), describe(p));
  }
  const NodeId u = b().convert(uniform, real());
  NodeId sum;
  NodeId value = b().constant(0, {DType::i32, b().shape(u)});
  for (std::int64_t k = 0; k + 1 < type.classes; ++k) {
    charge(frame, span);
    const NodeId one = b().reshape(b().slice(real_node(p), {k}, {k + 1}), {});
    sum = sum ? b().add(sum, one) : one;
    const NodeId bound = b().broadcast_scalar(sum, b().shape(u));
    const NodeId passed = b().compare(Comparison::greater_equal, u, bound);
    value = b().add(value, b().convert(passed, DType::i32));
  }
  return value;
}

NodeId Elaborator::sample(Frame& frame, const Distribution& d, const TypeSpec& type,
                          std::int64_t count, const std::string& stream_name, NodeId step,
                          Span span, std::uint32_t* stream) {
  Shape full = type.shape;
  if (count >= 0) full.insert(full.begin(), count);
  check_elements(frame, span, type.shape, count);
  Sampler s{b(), b().input("seed", {DType::u32, {2}}), step, work->streams, stream_name, full};
  const auto argument = [&](std::size_t i) {
    return distribution_argument(frame, d, i, type, count, span);
  };
  NodeId value;
  switch (d.kind) {
    case Distribution::Kind::normal:
      value = b().convert(s.normal(), real());
      if (!is_static(d.arguments[1], 1)) value = b().multiply(value, argument(1));
      if (!is_static(d.arguments[0], 0)) value = b().add(value, argument(0));
      break;
    case Distribution::Kind::uniform:
      value = b().convert(s.uniform(), real());
      if (!is_static(d.arguments[0], 0) || !is_static(d.arguments[1], 1)) {
        const NodeId low = argument(0);
        value = b().add(low, b().multiply(value, b().subtract(argument(1), low)));
      }
      break;
    case Distribution::Kind::bernoulli: {
      const NodeId u = b().convert(s.uniform(), real());
      value = b().convert(b().compare(Comparison::less, u, argument(0)), real());
      break;
    }
    case Distribution::Kind::categorical:
      value = categorical(frame, d, type, s.uniform(), span);
      break;
    case Distribution::Kind::truncated_normal: {
      const double limit =
          static_number(frame, d.arguments[0], span, "the limit of `truncated_normal`");
      if (!(limit > 0))
        error(frame, Kind::wrong_value, span, "truncated_normal", "a limit above 0", limit);
      value = b().convert(s.truncated_normal(limit), real());
      break;
    }
  }
  if (stream) *stream = s.first_stream;
  return value;
}

// `~ normal`, `~ normal(0, 0.02)`, `~ he_normal`: the last is a function from a shape to a
// distribution.
Distribution Elaborator::distribution(Frame& frame, const Value& value, const TypeSpec& type,
                                      Span span) {
  Value made = value;
  if (const auto* native = value.get<const NativeFunction*>()) {
    made = call_with(frame, Value(*native), {}, span, (*native)->name);
  } else if (value.function()) {
    made = call_with(frame, value, {make_list(type.shape)}, span, value.function()->name);
  }
  const auto* d = made.get<std::shared_ptr<const Distribution>>();
  if (!d) error(frame, Kind::wrong_value, span, "`~`", "a distribution", describe(value));
  const bool categorical = (*d)->kind == Distribution::Kind::categorical;
  if (categorical != (type.kind == ElementKind::class_) || type.kind == ElementKind::integer) {
    error(frame, Kind::wrong_value, span, "`~`",
          type.kind == ElementKind::real ? "a distribution of real numbers"
                                         : "`categorical` and a class",
          "`" + (*d)->text + "`");
  }
  return **d;
}

Tensor Elaborator::draw(Frame& frame, const Distribution& d, const TypeSpec& type,
                        std::int64_t count, const std::string& name, Span span) {
  std::string unique = name;
  for (int n = 2; work->draw_of_name.contains(unique); ++n) unique = fmt::format("{}_{}", name, n);
  std::uint32_t stream = 0;
  const NodeId step = b().input("random_step", {DType::u32, {}});
  const NodeId value = b().draw(sample(frame, d, type, count, unique, step, span, &stream), unique);
  work->draw_of_name[unique] = work->draws.size();
  work->draw_of_node[value.index] = work->draws.size();
  Draw made;
  made.name = unique;
  made.distribution = d.text;
  made.held = !current_let.empty();
  made.held_why = current_let;
  made.type = b().type(value);
  made.classes = type.kind == ElementKind::class_ ? type.classes : 0;
  made.stream = stream;
  made.span = span;
  work->draws.push_back(std::move(made));
  return make_tensor(value, type.shape, count, type.kind, type.classes);
}

// A noise of a body: one draw for each call.
void Elaborator::make_noise(Frame& frame, const ast::Noise& noise, Span span) {
  const TypeSpec type = eval_type(frame, noise.type);
  const Span at = (*frame.ast)[noise.distribution].span;
  const Distribution d = distribution(frame, eval(frame, noise.distribution), type, at);
  std::string name = unit->draw_label.empty() ? "draw/" : "draw/" + unit->draw_label + "/";
  name += frame.draw_path.empty() ? noise.name.text : frame.draw_path + "." + noise.name.text;
  name += frame.loops;
  Tensor t;
  t.shape = type.shape;
  t.count = frame.count >= 0 ? frame.count : work->count;
  t.kind = type.kind;
  t.classes = type.classes;
  t.lazy = std::make_shared<Lazy>();
  Frame kept = frame;
  kept.caller = nullptr;
  kept.call_span = user_place(frame, span);
  t.lazy->make = [this, kept, d, type, count = t.count, name]() mutable {
    return draw(kept, d, type, count, name, kept.call_span).node;
  };
  ++dynamic_reads;
  Binding binding;
  binding.what = Value(std::move(t));
  binding.span = noise.name.span;
  define(frame, noise.name, std::move(binding));
}

// A noise of the file or of a train block: one sample within an update, or what the block holds.
Value Elaborator::read_noise(Frame& frame, const std::shared_ptr<NoiseName>& noise,
                             std::string_view name, Span) {
  Frame own = file_frame(*noise->ast, noise->scope);
  own.sees_draws = true;
  own.caller = &frame;
  const TypeSpec type = eval_type(own, noise->declaration->type);
  HeldBlock* holder = nullptr;
  for (HeldBlock* block : work->held) {
    if (!holder && block->why.contains(std::string(name))) holder = block;
  }
  auto& samples = holder ? holder->noises : unit->noises;
  if (const auto it = samples.find(noise.get()); it != samples.end()) return it->second;
  const Span at = (*noise->ast)[noise->declaration->distribution].span;
  const std::string label = holder ? holder->label : unit->draw_label;
  std::string full_name = label.empty() ? "draw/" : "draw/" + label + "/";
  full_name += name;
  const std::string why = holder ? holder->why.at(std::string(name)) : "";
  Tensor t;
  t.shape = type.shape;
  t.count = work->count;
  t.kind = type.kind;
  t.classes = type.classes;
  t.lazy = std::make_shared<Lazy>();
  own.caller = nullptr;
  t.lazy->make = [this, own, noise, type, full_name, why, count = t.count, at]() mutable {
    const Distribution d = distribution(own, eval(own, noise->declaration->distribution), type, at);
    const Tensor made = draw(own, d, type, count, full_name, noise->span);
    Draw& entry = work->draws[work->draw_of_node.at(made.node.index)];
    entry.held = !why.empty();
    entry.held_why = why.empty() ? "" : "read by " + why;
    return made.node;
  };
  samples[noise.get()] = t;
  return t;
}

}  // namespace ganc::elab
