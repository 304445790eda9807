#include "runtime/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "runtime/data/sources.h"

namespace ganc::runtime {
namespace {

constexpr std::int64_t shown_reals = 64, shown_points = 1000;

// [channels, height, width] of a sample of shape [channels, height, width] or [height, width].
struct Extents {
  std::int64_t channels = 0, height = 0, width = 0;
  bool operator==(const Extents&) const = default;
};
Extents extents_of(const Shape& sample) {
  if (sample.size() == 3) return {sample[0], sample[1], sample[2]};
  if (sample.size() == 2) return {1, sample[0], sample[1]};
  return {};
}

// Pictures [count, channels, height, width] with values from -1 to 1.
struct Cells {
  std::int64_t count = 0;
  Extents extents;
  std::vector<float> values;
};

// Samples [begin, end) of every part, as cells of one size and of three channels where any part has
// them; part after part of a sample. Smaller pictures are enlarged by whole factors and centred.
Result<Cells> cells_of(const Output& output, const std::vector<Tensor>& parts, std::int64_t begin,
                       std::int64_t end) {
  Cells cells;
  for (const Tensor& part : parts) {
    const Extents e = extents_of({part.shape.begin() + 1, part.shape.end()});
    if (e.channels != 1 && e.channels != 3)
      return fail(fmt::format("output {} is no picture: its samples are {}", output.name,
                              print(part.shape)));
    cells.extents = {std::max(cells.extents.channels, e.channels),
                     std::max(cells.extents.height, e.height),
                     std::max(cells.extents.width, e.width)};
  }
  const Extents& cell = cells.extents;
  cells.count = (end - begin) * static_cast<std::int64_t>(parts.size());
  cells.values.assign(
      static_cast<std::size_t>(cells.count * cell.channels * cell.height * cell.width), -1.0F);
  float* to = cells.values.data();
  for (std::int64_t sample = begin; sample < end; ++sample)
    for (std::size_t p = 0; p < parts.size(); ++p, to += cell.channels * cell.height * cell.width) {
      const Extents e = extents_of({parts[p].shape.begin() + 1, parts[p].shape.end()});
      const double low = 2 * p + 1 < output.ranges.size() ? output.ranges[2 * p] : -1;
      const double high = 2 * p + 1 < output.ranges.size() ? output.ranges[2 * p + 1] : 1;
      const std::int64_t factor =
          std::max<std::int64_t>(1, std::min(cell.height / e.height, cell.width / e.width));
      const std::int64_t top = (cell.height - e.height * factor) / 2,
                         left = (cell.width - e.width * factor) / 2;
      const std::int64_t from = sample * e.channels * e.height * e.width;
      for (std::int64_t c = 0; c < cell.channels; ++c)
        for (std::int64_t y = 0; y < e.height * factor; ++y)
          for (std::int64_t x = 0; x < e.width * factor; ++x) {
            const double value = parts[p].number(
                from + (std::min(c, e.channels - 1) * e.height + y / factor) * e.width +
                x / factor);
            to[(c * cell.height + top + y) * cell.width + left + x] =
                static_cast<float>(2 * (value - low) / (high - low) - 1);
          }
    }
  return cells;
}

// The field of a source that is shown as a picture.
bool is_picture(const FieldSpec& field) {
  const Extents e = extents_of(field.shape);
  return field.kind == FieldSpec::Kind::real && (e.channels == 1 || e.channels == 3) &&
         e.height > 1 && e.width > 1;
}
bool is_point(const FieldSpec& field) {
  return field.kind == FieldSpec::Kind::real && field.shape == Shape{2};
}

// Rows [chunk * n, (chunk + 1) * n) of the override's values, wrapped around.
Tensor rows_for_chunk(const OutputRun::Override& o, const Binding& binding, std::int64_t chunk) {
  Tensor rows(binding.dtype, binding.shape);
  const std::int64_t n = binding.shape.empty() ? 1 : binding.shape[0];
  const std::int64_t given = o.values.shape.empty() ? 1 : o.values.shape[0];
  const auto bytes = rows.bytes.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, n));
  for (std::int64_t i = 0; i < n; ++i)
    std::memcpy(rows.bytes.data() + static_cast<std::size_t>(i) * bytes,
                o.values.bytes.data() + static_cast<std::size_t>((chunk * n + i) % given) * bytes,
                bytes);
  return rows;
}

std::vector<float> field_floats(const FieldValues& values) {
  if (!values.f32.empty()) return values.f32;
  return {values.f64.begin(), values.f64.end()};
}

}  // namespace

OutputRun::OutputRun(Session& session, const Output& output, const DataSets& sets)
    : session_(session),
      output_(output),
      program_(session.description.programs[static_cast<std::size_t>(output.program)]),
      sets_(sets) {}

