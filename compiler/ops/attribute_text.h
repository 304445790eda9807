#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "compiler/graph/graph.h"

// The attributes' names in graph text, for its printer and its parser.
namespace ganc {

struct ListAttribute {
  std::string_view name;
  std::vector<std::int64_t> Attributes::* list;
};
inline constexpr std::array<ListAttribute, 11> list_attributes = {{
    {"axes", &Attributes::axes},
    {"start", &Attributes::start},
    {"limit", &Attributes::limit},
    {"stride", &Attributes::stride},
    {"low", &Attributes::low},
    {"high", &Attributes::high},
    {"interior", &Attributes::interior},
    {"lhs_batch", &Attributes::lhs_batch},
    {"rhs_batch", &Attributes::rhs_batch},
    {"lhs_contract", &Attributes::lhs_contract},
    {"rhs_contract", &Attributes::rhs_contract},
}};

struct NumberAttribute {
  std::string_view name;
  std::int64_t Attributes::* number;
};
inline constexpr std::array<NumberAttribute, 3> number_attributes = {{
    {"groups", &Attributes::groups},
    {"batch", &Attributes::batch},
    {"size", &Attributes::size},
}};

struct WindowAttribute {
  std::string_view name;
  std::int64_t Window::* number;
};
inline constexpr std::array<WindowAttribute, 5> window_attributes = {{
    {"stride", &Window::stride},
    {"pad_low", &Window::pad_low},
    {"pad_high", &Window::pad_high},
    {"lhs_dilation", &Window::lhs_dilation},
    {"rhs_dilation", &Window::rhs_dilation},
}};

}  // namespace ganc
