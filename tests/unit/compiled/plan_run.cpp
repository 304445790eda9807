#include "tests/unit/compiled/plan_run.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/jit/kernel_reference.h"

namespace ganc::test {
namespace {

std::int64_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::pred:
      return 1;
  }
  __builtin_unreachable();
}

template <class T>
double get(const char* p) {
  T x;
  std::memcpy(&x, p, sizeof x);
  return static_cast<double>(x);
}
template <class T>
void put(char* p, double value) {
  const T x = static_cast<T>(value);
  std::memcpy(p, &x, sizeof x);
}

double get(DType dtype, const char* p) {
  switch (dtype) {
    case DType::f32:
      return get<float>(p);
    case DType::f64:
      return get<double>(p);
    case DType::i32:
      return get<std::int32_t>(p);
    case DType::u32:
      return get<std::uint32_t>(p);
    case DType::pred:
      return get<std::uint8_t>(p);
    case DType::bf16:
      break;
  }
  std::abort();
}

void put(DType dtype, char* p, double value) {
  switch (dtype) {
    case DType::f32:
      return put<float>(p, value);
    case DType::f64:
      return put<double>(p, value);
    case DType::i32:
      return put<std::int32_t>(p, value);
    case DType::u32:
      return put<std::uint32_t>(p, value);
    case DType::pred:
      return put<std::uint8_t>(p, value);
    case DType::bf16:
      break;
  }
  std::abort();
}

// Calls f(row-major number, byte offset from the placement's start) for each element.
template <class F>
void each_element(const Placement& placement, const F& f) {
  const std::int64_t count = element_count(placement.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i, at = 0;
    for (std::size_t axis = placement.shape.size(); axis-- > 0;) {
      at += rest % placement.shape[axis] * placement.strides[axis];
      rest /= placement.shape[axis];
    }
    f(static_cast<std::size_t>(i), at * size_of(placement.dtype));
  }
}

}  // namespace

PlanRun::PlanRun(const Plan& plan, Execute execute)
    : plan_(plan),
      execute_(std::move(execute)),
      memory_(static_cast<std::size_t>(plan.arena_bytes) + 64, '\xff') {
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
  arena_ = memory_.data() + (64 - address % 64) % 64;
}

void PlanRun::write(const Placement& placement, const Value& value) {
  each_element(placement, [&](std::size_t i, std::int64_t at) {
    put(placement.dtype, arena_ + placement.offset + at, value.data[i]);
  });
}

Value PlanRun::read(const Placement& placement) const {
  Value value{{placement.dtype, placement.shape}, {}};
  value.data.resize(static_cast<std::size_t>(element_count(placement.shape)));
  each_element(placement, [&](std::size_t i, std::int64_t at) {
    value.data[i] = get(placement.dtype, arena_ + placement.offset + at);
  });
  return value;
}

void PlanRun::set_variable(const std::string& name, const Value& value) {
  for (const Binding& b : plan_.variables)
    if (b.name == name) return write(b.placement, value);
  std::abort();
}

Value PlanRun::variable(const std::string& name) const {
  for (const Binding& b : plan_.variables)
    if (b.name == name) return read(b.placement);
  std::abort();
}

