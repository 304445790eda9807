#include <fmt/format.h>

#include <atomic>
#include <cmath>

#include "runtime/data/draw_digit.h"
#include "runtime/data/philox.h"
#include "runtime/data/sample_fields.h"
#include "runtime/data/sources.h"

namespace ganc::runtime {
namespace {

// Digits drawn when they are first read, and kept. Sample i shows the digit i % 10.
class DigitSet final : public DataSet {
 public:
  DigitSet(SampleFields fields, std::int64_t samples, std::int64_t side, std::int64_t channels,
           std::uint64_t seed, bool keep)
      : DataSet(fields.all(), fields.is_f64()),
        fields_(std::move(fields)),
        samples_(samples),
        side_(side),
        channels_(channels),
        seed_(seed) {
    if (!keep || !fields_.values()) return;
    const auto count = static_cast<std::size_t>(samples);
    // Not initialised: a page that no sample was drawn into takes no memory.
    pixels_ = std::make_unique_for_overwrite<std::uint8_t[]>(count * pixels());
    states_ = std::make_unique<std::atomic<std::uint8_t>[]>(count);
  }

  std::int64_t count() const override { return samples_; }

  Result<void> read(std::int64_t index, std::uint64_t, std::int64_t at,
                    std::vector<FieldValues>& fields) const override {
    fields_.write_label(index % 10, at, fields);
    if (!fields_.values()) return {};
    std::vector<std::uint8_t> own;
    std::span<const std::uint8_t> grey = kept(index);
    if (grey.empty()) {
      own.resize(pixels());
      draw(index, own);
      grey = own;
    }
    if (channels_ == 1) {
      fields_.write_bytes(grey, at, fields);
    } else {
      fields_.write_bytes(coloured(index, grey), at, fields);
    }
    return {};
  }

  std::string describe() const override {
    return fmt::format("digits: {} drawn images of {}x{}{}", samples_, side_, side_,
                       channels_ == 3 ? " in colour" : "");
  }
  std::string short_name() const override { return "digits"; }

 private:
  enum State : std::uint8_t { absent, being_drawn, present };

  std::size_t pixels() const { return static_cast<std::size_t>(side_ * side_); }

  void draw(std::int64_t index, std::span<std::uint8_t> to) const {
    draw_digit(static_cast<int>(index % 10), side_, seed_, static_cast<std::uint64_t>(index), to);
  }

  // The kept pixels, drawn now where they were absent; empty where another thread is drawing them,
  // or none are kept.
  std::span<const std::uint8_t> kept(std::int64_t index) const {
    if (!states_) return {};
    std::atomic<std::uint8_t>& state = states_[static_cast<std::size_t>(index)];
    const std::span<std::uint8_t> place(pixels_.get() + static_cast<std::size_t>(index) * pixels(),
                                        pixels());
    std::uint8_t seen = state.load(std::memory_order_acquire);
    if (seen == present) return place;
    seen = absent;
    if (!state.compare_exchange_strong(seen, being_drawn, std::memory_order_acquire))
      return seen == present ? place : std::span<std::uint8_t>{};
    draw(index, place);
    state.store(present, std::memory_order_release);
    return place;
  }

  // In an ink of its own on black: at least one channel is full. [3, side, side].
  std::vector<std::uint8_t> coloured(std::int64_t index, std::span<const std::uint8_t> grey) const {
    Draws draws(seed_, Stream::digit_colour, static_cast<std::uint64_t>(index));
    double ink[3] = {draws.uniform(0.2, 1), draws.uniform(0.2, 1), draws.uniform(0.2, 1)};
    ink[draws.below(3)] = 1;
    std::vector<std::uint8_t> bytes;
    bytes.reserve(3 * grey.size());
    for (const double part : ink)
      for (const std::uint8_t value : grey)
        bytes.push_back(static_cast<std::uint8_t>(value * part + 0.5));
    return bytes;
  }

  SampleFields fields_;
  std::int64_t samples_, side_, channels_;
  std::uint64_t seed_;
  std::unique_ptr<std::uint8_t[]> pixels_;               // [samples, side, side]
  std::unique_ptr<std::atomic<std::uint8_t>[]> states_;  // [samples], of State
};

struct Square {
  std::int64_t side = 28, channels = 1;
};

// [c, s, s], [s, s], or as many elements in another shape. Side 0: none of these.
Square square_of(const FieldSpec& field) {
  const std::vector<std::int64_t>& shape = field.shape;
  const auto allowed = [](std::int64_t side, std::int64_t channels) {
    return side >= 8 && side <= 256 && (channels == 1 || channels == 3) ? Square{side, channels}
                                                                        : Square{0, 0};
  };
  if (shape.size() == 3) return allowed(shape[1] == shape[2] ? shape[1] : 0, shape[0]);
  if (shape.size() == 2) return allowed(shape[0] == shape[1] ? shape[0] : 0, 1);
  for (const std::int64_t channels : {1, 3}) {
    const auto side = std::llround(std::sqrt(static_cast<double>(field.elements() / channels)));
    if (side * side * channels == field.elements()) return allowed(side, channels);
  }
  return {0, 0};
}

}  // namespace

OpenedSet open_digits(const SourceRequest& request) {
  auto fields = SampleFields::create(request.spec, request.options, request.f64, "image");
  if (!fields) return std::unexpected(fields.error());
  if (auto fit = fields->check_classes(request.spec, 10); !fit) return std::unexpected(fit.error());
  Square square;
  if (const FieldSpec* field = fields->values()) {
    square = square_of(*field);
    if (square.side == 0)
      return source_failure(
          request.spec, fmt::format("digits are squares of 8x8 to 256x256 with 1 or 3 channels, "
                                    "such as [1, 28, 28], but field `{}` is {}",
                                    field->name, shape_text(field->shape)));
  }
  const auto bytes = static_cast<std::uint64_t>(square.side * square.side + 1) *
                     static_cast<std::uint64_t>(request.options.samples);
  return std::make_unique<DigitSet>(std::move(*fields), request.options.samples, square.side,
                                    square.channels, request.places.seed, bytes <= request.memory);
}

}  // namespace ganc::runtime
