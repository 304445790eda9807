#include "runtime/verbs/random_iteration.h"

#include "runtime/finite.h"
#include "runtime/weights.h"

namespace ganc::runtime {

Result<std::unique_ptr<RandomIteration>> RandomIteration::create(Session& session) {
  const Description& d = session.description;
  if (d.trains.empty())
    return fail("the program has no `train` block, so that it has no iterations");
  auto counters = initialize(session, session.options.seed.value_or(0));
  if (!counters) return std::unexpected(counters.error());
  const Train& train = d.trains[0];
  std::unique_ptr<RandomIteration> made(
      new RandomIteration(session, train, d.programs[static_cast<std::size_t>(train.program)]));
  made->counters_ = std::move(*counters);
  // As many samples as a usual set, so that epochs mean something to schedules.
  for (Cursor& cursor : made->counters_.cursors) cursor.count = 60000;
  made->make_data(d);
  return made;
}

RandomIteration::RandomIteration(Session& session, const Train& train, const Program& program)
    : session_(session),
      train_(train),
      program_(program),
      execution_(session.machine(), program),
      scalars_(execution_, program) {}

void RandomIteration::make_data(const Description& description) {
  std::uint64_t state = 1;
  const auto next = [&] { return source_seed(state++, 0); };
  for (const Binding& input : program_.inputs) {
    if (!input.name.starts_with("data/")) continue;
    const std::string field = input.name.substr(input.name.rfind('/') + 1);
    const std::int64_t source = description.source_of(field);
    std::uint64_t classes = 2;
    if (source >= 0)
      for (const FieldSpec& spec : description.sources[static_cast<std::size_t>(source)].fields)
        if (spec.name == field && spec.classes > 0)
          classes = static_cast<std::uint64_t>(spec.classes);
    Tensor tensor(input.dtype, input.shape);
    for (std::int64_t i = 0; i < tensor.elements(); ++i)
      tensor.set(i, is_real(input.dtype) ? static_cast<double>(next() >> 11) * 0x1p-52 - 1
                                         : static_cast<double>(next() % classes));
    data_.emplace_back(&input, std::move(tensor));
  }
}

void RandomIteration::run() {
  fill();
  compute();
}

void RandomIteration::fill() {
  char* const arena = session_.arena->data();
  for (const auto& [binding, tensor] : data_) place(arena, *binding, tensor.bytes.data());
  fill_counters(arena, program_, counter_values(train_, counters_));
}

void RandomIteration::compute() {
  execution_.run();
  scalars_.remember(counters_.last);
  (void)first_not_finite(session_.description, session_.arena->data(), *session_.pool);
  advance(train_, counters_);
}

}  // namespace ganc::runtime
