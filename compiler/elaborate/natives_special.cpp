#include <cmath>

#include "compiler/elaborate/elaborator.h"

namespace ganc::elab {
namespace {

// ---- distributions

Value distribution(Elaborator& e, Frame& frame, const Arguments& a, Distribution::Kind kind,
                   std::initializer_list<double> defaults) {
  Distribution d{kind, {}, {}};
  std::size_t i = 0;
  std::string text;
  for (const double otherwise : defaults) {
    const Value& v = a[i];
    const bool fits = v.is<None>() || v.number() || v.tensor() || v.list();
    if (!fits)
      e.error(frame, Kind::wrong_value, a.spans[i], a.function->name, "a number", describe(v));
    d.arguments.push_back(v.is<None>() ? Value(otherwise) : v);
    const Value& used = d.arguments.back();
    text += (i++ ? ", " : "") + (used.number() ? print_number(*used.number()) : describe(used));
  }
  d.text = a.function->name + "(" + text + ")";
  return std::make_shared<const Distribution>(std::move(d));
}

// The static numbers of a distribution's only parameter.
List probabilities(const Arguments& a) {
  if (a[0].number()) return {a[0]};
  return a[0].list() ? *a[0].list() : List{};
}

Value normal(Elaborator& e, Frame& f, const Arguments& a) {
  return distribution(e, f, a, Distribution::Kind::normal, {0, 1});
}
Value uniform(Elaborator& e, Frame& f, const Arguments& a) {
  return distribution(e, f, a, Distribution::Kind::uniform, {0, 1});
}
Value bernoulli(Elaborator& e, Frame& f, const Arguments& a) {
  for (const Value& p : probabilities(a)) {
    if (p.number() && !(*p.number() >= 0 && *p.number() <= 1)) {
      e.error(f, Kind::wrong_value, a.spans[0], "bernoulli", "a probability from 0 to 1",
              print_number(*p.number()));
    }
  }
  return distribution(e, f, a, Distribution::Kind::bernoulli, {0.5});
}
Value categorical(Elaborator& e, Frame& f, const Arguments& a) {
  if (a[0].list()) {
    constexpr double rounded = 0.02;  // 0.33, 0.33 and 0.33 will do
    double sum = 0;
    bool known = true, fits = true;
    for (const Value& p : probabilities(a)) {
      known = known && p.number();
      sum += p.number().value_or(0);
      fits = fits && p.number().value_or(0) >= 0;
    }
    if (known && !(fits && std::abs(sum - 1) < rounded)) {
      e.error(f, Kind::wrong_value, a.spans[0], "categorical",
              "probabilities of at least 0 that sum to 1",
              fmt::format("{} with the sum {}", describe(a[0]), print_number(sum)));
    }
  }
  return distribution(e, f, a, Distribution::Kind::categorical, {0});
}
Value truncated_normal(Elaborator& e, Frame& f, const Arguments& a) {
  return distribution(e, f, a, Distribution::Kind::truncated_normal, {2});
}

// ---- nets

Value descend(Elaborator& e, Frame& frame, const Arguments& a) {
  return e.descend(frame, a);
}

Value copy(Elaborator& e, Frame& frame, const Arguments& a) {
  e.fail(e.report_at(frame, Kind::misplaced, a.call, "`copy`", "`net NAME = copy(..)`"));
}

Value weights(Elaborator& e, Frame& frame, const Arguments& a) {
  const NetValue* net = a[0].get<NetValue>();
  if (!net) e.error(frame, Kind::wrong_value, a.spans[0], "weights", "a net", describe(a[0]));
  if (!net->net->called) e.declare_weights(frame, net->net, a.call);
  List list;
  for (const std::string& name : e.weights_of(*net->net)) {
    const Variable* v = e.variable(name);
    list.emplace_back(e.make_tensor(e.read_variable(name, net->overlay), v->type.shape, -1));
  }
  return make_list(std::move(list));
}

// Only an optimizer evaluates it, see Elaborator::total.
Value total(Elaborator& e, Frame& frame, const Arguments& a) {
  e.error(frame, Kind::misplaced, a.call, "`total`", "an optimizer");
}

// ---- what a call needs

// A static value that does not meet its condition is an error of the function's caller; of a
// runtime number nothing is known.
Value require(Elaborator& e, Frame& frame, const Arguments& a) {
  const auto* wanted = a[2].get<std::string>();
  if (!wanted)
    e.error(frame, Kind::wrong_value, a.spans[2], "require", "a text in quotes", describe(a[2]));
  const auto holds = a[1].number();
  if (!holds && !a[1].tensor())
    e.error(frame, Kind::wrong_value, a.spans[1], "require", "a condition", describe(a[1]));
  if (holds && *holds == 0)
    e.error(frame, Kind::wrong_value, a.call, "`" + frame.name + "`", *wanted, describe(a[0]));
  return a[0];
}

// ---- what has a meaning by its place

Value special(Elaborator&, Frame&, const Arguments& a) {
  Special s{a.function->name, {}};
  for (std::size_t i = 0; i < a.values.size(); ++i)
    s.arguments[a.function->parameters[i].name] = a[i];
  return std::make_shared<const Special>(std::move(s));
}

Value not_available(Elaborator& e, Frame& frame, const Arguments& a) {
  const bool table = a.function->name == "columns_of";
  e.fail(e.report_at(frame, Kind::not_available, a.call, a.function->name)
             .note(table ? "it would read the columns of a table when the program is compiled, and "
                           "this version reads no tables: write the columns as a list"
                         : "this version has no operation that inverts a matrix, so nothing that "
                           "is computed with one can be compiled"));
}

}  // namespace

const std::vector<NativeRow>& distribution_natives() {
  static const std::vector<NativeRow> rows = {
      {"normal(mean = 0, std = 1)", normal},
      {"uniform(low = 0, high = 1)", uniform},
      {"bernoulli(p = 0.5)", bernoulli},
      {"categorical(p = 0)", categorical},
      {"truncated_normal(limit = 2)", truncated_normal},
  };
  return rows;
}

const std::vector<NativeRow>& net_natives() {
  static const std::vector<NativeRow> rows = {
      {"descend(f, loss, by, steps)", descend},
      {"copy(f)", copy},
      {"weights(f)", weights},
      {"total(x)", total},
  };
  return rows;
}

const std::vector<NativeRow>& special_natives() {
  static const std::vector<NativeRow> rows = {
      {"digits(range = none, samples = none)", source_call},
      {"mnist(split = none, range = none, resize = none, crop = none, flip = none)", source_call},
      {"ring(modes = 8, radius = 1, std = 0.01, samples = none)", source_call},
      {"grid(side = 5, std = 0.05, samples = none)", source_call},
      {"swissroll(samples = none)", source_call},
      {"images(name, resize = none, crop = none, flip = none, range = none, split = none)",
       source_call},
      {"cifar10(split = none, flip = none, range = none)", source_call},
      {"pairs(name = none, range = none)", source_call},
      {"scenes(max_words = none)", source_call},
      {"waves(name, rate = none)", source_call},
      {"table(name, columns, conditional = none)", source_call},
      {"columns_of(name, modes = none)", not_available},
      {"series(name)", source_call},
      {"text(name, vocabulary, length)", source_call},
      {"npy(name)", source_call},
      {"require(x, condition, wanted)", require},
      {"image(x)", special},
      {"audio(x, rate)", special},
      {"rows(x, columns)", special},
      {"fid(real, fake, features, samples = none)", special},
      {"inception_score(fake, classifier, samples = none)", special},
      {"precision_recall(real, fake, features, samples = none)", special},
      {"mode_coverage(fake, modes)", special},
      {"inverse(m)", not_available},
  };
  return rows;
}

}  // namespace ganc::elab
