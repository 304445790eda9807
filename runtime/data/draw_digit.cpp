#include "runtime/data/draw_digit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "runtime/data/digit_strokes.h"
#include "runtime/data/philox.h"

namespace ganc::runtime {
namespace {

// Arithmetic below is + - * / and sqrt alone: rounded alike everywhere.
struct Point {
  double x, y;
};
Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y};
}
Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}
Point operator*(double s, Point a) {
  return {s * a.x, s * a.y};
}

using Line = std::vector<Point>;

constexpr int pieces = 6;  // straight pieces between two points of a pen

const Glyph& choose_glyph(int digit, Draws& draws) {
  const auto ways = glyphs(digit);
  int total = 0;
  for (const Glyph& way : ways) total += way.weight;
  int left = static_cast<int>(draws.below(static_cast<std::uint32_t>(total)));
  for (const Glyph& way : ways) {
    if (left < way.weight) return way;
    left -= way.weight;
  }
  return ways.front();
}

// The Catmull-Rom spline through points[0..n), in straight pieces, appended without its first
// point.
void append_spline(std::span<const Point> points, Line& line) {
  const std::size_t n = points.size();
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const Point b = points[i], c = points[i + 1];
    const Point a = i > 0 ? points[i - 1] : 2 * b - c;
    const Point d = i + 2 < n ? points[i + 2] : 2 * c - b;
    for (int k = 1; k <= pieces; ++k) {
      const double t = static_cast<double>(k) / pieces;
      line.push_back(b + t * (0.5 * (c - a) + t * ((a - 2.5 * b + 2 * c - 0.5 * d) +
                                                   t * (0.5 * (d - a) + 1.5 * (b - c)))));
    }
  }
}

// The strokes of a glyph, every point moved a little.
std::vector<Line> write_strokes(const Glyph& glyph, double jitter, Draws& draws) {
  std::vector<Line> strokes;
  Line run;     // smooth points since the last corner
  Line stroke;  // straight pieces
  for (const PenPoint& p : glyph.points) {
    const Point at = {p.x + jitter * draws.bell(), p.y + jitter * draws.bell()};
    if (stroke.empty() && run.empty()) stroke.push_back(at);
    run.push_back(at);
    if (p.kind == PenPoint::Kind::smooth) continue;
    append_spline(run, stroke);
    run.clear();
    if (p.kind == PenPoint::Kind::corner) {
      run.push_back(at);
    } else {
      strokes.push_back(std::move(stroke));
      stroke.clear();
    }
  }
  return strokes;
}

// A smooth displacement: random vectors on a lattice of 4 x 4 over the box, cubic B-splines
// between.
class Warp {
 public:
  Warp(double amount, Draws& draws) {
    for (Point& v : lattice_) v = {amount * draws.bell(), amount * draws.bell()};
  }
  Point operator()(Point p) const {
    const double u = std::clamp(p.x, 0.0, 0.999), v = std::clamp(p.y, 0.0, 0.999);
    const auto wx = weights(u), wy = weights(v);
    Point moved = p;
    for (std::size_t j = 0; j < 4; ++j)
      for (std::size_t i = 0; i < 4; ++i) moved = moved + (wx[i] * wy[j]) * lattice_[4 * j + i];
    return moved;
  }

 private:
  static std::array<double, 4> weights(double t) {
    const double s = 1 - t;
    return {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6,
            t * t * t / 6};
  }
  std::array<Point, 16> lattice_;
};

