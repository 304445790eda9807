#include "runtime/data/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

namespace ganc::runtime {
namespace {

// One pass over a file's members (gzip files put one behind the other are one file).
class Unpacker {
 public:
  explicit Unpacker(const File& file) : file_(file) { inflateInit2(&stream_, 16 + MAX_WBITS); }
  ~Unpacker() { inflateEnd(&stream_); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  // How many bytes were put at `to`: fewer than `bytes` at the end of the last member, whose
  // checksum was right.
  Result<std::size_t> read(std::uint8_t* to, std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes && !ended_) {
      if (stream_.avail_in == 0) {
        if (auto filled = fill(); !filled) return std::unexpected(filled.error());
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes - done, 1u << 30));
      stream_.next_out = to + done;
      stream_.avail_out = room;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (status == Z_STREAM_END) {
        if (auto next = next_member(); !next) return std::unexpected(next.error());
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return damaged(stream_.msg ? stream_.msg : "it cannot be unpacked");
      }
    }
    return done;
  }

 private:
  std::unexpected<Failure> damaged(std::string_view reason) const {
    return fail(
        fmt::format("cannot read {}: damaged gzip file: {}", file_.path().native(), reason));
  }

  Result<void> fill() {
    const auto bytes = std::min<std::uint64_t>(input_.size(), file_.size() - position_);
    if (bytes == 0) return damaged("it ends too early");
    if (auto read = file_.read_at(position_, input_.data(), bytes); !read) return read;
    position_ += bytes;
    stream_.next_in = input_.data();
    stream_.avail_in = static_cast<uInt>(bytes);
    return {};
  }

  Result<void> next_member() {
    if (stream_.avail_in == 0 && position_ == file_.size()) {
      ended_ = true;
      return {};
    }
    inflateReset(&stream_);
    return {};
  }

  const File& file_;
  z_stream stream_{};
  std::uint64_t position_ = 0;
  bool ended_ = false;
  std::array<std::uint8_t, 1 << 16> input_;
};

}  // namespace

bool is_gzip(const File& file) {
  std::uint8_t magic[2];
  return file.size() >= 2 && file.read_at(0, magic, 2) && magic[0] == 0x1F && magic[1] == 0x8B;
}

Result<std::vector<std::uint8_t>> unpack_start(const File& file, std::size_t bytes) {
  Unpacker unpacker(file);
  std::vector<std::uint8_t> start(bytes);
  const auto read = unpacker.read(start.data(), bytes);
  if (!read) return std::unexpected(read.error());
  start.resize(*read);
  return start;
}

Result<std::vector<std::uint8_t>> unpack_exactly(const File& file, std::uint64_t bytes) {
  constexpr std::uint64_t most_packing = 1032;  // of deflate
  const auto differs = [&](std::string_view comparison) {
    return fail(
        fmt::format("cannot read {}: it unpacks to {} the {} bytes that its header declares",
                    file.path().native(), comparison, bytes));
  };
  if (bytes / most_packing > file.size()) return differs("fewer than");
  Unpacker unpacker(file);
  std::vector<std::uint8_t> all(bytes);
  auto read = unpacker.read(all.data(), all.size());
  if (!read) return std::unexpected(read.error());
  if (*read < bytes) return differs("fewer than");
  std::uint8_t more;
  read = unpacker.read(&more, 1);  // sees the end, with its checksum
  if (!read) return std::unexpected(read.error());
  if (*read > 0) return differs("more than");
  return all;
}

}  // namespace ganc::runtime
