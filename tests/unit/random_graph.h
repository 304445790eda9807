#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/unit/random_graph_pool.h"

// Random graphs over the whole op set, to compare ways of evaluating them: interpreter, rewriter,
// kernels.
namespace ganc::test {

// Tame: every real node is known to be within a bound of some tens, divisors and arguments of roots
// and logarithms are away from 0, and what jumps (floor, compare, ...) is applied only to numbers
// that f32 has exactly; so evaluations of different precision agree up to rounding. Derivatives are
// not bounded, but of bounded functions.
//   ensures  verify finds nothing; may hold `grad`; every output is real
class RandomGraph : RandomGraphPool {
 public:
  RandomGraph(Random& random, RandomGraphOptions options = {}) : RandomGraphPool(random, options) {
    for (int step = 0; step < options.steps; ++step) {
      one_step();
      if (options.grads > 0 && random_.integer(1, options.steps) <= options.grads) add_grad();
    }
    if (options.grads > 0) add_grad();
    add_outputs();
  }

  using RandomGraphPool::graph;
  using RandomGraphPool::inputs;

 private:
  void one_step() {
    switch (random_.integer(0, 11)) {
      case 0:
      case 1:
        return smooth_unary();
      case 2:
      case 3:
        return binary();
      case 4:
        return jumping();
      case 5:
      case 6:
        return move();
      case 7:
      case 8:
        return reduce();
      case 9:
        return contract();
      case 10:
        return convolve();
      case 11:
        return random_.chance(0.6) ? index() : draw();
    }
  }

  void smooth_unary() {
    const NodeId x = pick();
    const Range r = range_.at(x);
    const auto [p, at_least] = positive(x);
    switch (random_.integer(0, 16)) {
      case 0:
        keep(b_.negate(x), {-r.high, -r.low, r.exact});
        return;
      case 1:
        keep(b_.unary(Op::abs, x), {0, std::max(-r.low, r.high), r.exact});
        return;
      case 2:
        keep(b_.unary(Op::tanh, x), {-1, 1});
        return;
      case 3:
        keep(b_.unary(Op::logistic, x), {0, 1});
        return;
      case 4:
        keep(b_.unary(Op::sine, x), {-1, 1});
        return;
      case 5:
        keep(b_.unary(Op::cosine, x), {-1, 1});
        return;
      case 6:
        keep(b_.unary(Op::erf, x), {-1, 1});
        return;
      case 7:
        keep(b_.unary(Op::softplus, x), {0, std::max(r.high, 0.0) + 0.7});
        return;
      case 8:
        keep(b_.unary(Op::sqrt, p), {0.5, std::sqrt(at_least.high)});
        return;
      case 9:
        keep(b_.unary(Op::rsqrt, p), {1 / std::sqrt(at_least.high), 2});
        return;
      case 10:
        keep(b_.log(p), {-1.4, std::log(at_least.high)});
        return;
      case 11:
        keep(b_.unary(Op::log_plus_one, p), {0.2, std::log1p(at_least.high)});
        return;
      case 12:
        keep(options_.stops ? b_.stop(x) : b_.negate(b_.negate(x)), r);
        return;
      case 13: {  // relu and leaky relu
        const double slope = random_.chance(0.5) ? 0 : 0.2;
        keep(b_.maximum(x, slope == 0 ? b_.like(x, 0) : scaled(x, slope)),
             {slope * r.low, std::max(r.high, 0.0)});
        return;
      }
      case 14: {  // elu by hand
        const NodeId below = b_.unary(Op::exponential_minus_one, b_.minimum(x, b_.like(x, 0)));
        keep(below, {-1, 0});
        return;
      }
      case 15:
        if (r.high < 3) keep(b_.exponential(x), {0, std::exp(r.high)});
        return;
      case 16: {
        const DType other = options_.real == DType::f64 ? DType::f32 : DType::f64;
        keep(b_.convert(b_.unary(Op::tanh, b_.convert(x, other)), options_.real), {-1, 1});
        return;
      }
    }
  }