// Rotates, slants, stretches, then fits the box of all points into the middle of [0, size]^2.
void place_strokes(std::vector<Line>& strokes, double size, Draws& draws) {
  const double width = 0.76 + 0.10 * draws.bell();
  const double slant = 0.10 + 0.16 * draws.bell();
  const double half = 0.5 * 0.07 * draws.bell();  // tangent of half the angle
  const double cosine = (1 - half * half) / (1 + half * half);
  const double sine = 2 * half / (1 + half * half);
  Point low = {1e9, 1e9}, high = {-1e9, -1e9};
  for (Line& line : strokes) {
    for (Point& p : line) {
      const Point c = {std::max(width, 0.45) * (p.x - 0.5) - slant * (p.y - 0.5), p.y - 0.5};
      p = {cosine * c.x - sine * c.y, sine * c.x + cosine * c.y};
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  }
  const double extent = std::max(high.x - low.x, high.y - low.y);
  const double scale = size * (17.3 / 28) * (1 + 0.05 * draws.bell()) / extent;
  const Point middle = 0.5 * (low + high);
  const Point to = {size * (0.5 + 0.015 * draws.bell()), size * (0.5 + 0.015 * draws.bell())};
  for (Line& line : strokes)
    for (Point& p : line) p = to + scale * (p - middle);
}

// A pen whose radius and softness are in pixels; `coverage` keeps the most of all pieces.
struct Pen {
  std::int64_t size;
  double soft;
  std::vector<float> coverage;

  void draw(Point a, Point b, double radius) {
    const double reach = radius + soft;
    const auto from = [&](double v) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(v - reach - 1), 0, size - 1);
    };
    const auto to = [&](double v) {
      return std::clamp<std::int64_t>(static_cast<std::int64_t>(v + reach + 1), 0, size - 1);
    };
    const Point d = b - a;
    const double length = d.x * d.x + d.y * d.y;
    const double per_length = length > 0 ? 1 / length : 0;
    for (std::int64_t y = from(std::min(a.y, b.y)); y <= to(std::max(a.y, b.y)); ++y) {
      for (std::int64_t x = from(std::min(a.x, b.x)); x <= to(std::max(a.x, b.x)); ++x) {
        const Point p = {static_cast<double>(x) + 0.5 - a.x, static_cast<double>(y) + 0.5 - a.y};
        const double t = std::clamp((p.x * d.x + p.y * d.y) * per_length, 0.0, 1.0);
        const Point off = p - t * d;
        const double squared = off.x * off.x + off.y * off.y;
        if (squared >= reach * reach) continue;
        const double inside = std::clamp((reach - std::sqrt(squared)) / (2 * soft), 0.0, 1.0);
        float& cell = coverage[static_cast<std::size_t>(y * size + x)];
        cell = std::max(cell, static_cast<float>(inside));
      }
    }
  }
};

void draw_strokes(const std::vector<Line>& strokes, double radius, Draws& draws, Pen& pen) {
  for (const Line& line : strokes) {
    // The pen's pressure changes from one end of a stroke to the other.
    const double first = radius * (1 + 0.12 * draws.bell());
    const double last = radius * (1 + 0.12 * draws.bell());
    const auto n = static_cast<double>(line.size());
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const double t = static_cast<double>(i) / n;
      pen.draw(line[i], line[i + 1], std::max(0.45, first + t * (last - first)));
    }
  }
}

}  // namespace

void draw_digit(int digit, std::int64_t size, std::uint64_t seed, std::uint64_t sample,
                std::span<std::uint8_t> pixels) {
  Draws draws(seed, Stream::digit, sample);
  const Glyph& glyph = choose_glyph(digit, draws);
  std::vector<Line> strokes = write_strokes(glyph, 0.022, draws);
  const Warp warp(0.17, draws);
  for (Line& line : strokes)
    for (Point& p : line) p = warp(p);
  const auto side = static_cast<double>(size);
  place_strokes(strokes, side, draws);

  const double radius = std::clamp(1.3 + 0.33 * draws.bell(), 0.75, 2.2) * side / 28;
  // About a pixel from black to white; the ink spreads a little where pixels are small.
  Pen pen{size, std::max(0.6, 0.55 * side / 28), {}};
  pen.coverage.assign(static_cast<std::size_t>(size * size), 0.0f);
  draw_strokes(strokes, radius, draws, pen);
  for (std::size_t i = 0; i < pen.coverage.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(pen.coverage[i] * 255 + 0.5f);
}

}  // namespace ganc::runtime
