// dot_general. The result's axes: batch, free axes of lhs, free axes of rhs.
#include <algorithm>

#include "compiler/ops/families.h"
#include "compiler/ops/reference.h"
#include "compiler/ops/rules.h"

namespace ganc {
namespace {

// How one operand's axes take part. free: ascending.
struct Side {
  Axes batch, contract, free;
};

Axes joined(const Axes& a, const Axes& b) {
  Axes all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

Side side(const Axes& batch, const Axes& contract, std::size_t rank) {
  return {batch, contract, all_but(joined(batch, contract), rank)};
}

TypeOrError dot_type(Types operands, const Attributes& a, const Type&) {
  const Type &lhs = operands[0], &rhs = operands[1];
  if (!is_real(lhs.dtype) || lhs.dtype != rhs.dtype) {
    return wrong("needs reals of one dtype, but got {} and {}", to_string(lhs), to_string(rhs));
  }
  if (a.lhs_batch.size() != a.rhs_batch.size() || a.lhs_contract.size() != a.rhs_contract.size()) {
    return wrong("the axes of the two operands do not pair");
  }
  for (const auto& [axes, type] : {std::pair(joined(a.lhs_batch, a.lhs_contract), &lhs),
                                   std::pair(joined(a.rhs_batch, a.rhs_contract), &rhs)}) {
    if (std::string text = wrong_axes(axes, type->shape.size()); !text.empty()) {
      return wrong("{} of {}", text, to_string(*type));
    }
  }
  const Side l = side(a.lhs_batch, a.lhs_contract, lhs.shape.size());
  const Side r = side(a.rhs_batch, a.rhs_contract, rhs.shape.size());
  const Axes left = joined(l.batch, l.contract), right_axes = joined(r.batch, r.contract);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lhs.shape[left[i]] != rhs.shape[right_axes[i]]) {
      return wrong("axis {} of {} and axis {} of {} differ", left[i], to_string(lhs), right_axes[i],
                   to_string(rhs));
    }
  }
  Shape shape;
  for (std::int64_t axis : joined(l.batch, l.free)) shape.push_back(lhs.shape[axis]);
  for (std::int64_t axis : r.free) shape.push_back(rhs.shape[axis]);
  return right(lhs.dtype, shape);
}

// The permutation that puts result axis k at axis place[k].
Axes permutation_to(const Axes& place) {
  Axes permutation(place.size());
  for (std::size_t k = 0; k < place.size(); ++k) permutation[place[k]] = k;
  return permutation;
}

// The derivative by the operand `own`, whose partner is `other` with value `partner`. The partner's
// free axes begin at dy's axis `other_first`. Of the two orders of operands that one is taken whose
// result has the operand's axes in place, if there is one.
NodeId derivative(Builder& b, NodeId dy, NodeId partner, const Side& own, const Side& other,
                  std::size_t other_first) {
  const Axes batch = counting(own.batch.size());
  const Axes summed = counting(other.free.size(), static_cast<std::int64_t>(other_first));
  // What remains of the partner stands in its own order: the contracted axes, ascending there.
  Axes order = counting(other.contract.size());
  std::sort(order.begin(), order.end(),
            [&](std::int64_t i, std::int64_t j) { return other.contract[i] < other.contract[j]; });
  Axes contract;
  for (std::int64_t i : order) contract.push_back(own.contract[i]);
  const Axes dy_first = permutation_to(joined(joined(own.batch, own.free), contract));
  const Axes partner_first = permutation_to(joined(joined(own.batch, contract), own.free));
  if (partner_first == counting(partner_first.size()) && dy_first != partner_first) {
    return b.dot_general(partner, dy, other.batch, batch, other.free, summed);
  }
  return permute(b, b.dot_general(dy, partner, batch, other.batch, summed, other.free), dy_first);
}

Gradients dot_gradient(Builder& b, const Node& node, NodeId, NodeId dy) {
  const Attributes& a = node.attributes;
  const NodeId lhs = node.operands[0], rhs = node.operands[1];
  const Side l = side(a.lhs_batch, a.lhs_contract, b.shape(lhs).size());
  const Side r = side(a.rhs_batch, a.rhs_contract, b.shape(rhs).size());
  return {derivative(b, dy, rhs, l, r, l.batch.size() + l.free.size()),
          derivative(b, dy, lhs, r, l, l.batch.size())};
}

std::int64_t product(const Shape& shape, const Axes& axes) {
  std::int64_t count = 1;
  for (std::int64_t axis : axes) count *= shape[axis];
  return count;
}

// x with its axes in this order, as plain numbers.
std::vector<double> ordered(const Value& x, const Axes& axes) {
  const auto strides = row_major_strides(x.type.shape);
  Affine where;
  Shape shape;
  for (std::int64_t axis : axes) {
    where.strides.push_back(strides[axis]);
    shape.push_back(x.type.shape[axis]);
  }
  return read_strided(x, {x.type.dtype, shape}, where).data;
}

// [batch, m, k] times [batch, k, n]
Value dot_reference(const Node& node, Operands operands) {
  const Value &lhs = *operands[0], &rhs = *operands[1];
  const Attributes& a = node.attributes;
  const Side l = side(a.lhs_batch, a.lhs_contract, lhs.type.shape.size());
  const Side r = side(a.rhs_batch, a.rhs_contract, rhs.type.shape.size());
  const std::int64_t batch = product(lhs.type.shape, l.batch),
                     k = product(lhs.type.shape, l.contract);
  const std::int64_t m = product(lhs.type.shape, l.free), n = product(rhs.type.shape, r.free);
  const std::vector<double> left = ordered(lhs, joined(joined(l.batch, l.free), l.contract));
  const std::vector<double> right_values =
      ordered(rhs, joined(joined(r.batch, r.contract), r.free));
  Value y = filled(node.type, 0);
  for (std::int64_t row = 0; row < batch * m; ++row) {
    double* out = y.data.data() + row * n;
    const double* in = right_values.data() + row / m * k * n;
    for (std::int64_t i = 0; i < k; ++i) {
      const double x = left[row * k + i];
      for (std::int64_t column = 0; column < n; ++column) out[column] += x * in[i * n + column];
    }
  }
  return y;
}

Sample dot(Shape lhs, Shape rhs, Axes lhs_batch, Axes rhs_batch, Axes lhs_contract,
           Axes rhs_contract) {
  return {{{f32(std::move(lhs))}, {f32(std::move(rhs))}},
          {.lhs_batch = std::move(lhs_batch),
           .rhs_batch = std::move(rhs_batch),
           .lhs_contract = std::move(lhs_contract),
           .rhs_contract = std::move(rhs_contract)}};
}

const OpDefinition definitions[] = {
    {.op = Op::dot_general,
     .name = "dot_general",
     .op_class = OpClass::contract,
     .arity = 2,
     .type = dot_type,
     .gradient = dot_gradient,
     .reference = dot_reference,
     .samples = {dot({3, 4}, {4, 5}, {}, {}, {1}, {0}),  // dense
                 dot({4, 3}, {5, 4}, {}, {}, {0}, {1}),
                 dot({2, 3, 4}, {2, 4, 5}, {0}, {0}, {2}, {1}),  // attention
                 dot({2, 3, 4}, {5, 3, 4, 2}, {0}, {3}, {2, 1}, {2, 1}),
                 dot({2, 3, 4, 5}, {4, 3, 6, 2}, {0, 2}, {3, 0}, {1}, {1}),
                 dot({3}, {4}, {}, {}, {}, {}), dot({3}, {3}, {}, {}, {0}, {0}),
                 dot({2, 0}, {0, 3}, {}, {}, {1}, {0}), dot({0, 2}, {2, 3}, {}, {}, {1}, {0}),
                 dot({3, 2}, {3, 2}, {0, 1}, {0, 1}, {}, {}),
                 dot({37, 19}, {19, 70}, {}, {}, {1}, {0})},
     .attributes = reads::dot},
};

}  // namespace

std::span<const OpDefinition> contract_ops() {
  return definitions;
}

}  // namespace ganc
