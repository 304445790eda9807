#include "runtime/execute.h"

#include <string_view>

#include "runtime/tiles.h"

namespace ganc::runtime {

Execution::Execution(Machine machine, const Program& program)
    : machine_(machine), tiles_(std::string_view(machine.variant.isa) == "amx") {
  steps_.reserve(program.calls.size());
  for (const Call& call : program.calls) {
    Step step;
    step.kernel = machine.variant.kernels[call.kernel];
    step.call = &call;
    step.single = call.units <= 1;
    steps_.push_back(std::move(step));
  }
}

void Execution::read(const ProgramResult& result, Tensor& into) {
  ready_ = false;
  if (result.after < 0)
    reads_before_.emplace_back(&result.binding, &into);
  else
    steps_[static_cast<std::size_t>(result.after)].reads.emplace_back(&result.binding, &into);
}

void Execution::feed(const Draw& draw, const Tensor& values) {
  Step& step = steps_[static_cast<std::size_t>(draw.call)];
  step.fed = &draw.binding;
  step.values = &values;
  step.single = true;
  ready_ = false;
}

void Execution::place_barriers() {
  const Step* before = nullptr;
  for (Step& step : steps_) {
    step.stop_after = !step.reads.empty() || observer_ != nullptr;
    // One thread runs both calls, in order: nothing to wait for. An observer may end the run, so
    // that all meet.
    const bool alone = before != nullptr && before->single && step.single && observer_ == nullptr;
    step.barrier_before = before != nullptr && !alone;
    before = &step;
  }
  ready_ = true;
}

void Execution::run_call(const Step& step, unsigned thread) const {
  char* const arena = machine_.arena.data();
  if (step.fed != nullptr) {
    if (thread == 0) place(arena, *step.fed, step.values->bytes.data());
    return;
  }
  const Call& call = *step.call;
  if (step.single && thread != 0) return;
  for (const std::int64_t guard : call.guards)
    if (arena[guard] == 0) return;
  const auto [begin, end] =
      step.single ? std::pair{std::int64_t{0}, call.units} : machine_.pool.part(call.units, thread);
  if (begin < end)
    step.kernel(arena, call.offsets.data(), begin, end, machine_.arena.scratch(thread));
}

void Execution::region(unsigned thread) {
  if (tiles_) configure_tiles();
  Pool& pool = machine_.pool;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.barrier_before) {
      pool.barrier();
      if (halted_) return;
    }
    run_call(step, thread);
    if (!step.stop_after) continue;
    if (!step.single || observer_) pool.barrier();
    if (thread != 0) continue;
    for (const auto& [binding, tensor] : step.reads)
      gather(machine_.arena.data(), *binding, tensor->bytes.data());
    if (observer_ && !observer_(i)) halted_ = true;
  }
}

void Execution::run() {
  if (!ready_) place_barriers();
  halted_ = false;
  for (const auto& [binding, tensor] : reads_before_)
    gather(machine_.arena.data(), *binding, tensor->bytes.data());
  machine_.pool.run([this](unsigned thread) { region(thread); });
}

}  // namespace ganc::runtime
