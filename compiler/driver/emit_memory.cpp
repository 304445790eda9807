#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "compiler/driver/emit.h"
#include "compiler/driver/peak.h"
#include "compiler/driver/table.h"

namespace ganc {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::int64_t bytes_of(DType dtype) {
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
  return 0;
}

// One value in memory: written by a call (-1: before the first), last touched by another.
struct Lifetime {
  std::int64_t offset, bytes;
  std::int64_t from, to;
  std::string name;
};

std::vector<Lifetime> lifetimes(const ProgramPlan& program, const Plan& plan) {
  std::vector<Lifetime> list;
  std::map<std::int64_t, std::size_t> live;  // offset -> the value that lies there
  for (const Binding& input : program.inputs) {
    live[input.placement.offset] = list.size();
    list.push_back({input.placement.offset, input.placement.bytes, -1, -1, input.name});
  }
  for (std::size_t c = 0; c < program.calls.size(); ++c) {
    const Call& call = program.calls[c];
    const kernel::Kernel& kernel = plan.kernels[call.kernel];
    for (std::size_t b = 0; b < kernel.buffers.size(); ++b) {
      const kernel::Buffer& buffer = kernel.buffers[b];
      const std::int64_t offset = call.offsets[b];
      if (offset < plan.persistent_bytes) continue;
      const bool known = live.contains(offset);
      if (!known || (buffer.written && !buffer.read)) {
        live[offset] = list.size();
        list.push_back({offset, buffer.elements * bytes_of(buffer.dtype),
                        static_cast<std::int64_t>(c), -1,
                        fmt::format("{}.{}", kernel.name, buffer.name)});
      }
      list[live[offset]].to = static_cast<std::int64_t>(c);
    }
  }
  return list;
}

void add_bindings(Rows& rows, const std::vector<Binding>& bindings, const char* what) {
  for (const Binding& binding : bindings) {
    const Placement& p = binding.placement;
    rows.push_back({what, binding.name, to_string(Type{p.dtype, p.shape}),
                    fmt::format("[{}]", fmt::join(p.strides, ",")), with_commas(p.offset),
                    with_commas(p.bytes)});
  }
}

std::string program_text(const ProgramPlan& program, const Plan& plan) {
  std::string text = fmt::format(
      "\nprogram {}: {} calls, {} bytes with the variables, of which {} at once\n", program.name,
      program.calls.size(), with_commas(program.bytes), with_commas(program.alive_bytes));
  Rows bindings = {{"", "", "type", "strides", "offset", "bytes"}};
  add_bindings(bindings, program.inputs, "input");
  add_bindings(bindings, program.draws, "draw");
  for (const Result& result : program.results) {
    add_bindings(bindings, {result.binding}, "result");
    bindings.back().push_back(fmt::format("after {}", result.after));
  }
  text += table(bindings, "<<<<>>", "  ");
  Rows rows = {{"calls", "", "offset", "bytes", "value"}};
  for (const Lifetime& life : lifetimes(program, plan)) {
    rows.push_back({std::to_string(life.from), std::to_string(life.to), with_commas(life.offset),
                    with_commas(life.bytes), life.name});
  }
  return text + "\n" + table(rows, ">>>><", "  ");
}

}  // namespace

std::string memory_text(const Compilation& compilation,
                        const std::vector<const CompiledProgram*>& programs, bool f64) {
  const Plan& plan = plan_here(compilation);
  const Peak peak = peak_of(compilation, plan, f64);
  std::string text = fmt::format("arena: {} bytes, of which {} hold variables\n",
                                 with_commas(plan.arena_bytes), with_commas(plan.persistent_bytes));
  text += fmt::format(
      "a process that trains: {} bytes on {} threads ({} of the arena, {} a thread, {} beside), "
      "the "
      "data set aside\n\n",
      with_commas(peak.bytes(shown_threads)), shown_threads, with_commas(peak.arena),
      with_commas(peak.thread), with_commas(peak.beside));
  Rows rows = {{"", "variable", "type", "strides", "offset", "bytes"}};
  add_bindings(rows, plan.variables, "");
  text += table(rows, "<<<<>>", "");
  for (const CompiledProgram* program : programs) {
    const auto index = static_cast<std::size_t>(program - compilation.programs.data());
    text += program_text(plan.programs[index], plan);
  }
  return text;
}

}  // namespace ganc
