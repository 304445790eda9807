#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "runtime/data/philox.h"
#include "runtime/data/sample_fields.h"
#include "runtime/data/sources.h"

namespace ganc::runtime {
namespace {

constexpr double pi = std::numbers::pi;

struct DrawnPoint {
  std::array<double, 2> at;
  std::int64_t mode;
};

// Box and Muller: two independent numbers of mean 0 and variance 1.
std::array<double, 2> normal_pair(Draws& draws) {
  const double length = std::sqrt(-2 * std::log(1 - draws.uniform()));
  const double angle = 2 * pi * draws.uniform();
  return {length * std::cos(angle), length * std::sin(angle)};
}

// Gaussians on a circle, the first on the positive x axis.
DrawnPoint ring_point(const SourceOptions& options, Draws& draws) {
  const auto mode = draws.below(static_cast<std::uint32_t>(options.modes));
  const double angle = 2 * pi * mode / static_cast<double>(options.modes);
  const auto noise = normal_pair(draws);
  return {{options.radius * std::cos(angle) + options.std * noise[0],
           options.radius * std::sin(angle) + options.std * noise[1]},
          mode};
}

// Gaussians on a square lattice of distance 2 around 0, rows from below (Srivastava et al.,
// "VEEGAN", 2017: 25 of them, of deviation 0.05).
DrawnPoint grid_point(const SourceOptions& options, Draws& draws) {
  const auto side = static_cast<std::uint32_t>(options.side);
  const auto mode = draws.below(side * side);
  const double middle = (side - 1) / 2.0;
  const auto noise = normal_pair(draws);
  return {{2 * (mode % side - middle) + options.std * noise[0],
           2 * (mode / side - middle) + options.std * noise[1]},
          mode};
}

// A spiral t (cos t, sin t), t from 1.5 pi to 4.5 pi, with noise of deviation 0.25, all divided
// by 7.5 (Gulrajani et al., "Improved training of Wasserstein GANs", 2017).
DrawnPoint swissroll_point(Draws& draws) {
  const double t = 1.5 * pi * (1 + 2 * draws.uniform());
  const auto noise = normal_pair(draws);
  return {{(t * std::cos(t) + 0.25 * noise[0]) / 7.5, (t * std::sin(t) + 0.25 * noise[1]) / 7.5},
          0};
}

class PointSet final : public DataSet {
 public:
  PointSet(SampleFields fields, SourceFunction function, std::string name, SourceOptions options,
           std::uint64_t seed)
      : DataSet(fields.all(), fields.is_f64()),
        fields_(std::move(fields)),
        function_(function),
        name_(std::move(name)),
        options_(std::move(options)),
        seed_(seed) {}

  std::int64_t count() const override { return options_.samples; }
  Result<void> read(std::int64_t index, std::uint64_t, std::int64_t at,
                    std::vector<FieldValues>& fields) const override {
    Draws draws(seed_, Stream::point, static_cast<std::uint64_t>(index));
    const DrawnPoint point = function_ == SourceFunction::ring   ? ring_point(options_, draws)
                             : function_ == SourceFunction::grid ? grid_point(options_, draws)
                                                                 : swissroll_point(draws);
    fields_.write_numbers(point.at, at, fields);
    fields_.write_label(point.mode, at, fields);
    return {};
  }
  std::string describe() const override {
    return fmt::format("{}: {} drawn points", name_, options_.samples);
  }
  std::string short_name() const override { return name_; }

 private:
  SampleFields fields_;
  SourceFunction function_;
  std::string name_;
  SourceOptions options_;
  std::uint64_t seed_;
};

}  // namespace

OpenedSet open_points(const SourceRequest& request) {
  const SourceSpec& spec = request.spec;
  const SourceFunction function = source_function(spec.function);
  auto fields = SampleFields::create(spec, request.options, request.f64, "point");
  if (!fields) return std::unexpected(fields.error());
  if (const FieldSpec* field = fields->values(); field && field->elements() != 2)
    return source_failure(spec, fmt::format("points are [2], but field `{}` is {}", field->name,
                                            shape_text(field->shape)));
  if (const FieldSpec* label = fields->label()) {
    if (function == SourceFunction::swissroll)
      return source_failure(spec, fmt::format("it has no labels for field `{}`", label->name));
    const std::int64_t modes = function == SourceFunction::ring
                                   ? request.options.modes
                                   : request.options.side * request.options.side;
    if (auto fit = fields->check_classes(spec, modes); !fit) return std::unexpected(fit.error());
  }
  return std::make_unique<PointSet>(std::move(*fields), function, spec.function, request.options,
                                    request.places.seed);
}

}  // namespace ganc::runtime
