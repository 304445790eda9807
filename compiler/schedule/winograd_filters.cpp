#include "compiler/schedule/winograd_filters.h"

#include <algorithm>

namespace ganc::planning {

using kernel::LoopKind;
using kernel::ValueId;

namespace {

constexpr std::int64_t most_in_unit = 16;  // channels or filters, of the kernel that transforms

}  // namespace

ImageParts::ImageParts(const ImageForm& form) {
  for (const FilterAxis& axis : form.axes) {
    points *= form.transform.points();
    outputs *= form.transform.outputs;
    phases.push_back(axis.phases);
    subs.push_back(axis.subs * axis.pieces);
    all_phases *= axis.phases;
    all_subs *= subs.back();
  }
  terms = all_subs * form.channels;
  channel_part = divisor_up_to(form.channels, form.term_part);
  sub_part = form.term_part / channel_part;
}

Part part_of(KernelWriter& w, const FilterAxis& axis, ValueId phase, ValueId sub) {
  const std::vector<ValueId> parts = split(w, sub, {axis.pieces, axis.subs});
  return {phase, parts[1], parts[0]};
}

void FilterPoints::each_block(KernelWriter& w, Nest& nest,
                              const std::function<void(ValueId, std::int64_t)>& body) const {
  const std::int64_t whole = f_.filter_part / f_.filter_block,
                     rest = f_.filter_part % f_.filter_block;
  nest.loop(LoopKind::serial, whole,
            [&](ValueId block) { body(w.scale(block, f_.filter_block), f_.filter_block); });
  if (rest > 0) body(w.constant(whole * f_.filter_block), rest);
}

std::uint32_t FilterPoints::tensor(ProgramDraft& program, const Group& group) const {
  const auto [known, inserted] = program.transformed_filters.try_emplace(key(group), no_tensor);
  if (inserted) known->second = write_tensor(program, group);
  return known->second;
}

// All that the tensor is made of.
std::vector<std::int64_t> FilterPoints::key(const Group& group) const {
  std::vector<std::int64_t> key = {static_cast<std::int64_t>(p_.rhs.tensor),
                                   static_cast<std::int64_t>(group.guards),
                                   f_.filters_by_channel,
                                   f_.filter_part % f_.filter_block == 0 ? 0 : f_.filter_part,
                                   f_.filter_block,
                                   f_.term_part,
                                   f_.filters,
                                   f_.channels,
                                   t_.outputs,
                                   t_.taps,
                                   p_.c.space[p_.rhs.index].constant,
                                   p_.c.space.coefficient(p_.rhs.index, *f_.filter),
                                   p_.c.space.coefficient(p_.rhs.index, *f_.channel)};
  for (std::size_t i = 0; i < f_.axes.size(); ++i) {
    const FilterAxis& a = f_.axes[i];
    for (const std::int64_t x :
         {a.phases, a.subs, a.pieces, a.turn, a.rhs_first.base, a.rhs_first.phase, a.rhs_first.sub,
          a.rhs_first.piece, a.rhs_first.remainder, a.rhs_step, a.rhs_extent,
          p_.c.space.coefficient(p_.rhs.index, p_.spatial[i].rhs_position)})
      key.push_back(x);
  }
  return key;
}

// Lanes along what is contiguous in the filters. A unit has several channels, or filters, of a
// subfilter, so that what it writes of each point is consecutive.
std::uint32_t FilterPoints::write_tensor(ProgramDraft& program, const Group& group) const {
  const std::uint32_t result =
      new_tensor(program, p_.rhs.node, DType::f32, {n_.all_phases * n_.points * plane()}, {0});
  KernelWriter w(p_.c.space, p_.c.expressions, program.tensors);
  Nest nest(w);
  const std::uint32_t from = w.buffer(p_.rhs.tensor, true, false),
                      to = w.buffer(result, false, true);
  const std::int64_t others = f_.filters_by_channel ? f_.filters : f_.channels,
                     alone = n_.all_phases * n_.all_subs * others,
                     in_unit = divisor_up_to(
                         others, std::clamp<std::int64_t>(alone / min_units, 1, most_in_unit)),
                     units = alone / in_unit;
  w.set_units(units);
  nest.loop(LoopKind::parallel, units, [&](ValueId u) {
    const std::vector<ValueId> unit = split(w, u, {n_.all_phases, n_.all_subs, others / in_unit});
    const auto write = [&](ValueId first, std::int64_t width) {
      nest.loop(LoopKind::serial, in_unit, [&](ValueId n) {
        const ValueId other = w.add(w.scale(unit[2], in_unit), n);
        nest.loop(LoopKind::vector, width, [&](ValueId lane) {
          write_lane(w, nest, from, to, {unit[0], unit[1], other, first, lane, width});
        });
      });
    };
    if (f_.filters_by_channel)
      return nest.loop(LoopKind::serial, f_.channels / n_.channel_part, [&](ValueId block) {
        write(w.scale(block, n_.channel_part), n_.channel_part);
      });
    nest.loop(LoopKind::serial, f_.filters / f_.filter_part, [&](ValueId part) {
      each_block(w, nest, [&](ValueId first, std::int64_t block) {
        write(w.add(w.scale(part, f_.filter_part), first), block);
      });
    });
  });
  add_draft(program, {GroupKind::elementwise, group.roots, group.guards, -1}, w, nest.take(),
            Computation{}, false);
  return result;
}

void FilterPoints::write_lane(KernelWriter& w, Nest& nest, std::uint32_t from, std::uint32_t to,
                              const FilterLane& l) const {
  const ValueId all = w.add(l.first, l.lane);
  const ValueId filter = f_.filters_by_channel ? l.other : all,
                channel = f_.filters_by_channel ? all : l.other;
  // The part that the term is in, and its place there.
  const std::int64_t parts_of_sub = f_.channels / n_.channel_part;
  const ValueId channel_part = w.quotient(channel, n_.channel_part);
  ValueId in_part = w.remainder(channel, n_.channel_part);
  if (n_.sub_part > 1)
    in_part = w.add(w.scale(w.remainder(l.sub, n_.sub_part), n_.channel_part), in_part);
  const ValueId term_part =
      w.add(w.scale(w.quotient(l.sub, n_.sub_part), parts_of_sub), channel_part);
  ValueId at =
      w.add(w.scale(l.phase, n_.points * plane()), w.scale(term_part, f_.term_part * f_.filters));
  at = f_.filters_by_channel ? w.add(at, w.add(w.scale(filter, f_.term_part), in_part))
                             : w.add(w.add(at, w.scale(l.first, f_.term_part)),
                                     w.add(w.scale(in_part, l.width), l.lane));
  store_points(w, nest, from, to, {split(w, l.phase, n_.phases), l.sub, filter, channel}, at);
}

void FilterPoints::store_points(KernelWriter& w, Nest& nest, std::uint32_t from, std::uint32_t to,
                                const FilterPlace& place, ValueId at) const {
  w.bind(*f_.filter, place.filter);
  w.bind(*f_.channel, place.channel);
  const std::vector<ValueId> sub = split(w, place.sub, n_.subs);
  std::vector<AxisRead> reads;
  for (std::size_t i = 0; i < f_.axes.size(); ++i)
    reads.push_back(axis_read(w, p_.spatial[i].rhs_position, f_.axes[i], false,
                              part_of(w, f_.axes[i], place.phase[i], sub[i]), {}, 0));
  store_planes(nest, w, to, at, plane(),
               transformed(w, t_.filter, f_.axes.size(),
                           load_elements(w, from, p_.rhs.index, {}, reads, t_.taps)));
}

void FilterPoints::write_part(KernelWriter& w, Nest& nest, const std::vector<ValueId>& phase,
                              ValueId first_filter, ValueId part, std::uint32_t from,
                              std::uint32_t to) const {
  const auto [first_sub, first_channel] = first_of_part(w, part);
  each_block(w, nest, [&](ValueId first, std::int64_t block) {
    nest.loop(LoopKind::serial, n_.sub_part, [&](ValueId sub) {
      nest.loop(LoopKind::serial, n_.channel_part, [&](ValueId channel) {
        nest.loop(LoopKind::vector, block, [&](ValueId lane) {
          const ValueId term = w.add(w.scale(sub, n_.channel_part), channel),
                        at = w.add(w.scale(first, f_.term_part), w.add(w.scale(term, block), lane));
          store_points(w, nest, from, to,
                       {phase, w.add(first_sub, sub), w.add(first_filter, w.add(first, lane)),
                        w.add(first_channel, channel)},
                       at);
        });
      });
    });
  });
}

std::pair<ValueId, ValueId> FilterPoints::first_of_part(KernelWriter& w, ValueId part) const {
  const std::int64_t parts_of_sub = f_.channels / n_.channel_part;
  return {w.scale(w.quotient(part, parts_of_sub), n_.sub_part),
          w.scale(w.remainder(part, parts_of_sub), n_.channel_part)};
}

}  // namespace ganc::planning
