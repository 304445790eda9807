#pragma once

#include <string>

#include "compiler/parse/ast.h"
#include "compiler/source/source.h"

namespace ganc {

// The one layout of `ganc fmt`: indentation by four spaces, one space where spaces stand, at most
// one blank line, comments kept, those behind code in neighbouring lines aligned. Lines are broken
// where the author broke them, never elsewhere, except that a block that has a line break in it has
// one behind `{` and one before `}`.
//   needs    `tree`, which `file` was parsed to without an error; a file whose characters or
//   brackets
//            are wrong comes back as it is
//   ensures  the result parses to a tree of the same meaning; formatting it again changes nothing
std::string format(const Sources& sources, const ast::Ast& tree, std::uint32_t file);

}  // namespace ganc
