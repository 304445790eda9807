#include "runtime/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/json.h"

namespace ganc::runtime {
namespace {

constexpr std::uint64_t header_limit = 100'000'000;  // that of the format's own library
constexpr std::size_t chunk_bytes = 1 << 20;

std::unexpected<Failure> damaged(const std::filesystem::path& path, std::string_view what) {
  return fail(
      fmt::format("cannot read {}: {}; it is damaged or no safetensors file", path.native(), what));
}

std::optional<StoredTensor> parse_tensor(const std::string& name, const Json& json,
                                         std::string& error) {
  const auto wrong = [&](std::string what) {
    error = fmt::format("tensor `{}` {}", name, what);
    return std::nullopt;
  };
  const Json *dtype = json.find("dtype"), *shape = json.find("shape"),
             *offsets = json.find("data_offsets");
  if (dtype == nullptr || dtype->string() == nullptr || shape == nullptr ||
      shape->elements() == nullptr || offsets == nullptr || offsets->elements() == nullptr ||
      offsets->elements()->size() != 2)
    return wrong("lacks dtype, shape or data_offsets");
  if (json.members()->size() != 3) return wrong("has an unknown key");
  StoredTensor tensor;
  tensor.name = name;
  const auto type = file_type_of(*dtype->string());
  if (!type) return wrong(fmt::format("has the unknown dtype `{}`", *dtype->string()));
  tensor.type = *type;
  std::uint64_t bytes = static_cast<std::uint64_t>(size_of(*type));
  for (const Json& extent : *shape->elements()) {
    const auto n = extent.natural();
    if (!n) return wrong("has a shape that is no list of whole numbers");
    if (__builtin_mul_overflow(bytes, *n, &bytes)) return wrong("has a shape that is too large");
    tensor.shape.push_back(static_cast<std::int64_t>(*n));
  }
  const auto begin = (*offsets->elements())[0].natural(), end = (*offsets->elements())[1].natural();
  if (!begin || !end || *begin > *end) return wrong("has wrong data_offsets");
  if (*end - *begin != bytes)
    return wrong(fmt::format("of shape {} needs {} bytes, but its data_offsets hold {}",
                             print(tensor.shape), bytes, *end - *begin));
  tensor.begin = *begin;
  tensor.end = *end;
  return tensor;
}

class Digest {
 public:
  Digest() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }
  ~Digest() { XXH3_freeState(state_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(const void* bytes, std::size_t count) { XXH3_128bits_update(state_, bytes, count); }
  std::string hex() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_);
    return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  }

 private:
  XXH3_state_t* state_;
};

std::string header_text(const std::vector<std::pair<std::string, std::string>>& metadata,
                        const std::vector<TensorToWrite>& tensors) {
  Json root;
  if (!metadata.empty()) {
    Json json;
    for (const auto& [key, value] : metadata) json.set(key, value);
    root.set("__metadata__", std::move(json));
  }
  std::int64_t offset = 0;
  for (const TensorToWrite& t : tensors) {
    const std::int64_t end = offset + elements(t.shape) * size_of(t.dtype);
    Json json;
    json.set("dtype", file_name(t.dtype));
    json.set("shape", Json::array(t.shape));
    json.set("data_offsets", Json::array({offset, end}));
    root.set(t.name, std::move(json));
    offset = end;
  }
  std::string text = root.is_null() ? "{}" : root.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the numbers begin at a multiple of 8
  return text;
}

Result<void> write_part(const std::filesystem::path& part, std::string header,
                        const std::vector<TensorToWrite>& tensors) {
  auto file = File::create(part);
  if (!file) return std::unexpected(file.error());
  const std::uint64_t length = header.size();
  Digest digest;
  digest.add(header.data(), header.size());
  if (auto r = file->write(&length, sizeof length); !r) return r;
  if (auto r = file->write(header); !r) return r;
  Result<void> written;
  for (const TensorToWrite& t : tensors) {
    t.give([&](const char* bytes, std::size_t count) {
      digest.add(bytes, count);
      if (written) written = file->write(bytes, count);
    });
    if (!written) return written;
  }
  if (const auto at = header.find(checksum_place); at != std::string::npos) {
    const std::string hex = digest.hex();
    if (auto r = file->write_at(sizeof length + at, hex.data(), hex.size()); !r) return r;
  }
  if (auto r = file->sync(); !r) return r;
  return file->close();
}

}  // namespace

const std::string_view checksum_place = "00000000000000000000000000000000";

Result<TensorFile> TensorFile::open(const std::filesystem::path& path) {
  auto opened = File::open(path);
  if (!opened) return std::unexpected(opened.error());
  TensorFile file(std::move(*opened));
  if (auto r = file.parse_header(); !r) return std::unexpected(r.error());
  return file;
}

