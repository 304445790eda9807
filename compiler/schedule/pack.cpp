#include "compiler/schedule/pack.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace ganc::planning {
namespace {

using Order = std::vector<std::uint32_t>;

// Attempts to better the best order by placing first what ended highest.
constexpr int max_promotions = 100;
// Of the most bytes at one time: what is smaller is placed once, after all else.
constexpr std::int64_t small_part = 1024;

bool meet(const Space& a, const Space& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Each in turn at the lowest offset where it meets none that was placed before it.
Packing place(std::span<const Space> spaces, const Order& order) {
  Packing packing{std::vector<std::int64_t>(spaces.size()), 0};
  std::vector<std::uint32_t> placed;  // by offset
  placed.reserve(order.size());
  for (std::uint32_t i : order) {
    std::int64_t offset = 0;
    for (std::uint32_t other : placed) {
      if (!meet(spaces[i], spaces[other])) continue;
      if (packing.offsets[other] - offset >= spaces[i].bytes) break;
      offset = std::max(offset, packing.offsets[other] + spaces[other].bytes);
    }
    packing.offsets[i] = offset;
    packing.bytes = std::max(packing.bytes, offset + spaces[i].bytes);
    placed.insert(std::ranges::upper_bound(placed, offset, {},
                                           [&](std::uint32_t p) { return packing.offsets[p]; }),
                  i);
  }
  return packing;
}

Order by(std::span<const Space> spaces, auto key) {
  Order order(spaces.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return key(spaces[i]); });
  return order;
}

std::vector<Order> first_orders(std::span<const Space> spaces) {
  const auto length = [](const Space& s) { return s.last - s.first + 1; };
  return {
      by(spaces, [](const Space& s) { return -s.bytes; }),
      by(spaces, [&](const Space& s) { return -s.bytes * length(s); }),
      by(spaces, [&](const Space& s) { return std::pair(-length(s), -s.bytes); }),
      by(spaces, [](const Space& s) { return std::pair(s.first, -s.bytes); }),
      by(spaces, [](const Space& s) { return std::pair(-s.last, -s.bytes); }),
  };
}

}  // namespace

std::int64_t most_alive(std::span<const Space> spaces) {
  std::map<std::int64_t, std::int64_t> changes;
  for (const Space& s : spaces) {
    changes[s.first] += s.bytes;
    changes[s.last + 1] -= s.bytes;
  }
  std::int64_t alive = 0, most = 0;
  for (const auto& [time, change] : changes) most = std::max(most, alive += change);
  return most;
}

Packing pack(std::span<const Space> spaces) {
  const std::int64_t least = most_alive(spaces);
  const auto is_small = [&](std::uint32_t i) { return spaces[i].bytes < least / small_part; };
  Order best_order;
  std::int64_t best = INT64_MAX;
  for (Order order : first_orders(spaces)) {
    std::erase_if(order, is_small);
    for (int promotions = 0; promotions <= max_promotions; ++promotions) {
      const Packing packing = place(spaces, order);
      if (packing.bytes < best) best = packing.bytes, best_order = order;
      const auto highest = std::ranges::find_if(order, [&](std::uint32_t i) {
        return packing.offsets[i] + spaces[i].bytes == packing.bytes;
      });
      if (packing.bytes <= least || highest == order.end() || highest == order.begin()) break;
      std::rotate(order.begin(), highest, highest + 1);
    }
    if (best <= least) break;
  }
  for (std::uint32_t i : by(spaces, [](const Space& s) { return -s.bytes; }))
    if (is_small(i)) best_order.push_back(i);
  return place(spaces, best_order);
}

}  // namespace ganc::planning