  void binary() {
    const NodeId x = pick(), y = of_shape(b_.shape(x));
    const Range a = range_.at(x), c = range_.at(y);
    const double most = std::max(std::fabs(a.low), std::fabs(a.high)) *
                        std::max(std::fabs(c.low), std::fabs(c.high));
    const auto [p, at_least] = positive(y);
    switch (random_.integer(0, 8)) {
      case 0:
        keep(b_.add(x, y), {a.low + c.low, a.high + c.high});
        return;
      case 1:
        keep(b_.subtract(x, y), {a.low - c.high, a.high - c.low});
        return;
      case 2:
      case 3:
        keep(b_.multiply(x, y), {-most, most});
        return;
      case 4: {
        const double bound = std::max(-a.low, a.high) / at_least.low;
        keep(b_.divide(x, p), {-bound, bound});
        return;
      }
      case 5:
        keep(b_.maximum(x, y), {std::max(a.low, c.low), std::max(a.high, c.high)});
        return;
      case 6:
        keep(b_.minimum(x, y), {std::min(a.low, c.low), std::min(a.high, c.high)});
        return;
      case 7: {
        const double exponents[] = {0, 1, 2, 3, 0.5, -1, -0.5, 1.7};
        const double exponent = exponents[random_.integer(0, 7)];
        const double one = std::pow(at_least.low, exponent),
                     other = std::pow(at_least.high, exponent);
        keep(b_.power(p, b_.like(p, exponent)), {std::min(one, other), std::max(one, other)});
        return;
      }
      case 8: {
        const NodeId exponent = b_.unary(Op::tanh, x);
        const double bound = std::max(at_least.high, 1 / at_least.low);
        keep(b_.power(p, exponent), {0, bound});
        return;
      }
    }
  }

  // Ops that jump, on exact numbers; and selections by them.
  void jumping() {
    const NodeId x = pick_exact();
    const Shape shape = b_.shape(x);
    const Range r = range_.at(x);
    switch (random_.integer(0, 6)) {
      case 0:
        keep(b_.unary(Op::floor, x), {r.low - 1, r.high, true});
        return;
      case 1:
        keep(b_.unary(Op::round_nearest_even, x), {r.low - 1, r.high + 1, true});
        return;
      case 2:
        keep(b_.unary(Op::sign, x), {-1, 1, true});
        return;
      case 3:
        keep(b_.binary(Op::modulo, x, b_.like(x, 0.5)), {0, 0.5});
        return;
      case 4: {
        const NodeId whole = b_.convert(x, DType::i32);
        keep(b_.convert(b_.binary(Op::modulo, whole, b_.like(whole, 3)), options_.real),
             {0, 3, true});
        return;
      }
      case 5: {
        const NodeId predicate = random_predicate(x);
        const NodeId y = of_shape(shape), z = of_shape(shape);
        const Range a = range_.at(y), c = range_.at(z);
        keep(b_.select(predicate, y, z), {std::min(a.low, c.low), std::max(a.high, c.high)});
        return;
      }
      case 6: {
        if (shape.empty() || element_count(shape) == 0) return;
        const auto axis = random_.integer(0, static_cast<std::int64_t>(shape.size()) - 1);
        const NodeId index = b_.convert(b_.iota(axis, {DType::i32, shape}), options_.real);
        keep(scaled(index, 1.0 / static_cast<double>(shape[axis])), {0, 1});
        return;
      }
    }
  }

  NodeId random_predicate(NodeId x) {
    const auto comparison = static_cast<Comparison>(random_.integer(0, 5));
    NodeId predicate = b_.compare(comparison, x, b_.like(x, 0.25));
    if (random_.chance(0.3)) predicate = b_.unary(Op::logical_not, predicate);
    if (random_.chance(0.3)) {
      const NodeId other = b_.compare(Comparison::less, x, b_.like(x, 1));
      predicate =
          b_.binary(random_.chance(0.5) ? Op::logical_and : Op::logical_or, predicate, other);
    }
    return predicate;
  }

