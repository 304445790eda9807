#pragma once

#include "compiler/schedule/winograd_kernel.h"

namespace ganc::planning {

// What an image's form cuts a convolution into.
struct ImageParts {
  explicit ImageParts(const ImageForm& form);
  std::vector<std::int64_t> phases, subs;       // by axis; a subfilter is a piece of one
  std::int64_t all_phases = 1, all_subs = 1;    // of all axes
  std::int64_t points = 1, outputs = 1;         // of a tile
  std::int64_t terms = 1;                       // of a sum of products: subfilters and channels
  std::int64_t channel_part = 1, sub_part = 1;  // of a part of the terms
};
// Which part of an axis the subfilter `sub` of a phase is.
Part part_of(KernelWriter& w, const FilterAxis& axis, kernel::ValueId phase, kernel::ValueId sub);

// The transformed filters of an image's form: where they lie, and how they are made.
//   in a tensor: [phase][point][part of terms][block of filters][term][filter], or with the
//     channels innermost [..][filter][term]. A term is a subfilter and a channel. The last block of
//     a part of the filters has what is left.
//   in a unit, of a part of the terms: [point][block of filters][term][filter]
class FilterPoints {
 public:
  FilterPoints(const Product& product, const ImageForm& form, const ImageParts& parts)
      : p_(product), f_(form), t_(form.transform), n_(parts) {}

  // Elements from a filter, or a term of a block, to the next; from a point to the next.
  std::int64_t filter_stride() const { return f_.filters_by_channel ? f_.term_part : 1; }
  std::int64_t term_stride(std::int64_t block) const { return f_.filters_by_channel ? 1 : block; }
  std::int64_t plane() const {
    return (f_.filters_inside ? f_.term_part * f_.filter_part : n_.terms * f_.filters) + plane_gap;
  }
  // The blocks of a part of the filters: the first one of each, and how many.
  void each_block(KernelWriter& w, Nest& nest,
                  const std::function<void(kernel::ValueId, std::int64_t)>& body) const;

  // The tensor: of one tensor of filters, phases and transform there is one, written by a kernel of
  // its own.
  std::uint32_t tensor(ProgramDraft& program, const Group& group) const;
  // In a unit: of its filters, from `first_filter` on, a part of the terms.
  void write_part(KernelWriter& w, Nest& nest, const std::vector<kernel::ValueId>& phase,
                  kernel::ValueId first_filter, kernel::ValueId part, std::uint32_t from,
                  std::uint32_t to) const;
  // Of a part of the terms, the first subfilter and the first channel.
  std::pair<kernel::ValueId, kernel::ValueId> first_of_part(KernelWriter& w,
                                                            kernel::ValueId part) const;

 private:
  // A lane of `width` from `first` on: channels of the filter `other`, or filters of that channel.
  struct FilterLane {
    kernel::ValueId phase, sub, other, first, lane;
    std::int64_t width;
  };
  // The points of a subfilter of one filter and channel.
  struct FilterPlace {
    std::vector<kernel::ValueId> phase;
    kernel::ValueId sub, filter, channel;
  };
  std::vector<std::int64_t> key(const Group& group) const;
  std::uint32_t write_tensor(ProgramDraft& program, const Group& group) const;
  void write_lane(KernelWriter& w, Nest& nest, std::uint32_t from, std::uint32_t to,
                  const FilterLane& l) const;
  // A plane of `to` each.
  void store_points(KernelWriter& w, Nest& nest, std::uint32_t from, std::uint32_t to,
                    const FilterPlace& place, kernel::ValueId at) const;

  const Product& p_;
  const ImageForm& f_;
  const FilterTransform& t_;
  const ImageParts& n_;
};

}  // namespace ganc::planning
