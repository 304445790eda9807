#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/execute.h"
#include "runtime/images/image.h"
#include "runtime/inputs.h"
#include "runtime/session.h"

namespace ganc::runtime {

// Samples of an output, drawn in chunks of as many as its program computes at once.
class OutputRun {
 public:
  OutputRun(Session& session, const Output& output, const DataSets& sets);

  // In place of a draw or data field of the output. `values` has a sample's or many samples'
  // numbers in its type.
  struct Override {
    const Draw* draw = nullptr;  // one of these
    const Binding* input = nullptr;
    Tensor values;  // [n, ...]; sample i takes row i % n
  };
  // The draw or field called `name` ("z", "y"), or a failure that lists what there is.
  Result<Override> find_override(const std::string& name) const;

  // Samples 0 to count; a tensor [count, ...] for each part. Sample i of a seed is the same
  // whatever the count.
  Result<std::vector<Tensor>> draw(std::uint64_t seed, std::int64_t count,
                                   const std::vector<Override>& overrides);
  // The same samples as picture() shows them, of which no more are kept than are drawn at once.
  Result<Image> draw_picture(std::uint64_t seed, std::int64_t count,
                             const std::vector<float>& reals);

 private:
  // `take` gets each chunk's parts, and how many of their rows are samples.
  using Take = std::function<Result<void>(const std::vector<Tensor>& parts, std::int64_t rows)>;
  Result<void> draw_chunks(std::uint64_t seed, std::int64_t count,
                           const std::vector<Override>& overrides, const Take& take);
  Result<void> fill(std::uint64_t seed, std::int64_t chunk);

  Session& session_;
  const Output& output_;
  const Program& program_;
  const DataSets& sets_;
};

// What an output looks like: pictures as a grid, points as a scatter plot before `reals` (may be
// empty).
Result<Image> picture(const Output& output, const std::vector<Tensor>& parts,
                      const std::vector<float>& reals);
// One sample, its parts in a row.
Result<Image> picture_of(const Output& output, const std::vector<Tensor>& parts,
                         std::int64_t sample);
bool is_picture(const Output& output);

std::vector<float> as_floats(const Tensor& tensor);

// Samples of the first source with pictures or points; no picture where there is none.
Result<std::optional<Image>> picture_of_reals(const Description& description, const DataSets& sets,
                                              std::uint64_t seed);
// Points of the first source that has some, for the grey behind a scatter plot; empty where there
// is none.
Result<std::vector<float>> real_points(const Description& description, const DataSets& sets,
                                       std::uint64_t seed);

}  // namespace ganc::runtime