  void move() {
    const NodeId x = pick();
    const Shape shape = b_.shape(x);
    const Range r = range_.at(x);
    const std::size_t rank = shape.size();
    switch (random_.integer(0, 6)) {
      case 0: {
        Shape to;
        std::vector<std::int64_t> axes;
        for (std::int64_t size : shape) {
          if (random_.chance(0.3)) to.push_back(random_.integer(1, 4));
          axes.push_back(static_cast<std::int64_t>(to.size()));
          to.push_back(size == 1 && random_.chance(0.5) ? random_.integer(1, 4) : size);
        }
        if (random_.chance(0.3)) to.push_back(random_.integer(1, 4));
        if (element_count(to) <= options_.most_elements) keep(b_.broadcast_in_dim(x, to, axes), r);
        return;
      }
      case 1: {
        Shape to = shape;
        if (rank >= 2 && random_.chance(0.6)) {
          to.erase(to.begin() + 1);
          to[0] *= shape[1];
        } else {
          to.insert(to.begin() + random_.integer(0, static_cast<std::int64_t>(rank)), 1);
        }
        if (to.size() <= 5) keep(b_.reshape(x, to), r);
        return;
      }
      case 2: {
        std::vector<std::int64_t> permutation;
        for (std::size_t i = 0; i < rank; ++i) {
          permutation.insert(permutation.begin() + random_.integer(0, static_cast<std::int64_t>(i)),
                             static_cast<std::int64_t>(i));
        }
        keep(b_.transpose(x, permutation), r);
        return;
      }
      case 3: {
        std::vector<std::int64_t> start, limit, stride;
        for (std::int64_t size : shape) {
          start.push_back(random_.integer(0, size > 0 ? size - 1 : 0));
          limit.push_back(random_.integer(start.back(), size));
          if (limit.back() == start.back() && size > 0) limit.back() = start.back() + 1;
          stride.push_back(random_.integer(1, 3));
        }
        keep(b_.slice(x, start, limit, stride), r);
        return;
      }
      case 4: {
        std::vector<std::int64_t> low, high, interior;
        Shape to;
        for (std::int64_t size : shape) {
          low.push_back(random_.integer(-1, 2));
          high.push_back(random_.integer(-1, 2));
          interior.push_back(random_.chance(0.3) ? random_.integer(1, 2) : 0);
          to.push_back(size + low.back() + high.back() +
                       std::max<std::int64_t>(size - 1, 0) * interior.back());
          if (to.back() < 1) return;
        }
        if (element_count(to) > options_.most_elements) return;
        const NodeId value =
            random_.chance(0.7) ? b_.constant(0.5, {options_.real, {}}) : of_shape({});
        const Range v = range_.contains(value) ? range_.at(value) : Range{0.5, 0.5, true};
        keep(b_.pad(x, value, low, high, interior),
             {std::min(r.low, v.low), std::max(r.high, v.high), r.exact && v.exact});
        return;
      }
      case 5: {
        if (rank == 0 || element_count(shape) * 2 > options_.most_elements) return;
        const auto axis = random_.integer(0, static_cast<std::int64_t>(rank) - 1);
        const NodeId y = of_shape(shape);
        const Range c = range_.at(y);
        keep(b_.concatenate({x, y}, axis),
             {std::min(r.low, c.low), std::max(r.high, c.high), r.exact && c.exact});
        return;
      }
      case 6:
        keep(b_.reverse(x, some_axes(shape)), r);
        return;
    }
  }

  void reduce() {
    const NodeId x = pick_rank(1);
    const Range r = range_.at(x);
    const Shape shape = b_.shape(x);
    const std::vector<std::int64_t> axes = some_axes(shape);
    double count = 1;
    for (std::int64_t axis : axes) count *= static_cast<double>(shape[axis]);
    if (random_.chance(0.3)) {
      if (count > 0) keep(b_.reduce_max(x, axes), {r.low, r.high, r.exact});
      return;
    }
    const Range sum = {std::min(r.low * count, 0.0), std::max(r.high * count, 0.0)};
    keep(b_.reduce_sum(x, axes), sum);
  }

  void contract() {
    const NodeId x = pick_rank(1);
    const Shape left = b_.shape(x);
    Shape right;
    std::vector<std::int64_t> lhs_batch, rhs_batch, lhs_contract, rhs_contract;
    double count = 1;
    std::int64_t result = 1;
    const auto place = [&](std::int64_t size) {
      right.push_back(size);
      return static_cast<std::int64_t>(right.size()) - 1;
    };
    for (std::size_t i = 0; i < left.size(); ++i) {
      const auto axis = static_cast<std::int64_t>(i);
      if (random_.chance(0.3)) {
        const std::int64_t free = random_.integer(1, 4);
        result *= free;
        place(free);
      }
      if (random_.chance(0.5)) {
        lhs_contract.push_back(axis);
        rhs_contract.push_back(place(left[i]));
        count *= static_cast<double>(left[i]);
      } else if (random_.chance(0.3)) {
        lhs_batch.push_back(axis);
        rhs_batch.push_back(place(left[i]));
        result *= left[i];
      } else {
        result *= left[i];
      }
    }
    if (random_.chance(0.5)) {
      const std::int64_t free = random_.integer(1, 9);
      result *= free;
      place(free);
    }
    if (result > options_.most_elements || element_count(right) > options_.most_elements) return;
    const NodeId y = of_shape(right);
    const double bound = count * magnitude(x) * magnitude(y);
    const bool swap = random_.chance(0.3);
    if (swap)
      keep(b_.dot_general(y, x, rhs_batch, lhs_batch, rhs_contract, lhs_contract), {-bound, bound});
    else
      keep(b_.dot_general(x, y, lhs_batch, rhs_batch, lhs_contract, rhs_contract), {-bound, bound});
  }

