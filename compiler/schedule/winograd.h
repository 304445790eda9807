#pragma once

#include <optional>

#include "compiler/schedule/filter_transform.h"

namespace ganc::planning {

// A convolution by minimal filtering: tiles of the image and the filters are transformed, multiplied
// point by point as products of matrices, and transformed back. What a kernel's unit computes:
//   few taps (the filter of a layer, its data gradient)   one block of tiles and samples, all channels
//   few outputs (the gradient of a filter)                one block of the filters, the whole image
struct WinogradForm {
  std::vector<FilterAxis> axes;            // of the image, the outermost first
  std::vector<FilterTransform> transforms;  // of each axis
  bool lanes_are_samples = true;           // else channels: results are contiguous along them
  bool filters_by_channel = false;  // filters are contiguous along the channels that are summed
  std::optional<std::uint32_t> sample, filter, channel;  // variables; none: an extent of 1
  std::int64_t samples = 1, filters = 1, channels = 1;
  std::int64_t sample_block = 1, tile_block = 1, filter_block = 1;  // of a unit
};

// By a model of the time that either way takes (instructions of a core with two multiply-adds a
// cycle, bytes of what is written and read again); none: the direct way is as fast, or the only one.
std::optional<WinogradForm> choose_winograd(const ProgramDraft& program, const Product& product);

void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const WinogradForm& form);

}  // namespace ganc::planning