Values PlanRun::run(std::size_t program, const Values& inputs, Random* split, const Values& feeds) {
  const ProgramPlan& p = plan_.programs[program];
  std::memset(arena_ + plan_.persistent_bytes, 0xff,
              static_cast<std::size_t>(plan_.arena_bytes - plan_.persistent_bytes));
  for (const Binding& b : p.inputs) write(b.placement, inputs.at(b.name));
  Values results;
  const auto read_results = [&](std::int32_t after) {
    for (const Result& result : p.results)
      if (result.after == after) results[result.binding.name] = read(result.binding.placement);
  };
  read_results(-1);
  for (std::size_t i = 0; i < p.calls.size(); ++i) {
    const Call& call = p.calls[i];
    const bool runs =
        std::ranges::all_of(call.guards, [&](std::int64_t at) { return arena_[at] != 0; });
    if (call.draw >= 0 && feeds.contains(p.draws[static_cast<std::size_t>(call.draw)].name)) {
      const Binding& b = p.draws[static_cast<std::size_t>(call.draw)];
      write(b.placement, feeds.at(b.name));
    } else if (runs) {
      const kernel::Kernel& kernel = plan_.kernels[call.kernel];
      std::vector<std::int64_t> cuts = {0, kernel.units};
      for (int cut = 0; split && cut < 3; ++cut) cuts.push_back(split->integer(0, kernel.units));
      std::ranges::sort(cuts);
      std::vector<std::size_t> order;
      for (std::size_t piece = 0; piece + 1 < cuts.size(); ++piece)
        order.insert(order.begin() + (split ? split->integer(0, static_cast<std::int64_t>(piece))
                                            : static_cast<std::int64_t>(piece)),
                     piece);
      for (std::size_t piece : order)
        if (cuts[piece] < cuts[piece + 1])
          execute_(kernel, call.kernel, arena_, call.offsets.data(), cuts[piece], cuts[piece + 1]);
    }
    read_results(static_cast<std::int32_t>(i));
  }
  return results;
}

PlanRun::Execute compiled(Jit& jit, const Plan& plan, CodegenOptions options) {
  auto functions = jit.add(plan.kernels, options);
  std::int64_t bytes = 0;
  for (const kernel::Kernel& k : plan.kernels)
    bytes = std::max(bytes, kernel::scratch_places(k).back());
  auto scratch = std::make_shared<std::vector<char>>(static_cast<std::size_t>(bytes) + 64, '\xff');
  return [functions = std::move(functions), scratch](const kernel::Kernel&, std::uint32_t number,
                                                     char* arena, const std::int64_t* offsets,
                                                     std::int64_t begin, std::int64_t end) {
    const auto address = reinterpret_cast<std::uintptr_t>(scratch->data());
    functions[number](arena, offsets, begin, end, scratch->data() + (64 - address % 64) % 64);
  };
}

PlanRun::Execute by_reference() {
  return [](const kernel::Kernel& kernel, std::uint32_t, char* arena, const std::int64_t* offsets,
            std::int64_t begin, std::int64_t) {
    if (begin != 0) std::abort();
    Contents contents;
    for (std::size_t b = 0; b < kernel.buffers.size(); ++b) {
      const kernel::Buffer& buffer = kernel.buffers[b];
      contents.emplace_back();
      if (buffer.local) {
        contents.back().assign(static_cast<std::size_t>(buffer.elements), std::nan(""));
        continue;
      }
      for (std::int64_t i = 0; i < buffer.elements; ++i)
        contents.back().push_back(
            get(buffer.dtype, arena + offsets[b] + i * size_of(buffer.dtype)));
    }
    run_reference(kernel, contents);
    for (std::size_t b = 0; b < kernel.buffers.size(); ++b) {
      const kernel::Buffer& buffer = kernel.buffers[b];
      if (!buffer.written || buffer.local) continue;
      for (std::int64_t i = 0; i < buffer.elements; ++i)
        put(buffer.dtype, arena + offsets[b] + i * size_of(buffer.dtype),
            contents[b][static_cast<std::size_t>(i)]);
    }
  };
}

std::string problems(const Plan& plan) {
  std::string text;
  for (const kernel::Kernel& k : plan.kernels)
    for (const std::string& problem : verify(k)) text += problem + "\nin " + print(k) + "\n";
  return text;
}

double difference(const Value& expected, const Value& actual) {
  if (expected.type != actual.type) return std::numeric_limits<double>::infinity();
  double scale = 1, most = 0;
  for (double x : expected.data)
    if (std::isfinite(x)) scale = std::max(scale, std::fabs(x));
  for (std::size_t i = 0; i < expected.data.size(); ++i) {
    const double a = expected.data[i], b = actual.data[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double d = std::fabs(a - b) / scale;
    most = std::isnan(d) ? std::numeric_limits<double>::infinity() : std::max(most, d);
  }
  return most;
}

}  // namespace ganc::test
