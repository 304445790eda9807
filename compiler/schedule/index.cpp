#include "compiler/schedule/index.h"

#include <algorithm>
#include <numeric>

namespace ganc::planning {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

}  // namespace

std::uint32_t IndexSpace::add_variable(std::int64_t extent) {
  extents_.push_back(extent);
  return static_cast<std::uint32_t>(extents_.size() - 1);
}

IndexId IndexSpace::intern(Sum sum) {
  const auto [it, inserted] =
      sum_ids_.try_emplace(std::move(sum), IndexId{static_cast<std::uint32_t>(sums_.size())});
  if (inserted) sums_.push_back(&it->first);
  return it->second;
}

std::uint32_t IndexSpace::intern(const Atom& atom) {
  const auto [it, inserted] =
      atom_ids_.try_emplace(key(atom), static_cast<std::uint32_t>(atoms_.size()));
  if (inserted) atoms_.push_back(atom);
  return it->second;
}

IndexId IndexSpace::constant(std::int64_t value) {
  return intern(Sum{{}, value});
}

IndexId IndexSpace::variable(std::uint32_t variable) {
  if (extents_[variable] == 1) return constant(0);
  const Atom atom{Atom::Kind::variable, variable, {}, 1, extents_[variable]};
  return intern(Sum{{{intern(atom), 1}}, 0});
}

IndexId IndexSpace::data(std::uint32_t expression, std::int64_t extent) {
  if (extent == 1) return constant(0);
  return intern(Sum{{{intern(Atom{Atom::Kind::data, expression, {}, 1, extent}), 1}}, 0});
}

// d * (x / d) + x % d = x, the identity that makes a view of a row-major tensor free.
void IndexSpace::join_remainders(Sum& sum) const {
  for (std::size_t i = 0; i < sum.terms.size(); ++i) {
    const Atom& remainder = atoms_[sum.terms[i].atom];
    if (remainder.kind != Atom::Kind::remainder) continue;
    Atom quotient = remainder;
    quotient.kind = Atom::Kind::quotient;
    const auto partner = std::ranges::find_if(sum.terms, [&](const Term& t) {
      const Atom& a = atoms_[t.atom];
      return a.kind == Atom::Kind::quotient && a.of == quotient.of && a.divisor == quotient.divisor;
    });
    if (partner == sum.terms.end()) continue;
    const std::int64_t factor = sum.terms[i].coefficient;
    if (partner->coefficient != factor * remainder.divisor) continue;
    const Sum whole = *sums_[remainder.of.index];
    sum.terms.erase(partner);
    std::erase_if(sum.terms, [&](const Term& t) { return &atoms_[t.atom] == &remainder; });
    sum.constant += factor * whole.constant;
    for (const Term& t : whole.terms) sum.terms.push_back({t.atom, factor * t.coefficient});
    std::ranges::sort(sum.terms);
    std::vector<Term> merged;
    for (const Term& t : sum.terms) {
      if (!merged.empty() && merged.back().atom == t.atom)
        merged.back().coefficient += t.coefficient;
      else
        merged.push_back(t);
    }
    std::erase_if(merged, [](const Term& t) { return t.coefficient == 0; });
    sum.terms = std::move(merged);
    i = SIZE_MAX;  // from the start: what came in may join too
  }
}

IndexId IndexSpace::add(IndexId a, IndexId b) {
  const Sum& x = *sums_[a.index];
  const Sum& y = *sums_[b.index];
  Sum sum{{}, x.constant + y.constant};
  auto i = x.terms.begin(), j = y.terms.begin();
  while (i != x.terms.end() || j != y.terms.end()) {
    if (j == y.terms.end() || (i != x.terms.end() && i->atom < j->atom)) {
      sum.terms.push_back(*i++);
    } else if (i == x.terms.end() || j->atom < i->atom) {
      sum.terms.push_back(*j++);
    } else {
      if (i->coefficient + j->coefficient != 0)
        sum.terms.push_back({i->atom, i->coefficient + j->coefficient});
      ++i, ++j;
    }
  }
  join_remainders(sum);
  return intern(std::move(sum));
}

IndexId IndexSpace::add(IndexId a, std::int64_t b) {
  if (b == 0) return a;
  Sum sum = *sums_[a.index];
  sum.constant += b;
  return intern(std::move(sum));
}

