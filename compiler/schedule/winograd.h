#pragma once

#include <optional>

#include "compiler/schedule/filter_transform.h"

namespace ganc::planning {

inline constexpr std::int64_t min_units = 8;  // of a kernel, where there are so many

// A convolution by minimal filtering (filter_transform.h): tiles of the image and the filters are
// transformed, multiplied point by point as products of matrices, and transformed back.
struct WinogradForm {
  std::vector<FilterAxis> axes;  // of the image, the outermost first
  FilterTransform transform;     // the same along all axes
  // Variables of what lhs alone, rhs alone, and both as summed have; none: an extent of 1.
  std::optional<std::uint32_t> sample, filter, channel;
  std::int64_t samples = 1, filters = 1, channels = 1;
};

// Filters of few taps: a layer, or its data gradient. A unit is a block of tiles and samples with a
// part of the filters, all channels.
struct ImageForm : WinogradForm {
  bool lanes_are_samples = true;    // else channels and filters
  bool filters_by_channel = false;  // filters are contiguous along channels, as they are wanted
  bool filters_contiguous = true;   // along themselves
  std::int64_t sample_block = 1, filter_part = 1;  // of a unit
  std::vector<std::int64_t> tile_blocks;           // of a unit, by axis
  // Each unit transforms the filters that it multiplies itself, a part of the terms at a time; else
  // they are a tensor of their own, transformed once. Not where sliced.
  bool filters_inside = false;
  // Of one product of matrices: filters, and terms (all channels of some subfilters, or a part of
  // the channels of one).
  std::int64_t filter_block = 1, term_part = 1;
  // Of an image of two axes, what has one point of the first axis is transformed and multiplied at
  // a time: less memory for a unit, but the image is read again for each.
  bool sliced = false;
  std::int64_t slices() const { return sliced ? transform.points() : 1; }
  // Tiles and samples of a unit.
  std::int64_t lanes() const {
    std::int64_t n = sample_block;
    for (const std::int64_t block : tile_blocks) n *= block;
    return n;
  }
};

// Filters of few outputs and as many taps as an image has pixels: the gradient of a layer's
// filters. A unit is a block of rows and lanes of the result, all taps.
struct GradientForm : WinogradForm {
  bool lanes_are_filters = true;  // rows are samples; else the other way round
  bool rows_by_channel = true;    // the rows' operand is contiguous along channels; else along rows
  // Each unit transforms what it multiplies itself; else both operands' points are tensors, made
  // once. Not where rows are contiguous along channels, or lanes in panels.
  bool points_inside = true;
  std::int64_t row_block = 1, lane_block = 1;
  std::int64_t tile_block = 1, channel_block = 1;  // summed by one product of matrices
  std::int64_t terms() const { return tile_block * channel_block; }
};

// Both by a model of the time that either way takes (instructions of a core with two multiply-adds
// a cycle, bytes of what is written and read again); none: the direct way is as fast, or the only
// one. `least_gain`: how many times the direct way's time must be theirs; 0: the best form, if
// there is one.
std::optional<ImageForm> choose_image_form(const ProgramDraft& program, const Product& product,
                                           double least_gain);
std::optional<GradientForm> choose_gradient_form(const ProgramDraft& program,
                                                 const Product& product, double least_gain);

void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const ImageForm& form);
void lower_winograd(ProgramDraft& program, const Group& group, Product& product,
                    const GradientForm& form);

}  // namespace ganc::planning
