#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/checkpoint.h"
#include "runtime/data/data_set.h"
#include "runtime/data/loader.h"
#include "runtime/description.h"
#include "runtime/options.h"
#include "runtime/result.h"

namespace ganc::runtime {

// The numbers that a program may read.
struct CounterValues {
  double step = 0, epoch = 0, progress = 0;
  std::uint64_t seed = 0;
  std::uint32_t random_step = 0;
  bool gradients = false;  // whether the results `grad/..` of an iteration are wanted
};
void fill_counters(char* arena, const Program& program, const CounterValues& values);

// The seed of a train block: its own, or the run's.
std::uint64_t block_seed(const Train& train, const Counters& counters);
// Passes over its longest source that the block has made; 0 where no source is used. The counts of
// the sources are known.
double block_epochs(const Train& train, const Counters& counters);
// 0 to 1.
double block_progress(const Train& train, const Counters& counters);
CounterValues counter_values(const Train& train, const Counters& counters);
// The block has no iteration left.
bool block_done(const Train& train, const Counters& counters);
// Moves the counters to the first block, from theirs on, that has iterations left; false where none
// has.
bool enter_block(const Description& description, Counters& counters);
// After one iteration of the block.
void advance(const Train& train, Counters& counters);

// An input that takes a field of a batch: `data/x`, or `data/D#2/x` for the third batch of the
// iteration.
struct DataInput {
  const Binding* binding;
  std::size_t source, field, repeat;
};
Result<std::vector<DataInput>> data_inputs(const Description& description, const Program& program);
// The first binding.shape[0] samples of the batch.
void fill_data(char* arena, const DataInput& input, const FieldValues& values);

using DataSets = std::vector<std::shared_ptr<const DataSet>>;  // one a source; null: not opened

// Opens the sources that `used` names. An unknown FIELD of --data is a failure.
Result<DataSets> open_sources(const Description& description, const Options& options,
                              std::uint64_t seed, unsigned threads,
                              const std::vector<SourceUse>& used);
// Samples `begin` to `begin + count` of a source in its shuffled order.
Result<std::vector<FieldValues>> read_samples(const DataSet& set, std::uint64_t seed,
                                              std::int64_t begin, std::int64_t count);
// Sources are shuffled independently of each other.
std::uint64_t source_seed(std::uint64_t seed, std::size_t source);

}  // namespace ganc::runtime