  void convolve() {
    const auto spatial = static_cast<std::size_t>(random_.integer(1, 2));
    const std::int64_t groups = random_.chance(0.3) ? 2 : 1;
    Shape left = {random_.integer(1, 3), groups * random_.integer(1, 3)};
    Shape right = {groups * random_.integer(1, 4), left[1] / groups};
    std::vector<Window> windows;
    for (std::size_t i = 0; i < spatial; ++i) {
      left.push_back(random_.integer(2, 7));
      right.push_back(random_.integer(1, 4));
      Window window = {.stride = random_.integer(1, 2),
                       .pad_low = random_.integer(0, 3),
                       .pad_high = random_.integer(0, 3)};
      if (random_.chance(0.3)) window.lhs_dilation = 2;
      if (random_.chance(0.2)) window.rhs_dilation = 2;
      if (random_.chance(0.1)) window.pad_low = -1;
      windows.push_back(window);
    }
    const NodeId x = of_shape(left), w = of_shape(right);
    const double bound =
        static_cast<double>(element_count(right) / right[0]) * magnitude(x) * magnitude(w);
    const NodeId y = b_.convolution(x, w, windows, groups);
    if (element_count(b_.shape(y)) <= options_.most_elements) keep(y, {-bound, bound});
  }

  void index() {
    const NodeId x = pick_rank(1);
    const Shape shape = b_.shape(x);
    const auto axis = random_.integer(0, static_cast<std::int64_t>(shape.size()) - 1);
    if (shape[axis] == 0 || element_count(shape) == 0) return;
    if (random_.chance(0.6)) {
      const std::int64_t batch = axis > 0 && random_.chance(0.4) ? 1 : 0;
      Shape picks(shape.begin(), shape.begin() + batch);
      picks.push_back(random_.integer(1, 5));
      const NodeId y = b_.gather(x, indices(picks), axis, batch);
      if (element_count(b_.shape(y)) <= options_.most_elements) keep(y, range_.at(x));
      return;
    }
    const double bound = magnitude(x) * static_cast<double>(shape[axis]);
    const std::int64_t size = random_.integer(1, 6);
    if (element_count(shape) / shape[axis] * size > options_.most_elements) return;
    keep(b_.scatter_add(x, indices({shape[axis]}), axis, 0, size), {-bound, bound});
  }

  void draw() {
    if (!seed_) {
      seed_ = b_.input("seed", {DType::u32, {2}});
      step_ = b_.input("random_step", {DType::u32, {}});
    }
    const auto stream = static_cast<std::uint32_t>(draws_++);
    const NodeId bits = b_.random_bits(seed_, step_, stream, random_shape());
    const NodeId high = b_.binary(Op::shift_right_logical, bits, b_.like(bits, 8));
    const NodeId uniform = scaled(b_.convert(high, options_.real), 0x1p-24);
    keep(b_.draw(uniform, fmt::format("draw/{}", stream)), {0, 1});
  }

  // By a node that y is made of, as a rule. The derivative is an output; later steps go on with a
  // bounded form.
  void add_grad() {
    NodeId y = pick();
    for (int i = 0; i < 6 && graph_[y].operands.empty(); ++i) y = pick();
    NodeId x = y;
    for (int depth = 0; depth < 12 && !graph_[x].operands.empty(); ++depth) {
      const auto& operands = graph_[x].operands;
      const NodeId next =
          operands[random_.integer(0, static_cast<std::int64_t>(operands.size()) - 1)];
      if (!is_real(b_.dtype(next)) || (depth > 3 && random_.chance(0.2))) break;
      x = next;
    }
    const NodeId g = b_.grad(y, x);
    derivatives_.push_back(g);
    if (b_.dtype(g) == options_.real) keep(b_.unary(Op::tanh, scaled(g, 0.1)), {-1, 1});
  }

  void add_outputs() {
    std::vector<bool> used(graph_.nodes.size());
    for (const Node& node : graph_.nodes) {
      for (NodeId operand : node.operands) used[operand.index] = true;
    }
    int count = 0;
    for (NodeId x : pool_) {
      if (!used[x.index] && graph_[x].op != Op::input) b_.output(fmt::format("out/{}", count++), x);
    }
    if (count == 0) b_.output("out/0", pool_.back());
    for (std::size_t i = 0; i < derivatives_.size(); ++i)
      b_.output(fmt::format("grad/{}", i), derivatives_[i]);
  }

  std::vector<NodeId> derivatives_;
  NodeId seed_, step_;
  int draws_ = 0;
};

}  // namespace ganc::test