Result<void> TensorFile::parse_header() {
  std::uint64_t length = 0;
  if (file_.size() < sizeof length) return damaged(path(), "it is too short for a header");
  if (auto r = file_.read_at(0, &length, sizeof length); !r) return r;
  if (length > header_limit || length > file_.size() - sizeof length)
    return damaged(path(), fmt::format("its header claims {} bytes, and the file has {}", length,
                                       file_.size()));
  header_.resize(length);
  if (auto r = file_.read_at(sizeof length, header_.data(), length); !r) return r;
  auto json = parse_json(header_, {.depth = 8});
  if (!json) return damaged(path(), fmt::format("its header is wrong at {}", json.error().message));
  if (json->members() == nullptr) return damaged(path(), "its header is no JSON object");

  for (const auto& [key, value] : *json->members()) {
    if (key == "__metadata__") {
      if (value.members() == nullptr) return damaged(path(), "its metadata are no JSON object");
      for (const auto& [name, text] : *value.members()) {
        if (text.string() == nullptr)
          return damaged(path(), fmt::format("its metadata `{}` is no text", name));
        metadata_.emplace_back(name, *text.string());
      }
      continue;
    }
    std::string error;
    auto tensor = parse_tensor(key, value, error);
    if (!tensor) return damaged(path(), error);
    tensors_.push_back(std::move(*tensor));
  }
  std::sort(tensors_.begin(), tensors_.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t at = 0;
  for (const StoredTensor& tensor : tensors_) {
    if (tensor.begin != at)
      return damaged(path(),
                     fmt::format("tensor `{}` begins at byte {}, and the one before ends at {}",
                                 tensor.name, tensor.begin, at));
    at = tensor.end;
  }
  const std::uint64_t there = file_.size() - sizeof length - header_.size();
  if (at != there)
    return damaged(
        path(),
        fmt::format("its tensors need {} bytes of numbers, and {} follow the header", at, there));
  return {};
}

const StoredTensor* TensorFile::find(std::string_view name) const {
  for (const StoredTensor& tensor : tensors_)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

std::optional<std::string> TensorFile::metadata(std::string_view key) const {
  for (const auto& [name, text] : metadata_)
    if (name == key) return text;
  return std::nullopt;
}

Result<Tensor> TensorFile::read(const StoredTensor& stored, DType dtype) const {
  Tensor tensor(dtype, stored.shape);
  const std::uint64_t offset = 8 + header_.size() + stored.begin;
  if (name(stored.type) == file_name(dtype)) {
    if (auto r = file_.read_at(offset, tensor.bytes.data(), tensor.bytes.size()); !r)
      return std::unexpected(r.error());
    if (dtype == DType::pred)
      for (char& byte : tensor.bytes) byte = byte != 0;
    return tensor;
  }
  std::vector<char> bytes(stored.end - stored.begin);
  if (auto r = file_.read_at(offset, bytes.data(), bytes.size()); !r)
    return std::unexpected(r.error());
  if (auto r = convert(stored.type, bytes.data(), tensor.elements(), tensor); !r)
    return fail(fmt::format("`{}` in {}: {}", stored.name, path().native(), r.error().message));
  return tensor;
}

Result<std::string> TensorFile::digest(std::string_view checksum) const {
  std::string header = header_;
  if (const auto at = header.find(checksum); at != std::string::npos)
    header.replace(at, checksum.size(), checksum_place);
  Digest digest;
  digest.add(header.data(), header.size());
  std::vector<char> chunk(std::min<std::uint64_t>(chunk_bytes, file_.size()));
  std::uint64_t at = 8 + header_.size();
  while (at < file_.size()) {
    const std::size_t n = std::min<std::uint64_t>(chunk.size(), file_.size() - at);
    if (auto r = file_.read_at(at, chunk.data(), n); !r) return std::unexpected(r.error());
    digest.add(chunk.data(), n);
    at += n;
  }
  return digest.hex();
}

TensorToWrite to_write(std::string name, const Tensor& tensor) {
  return {std::move(name), tensor.dtype, tensor.shape,
          [&tensor](const ByteSink& sink) { sink(tensor.bytes.data(), tensor.bytes.size()); }};
}

Result<void> write_tensor_file(const std::filesystem::path& path,
                               const std::vector<std::pair<std::string, std::string>>& metadata,
                               const std::vector<TensorToWrite>& tensors) {
  const std::filesystem::path part = path.native() + ".part";
  auto result = write_part(part, header_text(metadata, tensors), tensors);
  if (result) result = rename_file(part, path);
  if (!result) (void)remove_file(part);
  return result;
}

}  // namespace ganc::runtime
