#include "runtime/data/idx.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/data/gzip.h"

namespace ganc::runtime {
namespace {

constexpr std::size_t most_axes = 8;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 44;

std::unexpected<Failure> unreadable(const std::filesystem::path& path, std::string_view reason) {
  return fail(fmt::format("cannot read {}: {}", path.native(), reason));
}

Result<std::vector<std::uint8_t>> first_bytes(const File& file, bool packed, std::size_t bytes) {
  if (packed) return unpack_start(file, bytes);
  std::vector<std::uint8_t> start(std::min<std::uint64_t>(bytes, file.size()));
  if (auto read = file.read_at(0, start.data(), start.size()); !read)
    return std::unexpected(read.error());
  return start;
}

}  // namespace

Result<IdxFile> open_idx_file(const std::filesystem::path& path) {
  auto file = File::open(path);
  if (!file) return std::unexpected(file.error());
  const bool packed = is_gzip(*file);
  const auto start = first_bytes(*file, packed, 4 + 4 * most_axes);
  if (!start) return std::unexpected(start.error());
  const std::vector<std::uint8_t>& b = *start;
  if (b.size() < 4 || b[0] != 0 || b[1] != 0)
    return unreadable(path, "not an IDX file, which begins with two zero bytes");
  if (b[2] != 0x08)
    return unreadable(
        path, fmt::format("IDX numbers of type 0x{:02X}; only bytes (0x08) are read", b[2]));
  const std::size_t rank = b[3];
  if (rank < 1 || rank > most_axes)
    return unreadable(path,
                      fmt::format("an IDX array of {} axes; 1 to {} are read", rank, most_axes));
  IdxFile idx{std::move(*file), packed, {}, 4 + 4 * rank, 1};
  if (b.size() < idx.data_offset) return unreadable(path, "it ends within its IDX header");
  std::uint64_t total = 1;
  for (std::size_t i = 4; i < idx.data_offset; i += 4) {
    const std::uint32_t size = std::uint32_t{b[i]} << 24 | std::uint32_t{b[i + 1]} << 16 |
                               std::uint32_t{b[i + 2]} << 8 | b[i + 3];
    if (size == 0) return unreadable(path, "its IDX header declares no samples");
    if (total > most_bytes / size)
      return unreadable(path, "its IDX header declares too large an array");
    total *= size;
    idx.shape.push_back(size);
    if (i > 4) idx.sample_bytes *= size;
  }
  if (!packed && idx.file.size() != idx.data_offset + total)
    return unreadable(path, fmt::format("its IDX header declares {} bytes, but {} follow", total,
                                        idx.file.size() - idx.data_offset));
  return idx;
}

Result<std::vector<std::uint8_t>> read_idx(const IdxFile& idx) {
  const auto bytes =
      static_cast<std::uint64_t>(idx.count()) * static_cast<std::uint64_t>(idx.sample_bytes);
  if (idx.packed) {
    auto all = unpack_exactly(idx.file, idx.data_offset + bytes);
    if (all) all->erase(all->begin(), all->begin() + static_cast<std::ptrdiff_t>(idx.data_offset));
    return all;
  }
  std::vector<std::uint8_t> all(bytes);
  if (auto read = idx.file.read_at(idx.data_offset, all.data(), all.size()); !read)
    return std::unexpected(read.error());
  return all;
}

}  // namespace ganc::runtime
