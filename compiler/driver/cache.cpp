#include "compiler/driver/cache.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "compiler/driver/hash.h"
#include "compiler/driver/version.h"
#include "compiler/link/link.h"

namespace ganc {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kept_trainers = 32;

std::optional<std::string> content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string file_hash(const fs::path& path) {
  const auto text = content(path);
  return text ? hash_of(*text) : "absent";
}

// Where the hash of a trainer stands.
fs::path own_hash(const fs::path& trainer) {
  return trainer.string() + ".hash";
}

std::expected<fs::path, Stop> cache_folder() {
  const char* chosen = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder;
  if (chosen != nullptr && *chosen == '/') {
    folder = fs::path(chosen) / "ganc";
  } else if (home != nullptr && *home == '/') {
    folder = fs::path(home) / ".cache" / "ganc";
  } else {
    return std::unexpected(
        Stop{"there is no folder for the trainers of `ganc run`: set XDG_CACHE_HOME or HOME"});
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return std::unexpected(
        Stop{fmt::format("cannot create {}: {}", folder.string(), error.message())});
  return folder;
}

std::string options_text(const CompileOptions& options) {
  std::string text;
  for (const auto& [name, value] : options.set) text += fmt::format("{}={}\n", name, value);
  text += fmt::format("{} {} {} {} {} {}", options.batch.value_or(0),
                      options.precision ? static_cast<int>(*options.precision) : -1, options.f64,
                      static_cast<int>(options.cpu), options.cuda, options.optimize);
  for (const std::string& name : options.allow) text += " allow " + name;
  for (const std::string& name : options.deny) text += " deny " + name;
  return text;
}

// The compiler, and the runtime that trainers are linked with.
std::string compiler_hash() {
  Hash hash;
  hash.add(version()).add(file_hash("/proc/self/exe"));
  if (const auto folder = trainer_library_folder())
    hash.add(file_hash(*folder / "libganc_runtime.a"));
  return hash.hex();
}

std::string hash_of_files(const std::vector<std::string>& files) {
  Hash hash;
  for (const std::string& file : files) hash.add(file).add(file_hash(file));
  return hash.hex();
}

}  // namespace

std::expected<Cache, Stop> Cache::open(const Options& options, const Session& session,
                                       std::uint32_t file) {
  auto folder = cache_folder();
  if (!folder) return std::unexpected(folder.error());
  const std::string& path = options.files.front();
  std::error_code error;
  Cache cache;
  cache.folder_ = *folder;
  cache.name_ = path == "-" ? "trainer" : fs::path(path).stem().string();
  Hash hash;
  // The path as given, too: diagnostics and the description name it.
  hash.add(path == "-" ? session.sources.text(file) : fs::absolute(path, error).string()).add(path);
  hash.add(options_text(options.compile)).add(compiler_hash());
  cache.request_ = hash.hex();
  return cache;
}

std::optional<fs::path> Cache::find() const {
  const auto text = content(folder_ / (request_ + ".json"));
  if (!text) return std::nullopt;
  const auto manifest = nlohmann::json::parse(*text, nullptr, false);
  if (!manifest.is_array()) return std::nullopt;
  std::vector<std::string> files;
  for (const auto& entry : manifest) {
    if (!entry.is_string()) return std::nullopt;
    files.push_back(entry.get<std::string>());
  }
  fs::path trainer = folder_ / (request_ + "-" + hash_of_files(files)) / name_;
  if (access(trainer.c_str(), X_OK) != 0) return std::nullopt;
  if (content(own_hash(trainer)) != file_hash(trainer)) return std::nullopt;
  std::error_code error;
  fs::last_write_time(trainer.parent_path(), fs::file_time_type::clock::now(),
                      error);  // used: not the oldest
  return trainer;
}

fs::path Cache::new_trainer() const {
  return folder_ / fmt::format("{}.{}.new", request_, getpid());
}

std::expected<fs::path, Stop> Cache::keep(const std::vector<std::string>& read) const {
  std::vector<std::string> files;
  std::error_code error;
  for (const std::string& file : read) {
    if (file != "<stdin>") files.push_back(fs::absolute(file, error).string());
  }
  const fs::path folder = folder_ / (request_ + "-" + hash_of_files(files));
  const fs::path manifest = folder_ / (request_ + ".json");
  const fs::path part = manifest.string() + fmt::format(".{}.part", getpid());
  fs::create_directories(folder, error);
  if (!error) fs::rename(new_trainer(), folder / name_, error);
  if (!error) {
    std::ofstream(own_hash(folder / name_)) << file_hash(folder / name_);
    std::ofstream(part) << nlohmann::json(files).dump();
    fs::rename(part, manifest, error);
  }
  if (error) {
    return std::unexpected(
        Stop{fmt::format("cannot write {}: {}", (folder / name_).string(), error.message())});
  }

  std::vector<std::pair<fs::file_time_type, fs::path>> trainers;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.is_directory(error))
      trainers.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::ranges::sort(trainers, std::greater());
  for (std::size_t i = kept_trainers; i < trainers.size(); ++i) {
    fs::remove_all(trainers[i].second, error);
    const std::string name = trainers[i].second.filename().string();
    fs::remove(folder_ / (name.substr(0, name.find('-')) + ".json"), error);
  }
  return folder / name_;
}

}  // namespace ganc
