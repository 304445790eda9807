#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>

namespace ganc {

// The folder of the files that a trainer is linked from (start files, libganc_runtime.a, archives):
// $GANC_LIB where it is set, else lib/ganc beside the folder of the running executable. The error
// names the folder and what it lacks.
std::expected<std::filesystem::path, std::string> trainer_library_folder();

// An error where no executable can be written at `output`: path and reason. A folder, a FIFO or a
// device is no place for one.
std::expected<void, std::string> check_output(const std::filesystem::path& output);

// Joins ELF relocatable objects with the runtime into one static executable at `output`, by lld in
// this process, and returns its size in bytes. The file appears whole or not at all: what was at
// `output` stays until then.
//   needs    objects that define `ganc_program`; a folder as above
//   errors   path and reason
std::expected<std::uintmax_t, std::string> link_executable(
    std::span<const std::string> objects, const std::filesystem::path& output,
    const std::filesystem::path& library_folder);

}  // namespace ganc
