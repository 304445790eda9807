#pragma once

#include <span>

namespace ganc::runtime {

// A point that a pen goes through, x to the right and y down, the digit's box being about [0, 1] x
// [0, 1]. Between smooth points the pen follows a spline; at a corner it turns; `lift` ends a
// stroke after the point.
struct PenPoint {
  enum class Kind : char { smooth, corner, lift };
  float x, y;
  Kind kind = Kind::smooth;
};

// One way to write a digit.
struct Glyph {
  std::span<const PenPoint> points;
  int weight;  // how often it is taken, relative to the digit's other ways
};

// The ways to write `digit` (0 to 9).
std::span<const Glyph> glyphs(int digit);

}  // namespace ganc::runtime
