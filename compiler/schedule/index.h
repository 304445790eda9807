#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

namespace ganc::planning {

// Index arithmetic of one kernel: sums of coefficient * atom in a canonical form, so that equal
// indices have equal ids, and quotients and remainders by which reshapes are written disappear
// wherever they can.

struct IndexId {
  std::uint32_t index = UINT32_MAX;
  auto operator<=>(const IndexId&) const = default;
};

struct Atom {
  enum class Kind : std::uint8_t {
    variable,   // of a loop: 0 .. extent - 1
    quotient,   // of / divisor, rounded down; of >= 0
    remainder,  // of % divisor
    data,       // an expression of the kernel, clamped to 0 .. extent - 1
  } kind;
  std::uint32_t source = 0;  // variable: its number; data: the expression
  IndexId of;
  std::int64_t divisor = 1;
  std::int64_t extent = 1;  // 0 <= atom < extent
};

struct Term {
  std::uint32_t atom;
  std::int64_t coefficient;
  auto operator<=>(const Term&) const = default;
};

struct Sum {
  std::vector<Term> terms;  // by atom, no coefficient 0
  std::int64_t constant = 0;
  auto operator<=>(const Sum&) const = default;
};

struct Range {
  std::int64_t low, high;  // both included
};

class IndexSpace {
 public:
  // A wish: if `variable` were two, the inner of length `inner`, a quotient would be exact.
  struct Split {
    std::uint32_t variable;
    std::int64_t inner;
  };

  // The number of the new variable; an extent of 1 is the constant 0 wherever it is used.
  std::uint32_t add_variable(std::int64_t extent);
  std::int64_t extent(std::uint32_t variable) const { return extents_[variable]; }
  std::uint32_t variable_count() const { return static_cast<std::uint32_t>(extents_.size()); }

  IndexId constant(std::int64_t value);
  IndexId variable(std::uint32_t variable);
  IndexId data(std::uint32_t expression, std::int64_t extent);
  IndexId add(IndexId a, IndexId b);
  IndexId add(IndexId a, std::int64_t b);
  IndexId scale(IndexId a, std::int64_t factor);
  IndexId quotient(IndexId a, std::int64_t divisor);   // a >= 0
  IndexId remainder(IndexId a, std::int64_t divisor);  // a >= 0

  const Sum& operator[](IndexId id) const { return *sums_[id.index]; }
  const Atom& atom(std::uint32_t id) const { return atoms_[id]; }
  Range range(IndexId id) const;
  // The coefficient of the variable outside quotients and the like.
  std::int64_t coefficient(IndexId id, std::uint32_t variable) const;
  // Nothing but variables and a constant.
  bool is_affine(IndexId id) const;
  // Anywhere, also within quotients (but not within the expressions of data).
  bool depends_on(IndexId id, std::uint32_t variable) const;

  // In the order in which they were met; several for one variable where reshapes disagree.
  const std::vector<Split>& wanted_splits() const { return wanted_splits_; }

 private:
  IndexId intern(Sum sum);
  std::uint32_t intern(const Atom& atom);
  void join_remainders(Sum& sum) const;
  bool want_split(const Sum& low, std::int64_t divisor);
  std::pair<Sum, Sum> divide(const Sum& sum, std::int64_t divisor) const;
  Range range(const Sum& sum) const;
  IndexId divided(IndexId a, std::int64_t divisor, bool quotient);

  using AtomKey = std::tuple<Atom::Kind, std::uint32_t, IndexId, std::int64_t, std::int64_t>;
  static AtomKey key(const Atom& a) { return {a.kind, a.source, a.of, a.divisor, a.extent}; }

  std::vector<std::int64_t> extents_;
  std::vector<Atom> atoms_;
  std::map<AtomKey, std::uint32_t> atom_ids_;
  std::map<Sum, IndexId> sum_ids_;
  std::vector<const Sum*> sums_;  // keys of sum_ids_
  std::vector<Split> wanted_splits_;
};

}  // namespace ganc::planning
