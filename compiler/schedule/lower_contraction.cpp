#include <algorithm>

#include "compiler/schedule/contraction.h"
#include "compiler/schedule/winograd.h"

namespace ganc::planning {
namespace {

// What minimal filtering must gain over the direct way, by its model, to be faster than pairs in
// vectors.
constexpr double vector_pairs_gain = 2.4;

bool may_tile(const ProgramDraft& program, const Group& group) {
  const Node& node = program.graph[group.roots[0]];
  if (node.type.dtype != DType::f32 && node.type.dtype != DType::f64) return false;
  return element_count(node.type.shape) > 0 &&
         std::ranges::all_of(node.operands, [&](NodeId operand) {
           return element_count(program.graph[operand].type.shape) > 0;
         });
}

// By products of pairs of bf16. False where another way is better: nothing that was appended is
// read then.
bool lower_in_pairs(ProgramDraft& program, const Group& group, const ProductRules& rules) {
  const PairForm form{.parts = rules.products == Products::split_tiles ? 2 : 1,
                      .tiles = rules.products != Products::bf16_vectors,
                      .always = rules.least_gain == 0};
  const std::unique_ptr<Product> numbers = make_product(program, group, {});
  if (!numbers) return false;
  if (!form.tiles) {
    const double gain = std::max(rules.least_gain, vector_pairs_gain);
    if (choose_image_form(program, *numbers, gain) || choose_gradient_form(program, *numbers, gain))
      return false;
  }
  const std::optional<TilingChoice> as_numbers = choose_tiling(program, *numbers);
  if (!as_numbers) return false;
  const std::optional<OperandLayouts> layouts =
      choose_pair_layouts(program, *numbers, as_numbers->tiling, form);
  if (!layouts) return false;
  const std::unique_ptr<Product> product = make_product(program, group, *layouts);
  if (!product) return false;
  product->tiles = form.tiles;
  const std::optional<TilingChoice> choice = choose_tiling(program, *product);
  if (!choice || choice->vector || choice->scalar ||
      choice->tiling.lhs_is_vector != as_numbers->tiling.lhs_is_vector ||
      choice->tiling.row_axis != as_numbers->tiling.row_axis)
    return false;
  write_contraction(program, group, *product, choice->tiling);
  return true;
}

}  // namespace

void lower_contraction(ProgramDraft& program, const Group& group, const ProductRules& rules) {
  if (!rules.tiled || !may_tile(program, group)) return lower_products(program, group);
  if (rules.products >= Products::bf16_vectors && lower_in_pairs(program, group, rules)) return;
  OperandLayouts copied;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::unique_ptr<Product> product = make_product(program, group, copied);
    if (!product) break;
    if (rules.products != Products::exact) {
      if (const auto form = choose_image_form(program, *product, rules.least_gain))
        return lower_winograd(program, group, *product, *form);
      if (const auto form = choose_gradient_form(program, *product, rules.least_gain))
        return lower_winograd(program, group, *product, *form);
    }
    const std::optional<TilingChoice> choice = choose_tiling(program, *product);
    if (!choice) break;
    const bool lhs_is_vector = choice->tiling.lhs_is_vector;
    std::optional<CopyLayout>& vector = lhs_is_vector ? copied.lhs : copied.rhs;
    std::optional<CopyLayout>& scalar = lhs_is_vector ? copied.rhs : copied.lhs;
    if (choice->vector)
      vector = choice->vector;
    else if (choice->scalar && !scalar)
      scalar = choice->scalar;
    else
      return write_contraction(program, group, *product, choice->tiling);
  }
  lower_products(program, group);
}

}  // namespace ganc::planning