Result<OutputRun::Override> OutputRun::find_override(const std::string& name) const {
  std::string known;
  const auto last_part = [](const std::string& path) {
    return path.substr(path.find_last_of("/.") + 1);
  };
  for (const Draw& d : program_.draws) {
    if (last_part(d.binding.name) == name || d.binding.name == name)
      return Override{&d, nullptr, {}};
    known += fmt::format("{}{}", known.empty() ? "" : ", ", last_part(d.binding.name));
  }
  for (const Binding& input : program_.inputs) {
    if (!input.name.starts_with("data/")) continue;
    if (last_part(input.name) == name) return Override{nullptr, &input, {}};
    known += fmt::format("{}{}", known.empty() ? "" : ", ", last_part(input.name));
  }
  return fail(fmt::format("output {} has no input `{}`; it has {}", output_.name, name,
                          known.empty() ? "none" : known),
              2);
}

Result<void> OutputRun::fill(std::uint64_t seed, std::int64_t chunk) {
  char* const arena = session_.arena->data();
  fill_counters(arena, program_,
                {.progress = 1, .seed = seed, .random_step = static_cast<std::uint32_t>(chunk)});
  auto inputs = data_inputs(session_.description, program_);
  if (!inputs) return std::unexpected(inputs.error());
  std::vector<std::vector<FieldValues>> read(sets_.size());
  for (const DataInput& input : *inputs) {
    if (sets_[input.source] == nullptr) continue;  // its fields are given
    auto& fields = read[input.source];
    const std::int64_t count = input.binding->shape.empty() ? 1 : input.binding->shape[0];
    if (fields.empty()) {
      auto values =
          read_samples(*sets_[input.source], source_seed(seed, input.source), chunk * count, count);
      if (!values) return std::unexpected(values.error());
      fields = std::move(*values);
    }
    fill_data(arena, input, fields[input.field]);
  }
  return {};
}

Result<void> OutputRun::draw_chunks(std::uint64_t seed, std::int64_t count,
                                    const std::vector<Override>& overrides, const Take& take) {
  std::vector<Tensor> parts;
  std::vector<const ProgramResult*> results;
  for (const std::string& part : output_.parts) {
    const ProgramResult* result = program_.result(part);
    const Binding& b = result->binding;
    if (b.shape.empty() || b.shape[0] != output_.count)
      return fail(fmt::format("the program inside this trainer has a result of {} for {} samples "
                              "of output {}; report it as "
                              "a bug of ganc with the .gan file",
                              print(b.shape), output_.count, output_.name),
                  70);
    results.push_back(result);
    parts.emplace_back(b.dtype, b.shape);
  }
  for (std::int64_t chunk = 0; chunk * output_.count < count; ++chunk) {
    Execution execution(session_.machine(), program_);
    for (std::size_t p = 0; p < parts.size(); ++p) execution.read(*results[p], parts[p]);
    if (auto r = fill(seed, chunk); !r) return r;
    std::vector<Tensor> fed;
    fed.reserve(overrides.size());
    for (const Override& o : overrides) {
      fed.push_back(rows_for_chunk(o, o.draw != nullptr ? o.draw->binding : *o.input, chunk));
      if (o.draw != nullptr)
        execution.feed(*o.draw, fed.back());
      else
        place(session_.arena->data(), *o.input, fed.back().bytes.data());
    }
    execution.run();
    if (auto r = take(parts, std::min(output_.count, count - chunk * output_.count)); !r) return r;
  }
  return {};
}

Result<std::vector<Tensor>> OutputRun::draw(std::uint64_t seed, std::int64_t count,
                                            const std::vector<Override>& overrides) {
  double bytes = 0;
  for (const std::string& part : output_.parts) {
    const Binding& b = program_.result(part)->binding;
    bytes += static_cast<double>(elements(b.shape) * size_of(b.dtype)) /
             static_cast<double>(output_.count) * static_cast<double>(count);
  }
  if (bytes > static_cast<double>(memory_of_machine()))
    return fail(fmt::format(
        "{} samples of output {} take {:.4g} GiB, and there are {:.4g} GiB of memory; ask for "
        "fewer (--count)",
        count, output_.name, bytes / (1 << 30),
        static_cast<double>(memory_of_machine()) / (1 << 30)));
  std::vector<Tensor> all;
  std::size_t drawn = 0;
  const Take take = [&](const std::vector<Tensor>& parts, std::int64_t rows) -> Result<void> {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (all.size() <= p) {
        Shape shape = parts[p].shape;
        shape[0] = count;
        all.emplace_back(parts[p].dtype, shape);
      }
      const std::size_t row = parts[p].bytes.size() / static_cast<std::size_t>(output_.count);
      std::memcpy(all[p].bytes.data() + drawn * row, parts[p].bytes.data(),
                  static_cast<std::size_t>(rows) * row);
    }
    drawn += static_cast<std::size_t>(rows);
    return {};
  };
  if (auto r = draw_chunks(seed, count, overrides, take); !r) return std::unexpected(r.error());
  return all;
}

