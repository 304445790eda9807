#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ganc {

// Rows of words in columns, as wide as their widest word. A column of `alignment` '>' stands right.
std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view alignment,
                  std::string_view indent = "");

std::string human_bytes(double bytes);         // "1.53 MB"
std::string with_commas(std::int64_t number);  // "1,083,921"
std::string human_flop(double flop);           // "16.0 G"

}  // namespace ganc
