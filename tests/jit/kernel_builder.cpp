#include "tests/jit/kernel_builder.h"

namespace ganc {

using namespace kernel;

std::uint32_t KernelBuilder::buffer(std::string name, DType dtype, std::int64_t elements, bool read,
                                    bool written) {
  kernel.buffers.push_back({std::move(name), dtype, elements, read, written});
  return static_cast<std::uint32_t>(kernel.buffers.size() - 1);
}

std::uint32_t KernelBuilder::table(
    std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> rows) {
  kernel.tables.push_back({std::move(rows)});
  return static_cast<std::uint32_t>(kernel.tables.size() - 1);
}

KernelBuilder::Id KernelBuilder::value(kernel::Value v) {
  kernel.values.push_back(std::move(v));
  return {static_cast<std::uint32_t>(kernel.values.size() - 1)};
}
KernelBuilder::Id KernelBuilder::index(std::int64_t x) {
  return value({.kind = ValueKind::index_constant, .integer = x});
}
KernelBuilder::Id KernelBuilder::number(double x, DType dtype) {
  return value({.kind = ValueKind::constant, .dtype = dtype, .number = x});
}
KernelBuilder::Id KernelBuilder::variable(VarId v) {
  return value({.kind = ValueKind::loop_variable, .variable = v});
}

KernelBuilder::Id KernelBuilder::load(std::uint32_t buffer, Id at, Id predicate) {
  std::vector<Id> operands = {at};
  if (predicate) operands.push_back(predicate);
  return value({.kind = ValueKind::load,
                .dtype = kernel.buffers[buffer].dtype,
                .operands = std::move(operands),
                .buffer = buffer});
}

void KernelBuilder::block(Block& into, const std::function<void()>& body) {
  blocks_.push_back(&into);
  body();
  blocks_.pop_back();
}

void KernelBuilder::loop(LoopKind kind, Id extent, const Body& body) {
  Loop loop{kind, new_variable(), extent, {}};
  if (kind == LoopKind::parallel) kernel.units = kernel.values[extent.index].integer;
  const Id i = variable(loop.variable);
  block(loop.body, [&] { body(i); });
  blocks_.back()->push_back({std::move(loop)});
}
void KernelBuilder::loop(LoopKind kind, std::int64_t extent, const Body& body) {
  loop(kind, index(extent), body);
}

void KernelBuilder::store(std::uint32_t buffer, Id at, Id number, Id predicate, bool add) {
  blocks_.back()->push_back({Store{buffer, at, number, predicate, add}});
}

KernelBuilder::Id KernelBuilder::accumulator(Accumulator::Combine combine, DType dtype,
                                             const std::function<void(std::uint32_t)>& body) {
  Accumulator accumulator{kernel.accumulator_count++, combine, dtype, {}};
  const std::uint32_t id = accumulator.id;
  block(accumulator.body, [&] { body(id); });
  blocks_.back()->push_back({std::move(accumulator)});
  return value({.kind = ValueKind::accumulator, .dtype = dtype, .accumulator = id});
}

void KernelBuilder::accumulate(std::uint32_t accumulator, Id number) {
  blocks_.back()->push_back({Accumulate{accumulator, number}});
}

Contraction KernelBuilder::product(std::int64_t m, std::int64_t v, std::uint32_t a, std::uint32_t b,
                                   std::int64_t a_m_stride) {
  return {.m_count = index(m),
          .v_count = index(v),
          .m_limit = m,
          .v_limit = v,
          .a_buffer = a,
          .b_buffer = b,
          .a_base = index(0),
          .b_base = index(0),
          .a_m_stride = a_m_stride};
}

void KernelBuilder::contraction(Contraction c, const std::function<void(Id, Id, Id)>& body,
                                const std::function<Id(Id, Id)>& initial) {
  c.m_variable = new_variable();
  c.v_variable = new_variable();
  const Id m = variable(c.m_variable), v = variable(c.v_variable);
  if (initial) c.initial = initial(m, v);
  const Id sum = value({.kind = ValueKind::contraction, .dtype = sum_type(kernel, c)});
  block(c.epilogue, [&] { body(m, v, sum); });
  blocks_.back()->push_back({std::move(c)});
}

}  // namespace ganc