IndexId IndexSpace::scale(IndexId a, std::int64_t factor) {
  if (factor == 1) return a;
  if (factor == 0) return constant(0);
  Sum sum = *sums_[a.index];
  sum.constant *= factor;
  for (Term& t : sum.terms) t.coefficient *= factor;
  return intern(std::move(sum));
}

Range IndexSpace::range(const Sum& sum) const {
  Range r{sum.constant, sum.constant};
  for (const Term& t : sum.terms) {
    const std::int64_t reach = t.coefficient * (atoms_[t.atom].extent - 1);
    (reach > 0 ? r.high : r.low) += reach;
  }
  return r;
}

Range IndexSpace::range(IndexId id) const {
  return range(*sums_[id.index]);
}

// sum = divisor * first + second, with as much as possible in `first`.
std::pair<Sum, Sum> IndexSpace::divide(const Sum& sum, std::int64_t divisor) const {
  Sum high, low;
  high.constant = floor_divide(sum.constant, divisor);
  low.constant = sum.constant - high.constant * divisor;
  for (const Term& t : sum.terms) {
    if (t.coefficient % divisor == 0)
      high.terms.push_back({t.atom, t.coefficient / divisor});
    else
      low.terms.push_back(t);
  }
  return {std::move(high), std::move(low)};
}

bool IndexSpace::want_split(const Sum& low, std::int64_t divisor) {
  for (const Term& t : low.terms) {
    const Atom& a = atoms_[t.atom];
    if (a.kind != Atom::Kind::variable || t.coefficient <= 0 || divisor % t.coefficient != 0)
      continue;
    const std::int64_t inner = divisor / t.coefficient;
    if (inner > 1 && inner < a.extent && a.extent % inner == 0) {
      wanted_splits_.push_back({a.source, inner});
      return true;
    }
  }
  return false;
}

IndexId IndexSpace::divided(IndexId a, std::int64_t divisor, bool quotient) {
  if (divisor == 1) return quotient ? a : constant(0);
  auto [high, low] = divide(*sums_[a.index], divisor);
  const Range r = range(low);
  if (r.low >= 0 && r.high < divisor) return intern(quotient ? std::move(high) : std::move(low));
  want_split(low, divisor);
  // The part that is a multiple of the divisor may be negative only together with the rest: keep
  // the whole.
  const bool whole = r.low < 0;
  const IndexId of = whole ? a : intern(low);
  const Range of_range = range(of);
  if (quotient) {
    const Atom atom{Atom::Kind::quotient, 0, of, divisor, of_range.high / divisor + 1};
    const IndexId rest = intern(Sum{{{intern(atom), 1}}, 0});
    return whole ? rest : add(intern(std::move(high)), rest);
  }
  const Atom atom{Atom::Kind::remainder, 0, of, divisor, std::min(divisor, of_range.high + 1)};
  return intern(Sum{{{intern(atom), 1}}, 0});
}

IndexId IndexSpace::quotient(IndexId a, std::int64_t divisor) {
  return divided(a, divisor, true);
}
IndexId IndexSpace::remainder(IndexId a, std::int64_t divisor) {
  return divided(a, divisor, false);
}

std::int64_t IndexSpace::coefficient(IndexId id, std::uint32_t variable) const {
  for (const Term& t : sums_[id.index]->terms) {
    const Atom& a = atoms_[t.atom];
    if (a.kind == Atom::Kind::variable && a.source == variable) return t.coefficient;
  }
  return 0;
}

bool IndexSpace::is_affine(IndexId id) const {
  return std::ranges::all_of(sums_[id.index]->terms, [&](const Term& t) {
    return atoms_[t.atom].kind == Atom::Kind::variable;
  });
}

bool IndexSpace::depends_on(IndexId id, std::uint32_t variable) const {
  return std::ranges::any_of(sums_[id.index]->terms, [&](const Term& t) {
    const Atom& a = atoms_[t.atom];
    switch (a.kind) {
      case Atom::Kind::variable:
        return a.source == variable;
      case Atom::Kind::quotient:
      case Atom::Kind::remainder:
        return depends_on(a.of, variable);
      case Atom::Kind::data:
        return false;
    }
    __builtin_unreachable();
  });
}

}  // namespace ganc::planning