Result<Image> OutputRun::draw_picture(std::uint64_t seed, std::int64_t count,
                                      const std::vector<float>& reals) {
  if (output_.kind != OutputKind::image) {
    auto parts = draw(seed, count, {});
    if (!parts) return std::unexpected(parts.error());
    return picture(output_, *parts, reals);
  }
  std::optional<GridPainter> painter;
  const Take take = [&](const std::vector<Tensor>& parts, std::int64_t rows) -> Result<void> {
    auto cells = cells_of(output_, parts, 0, rows);
    if (!cells) return std::unexpected(cells.error());
    const Extents& e = cells->extents;
    const auto group = static_cast<std::int64_t>(parts.size());
    if (!painter) painter.emplace(count * group, e.channels, e.height, e.width, group);
    painter->paint(cells->values, -1, 1);
    return {};
  };
  if (auto r = draw_chunks(seed, count, {}, take); !r) return std::unexpected(r.error());
  return painter->take();
}

bool is_picture(const Output& output) {
  return output.kind == OutputKind::image || output.kind == OutputKind::points;
}

std::vector<float> as_floats(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(tensor.number(static_cast<std::int64_t>(i)));
  return values;
}

Result<Image> picture(const Output& output, const std::vector<Tensor>& parts,
                      const std::vector<float>& reals) {
  if (output.kind == OutputKind::points) {
    std::vector<float> points;
    for (const Tensor& part : parts) {
      const std::vector<float> values = as_floats(part);
      points.insert(points.end(), values.begin(), values.end());
    }
    return scatter(reals, points);
  }
  auto cells = cells_of(output, parts, 0, parts[0].shape[0]);
  if (!cells) return std::unexpected(cells.error());
  const Extents& e = cells->extents;
  return grid(cells->values, cells->count, e.channels, e.height, e.width, -1, 1,
              static_cast<std::int64_t>(parts.size()));
}

Result<Image> picture_of(const Output& output, const std::vector<Tensor>& parts,
                         std::int64_t sample) {
  auto cells = cells_of(output, parts, sample, sample + 1);
  if (!cells) return std::unexpected(cells.error());
  const Extents& e = cells->extents;
  // A picture alone has no margin: its rows are written as they stand.
  Image image{e.width * cells->count, e.height, e.channels, {}};
  image.pixels.resize(static_cast<std::size_t>(image.width * image.height * image.channels));
  for (std::int64_t cell = 0; cell < cells->count; ++cell)
    for (std::int64_t c = 0; c < e.channels; ++c)
      for (std::int64_t y = 0; y < e.height; ++y)
        for (std::int64_t x = 0; x < e.width; ++x) {
          const float value = cells->values[static_cast<std::size_t>(
              ((cell * e.channels + c) * e.height + y) * e.width + x)];
          const float level = std::clamp((value + 1) * 127.5F, 0.0F, 255.0F);
          image.pixels[static_cast<std::size_t>(
              (y * image.width + cell * e.width + x) * e.channels + c)] =
              static_cast<std::uint8_t>(level + 0.5F);
        }
  return image;
}

Result<std::optional<Image>> picture_of_reals(const Description& description, const DataSets& sets,
                                              std::uint64_t seed) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i] == nullptr) continue;
    const SourceSpec& spec = description.sources[i];
    for (std::size_t f = 0; f < spec.fields.size(); ++f) {
      if (!is_picture(spec.fields[f])) continue;
      const std::int64_t count = std::min(shown_reals, sets[i]->count());
      auto values = read_samples(*sets[i], source_seed(seed, i), 0, count);
      if (!values) return std::unexpected(values.error());
      const Extents e = extents_of(spec.fields[f].shape);
      const std::vector<float> floats = field_floats((*values)[f]);
      const auto range = spec.arguments.find("range");
      const auto* given = range == spec.arguments.end()
                              ? nullptr
                              : std::get_if<std::vector<double>>(&range->second);
      float low = -1, high = 1;
      if (given != nullptr && given->size() == 2) {
        low = static_cast<float>((*given)[0]);
        high = static_cast<float>((*given)[1]);
      }
      return grid(floats, count, e.channels, e.height, e.width, low, high, 0);
    }
  }
  auto points = real_points(description, sets, seed);
  if (!points) return std::unexpected(points.error());
  if (points->empty()) return std::optional<Image>();
  return scatter(*points, {});
}

Result<std::vector<float>> real_points(const Description& description, const DataSets& sets,
                                       std::uint64_t seed) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i] == nullptr) continue;
    const auto& fields = description.sources[i].fields;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      if (!is_point(fields[f])) continue;
      auto values =
          read_samples(*sets[i], source_seed(seed, i), 0, std::min(shown_points, sets[i]->count()));
      if (!values) return std::unexpected(values.error());
      return field_floats((*values)[f]);
    }
  }
  return std::vector<float>();
}

}  // namespace ganc::runtime
