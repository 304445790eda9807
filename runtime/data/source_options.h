#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/data/data_set.h"

namespace ganc::runtime {

// The arguments of a source, checked; what is not given has its default.
struct SourceOptions {
  std::int64_t samples = 10000;  // of an epoch of a drawn source
  double low = -1, high = 1;     // what the bytes 0 and 255 become
  std::string split;             // "", "train" or "test"
  std::string name;              // of a folder or file in the data folder
  std::int64_t resize = 0, crop = 0;
  bool flip = false;
  std::int64_t modes = 8, side = 5;
  double radius = 1, std = 0.01;  // std: of a grid 0.05
};

enum class SourceFunction { digits, ring, grid, swissroll, mnist, images, npy, other };

SourceFunction source_function(std::string_view name);
bool is_drawn(SourceFunction function);
bool takes_option(SourceFunction function, std::string_view option);

// An argument that the source does not have, of the wrong type or out of range is a Failure that
// says what is meant. A source of no kind that is read here (SourceFunction::other) may have
// further arguments.
Result<SourceOptions> read_options(const SourceSpec& spec);

// "mlp_gan.gan:2: digits: TEXT"
std::unexpected<Failure> source_failure(const SourceSpec& spec, std::string_view text);

// "[3, 64, 64]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace ganc::runtime
