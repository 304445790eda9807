#include "compiler/diagnostics/diagnostics.h"

#include <set>

#include <catch2/catch.hpp>

namespace ganc {
namespace {

Kind some_warning() {
  for (const Kind kind : all_kinds()) {
    if (info(kind).severity == Severity::warning) return kind;
  }
  return Kind::unexpected;
}

TEST_CASE("equal diagnostics are kept once") {
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{0, 1, 2}, "x");
  diagnostics.report(Kind::unknown_name, Span{0, 1, 2}, "x").note("into the void");
  CHECK(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].notes.empty());
  diagnostics.report(Kind::unknown_name, Span{0, 1, 2}, "y");
  diagnostics.report(Kind::unknown_name, Span{0, 1, 3}, "x");
  CHECK(diagnostics.all().size() == 3);
  CHECK(diagnostics.error_count() == 3);
}

TEST_CASE("nothing is recorded past the limit") {
  Diagnostics diagnostics;
  for (std::uint32_t i = 0; i < 2 * Diagnostics::limit; ++i) {
    diagnostics.report(Kind::unknown_name, Span{0, i, i + 1}, "x");
  }
  CHECK(diagnostics.full());
  CHECK(diagnostics.all().size() == Diagnostics::limit);
}

TEST_CASE("a label of the primary place becomes its label") {
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{0, 1, 2}, "x")
      .label(Span{0, 1, 2}, "here")
      .label(Span{0, 5, 6}, "there");
  CHECK(diagnostics.all()[0].primary_label == "here");
  REQUIRE(diagnostics.all()[0].labels.size() == 1);
  CHECK(diagnostics.all()[0].labels[0].text == "there");
}

TEST_CASE("diagnostics are shown in the order of their places") {
  Diagnostics diagnostics;
  diagnostics.report(Kind::unknown_name, Span{1, 0, 1}, "c");
  diagnostics.report(Kind::unknown_name, Span{0, 7, 8}, "b");
  diagnostics.report(Kind::unknown_name, Span{0, 2, 3}, "a");
  const auto order = diagnostics.in_order();
  CHECK(order[0]->message == "unknown name `a`");
  CHECK(order[1]->message == "unknown name `b`");
  CHECK(order[2]->message == "unknown name `c`");
}

TEST_CASE("an error can be neither allowed nor denied") {
  Diagnostics diagnostics;
  CHECK_FALSE(diagnostics.allow("E0100"));
  CHECK_FALSE(diagnostics.deny("unknown_name"));
  CHECK(diagnostics.deny("warnings"));
}

TEST_CASE("a warning is allowed or denied by name") {
  const Kind kind = some_warning();
  if (info(kind).severity == Severity::error) return;  // no stage has warnings yet
  const auto add = [&](Diagnostics& d) { d.report(kind, Span{0, 1, 2}, 1, 2, 3, 4, 5, 6); };
  Diagnostics plain, allowed, denied, all, but_one;
  CHECK(allowed.allow(info(kind).code));
  CHECK(denied.deny(info(kind).code));
  CHECK(all.deny("warnings"));
  CHECK(but_one.deny("warnings"));
  CHECK(but_one.allow(info(kind).code));
  for (Diagnostics* d : {&plain, &allowed, &denied, &all, &but_one}) add(*d);
  CHECK((plain.all().size() == 1 && !plain.has_error()));
  CHECK(allowed.all().empty());
  CHECK(denied.has_error());
  CHECK(all.has_error());
  CHECK(but_one.all().empty());
}

TEST_CASE("codes are unique; an error has a number, a warning its name") {
  std::set<std::string_view> codes;
  for (const Kind kind : all_kinds()) {
    const KindInfo& row = info(kind);
    INFO(row.name);
    CHECK(codes.insert(row.code).second);
    if (row.severity == Severity::error) {
      CHECK((row.code.size() == 5 && row.code[0] == 'E'));
    } else {
      std::string name(row.name);
      for (char& c : name) c = c == '_' ? '-' : c;
      CHECK(row.code == name);
    }
  }
}

TEST_CASE("the nearest name is one that may be meant") {
  const std::vector<std::string> names = {"dense", "deconv", "relu", "batchnorm", "D"};
  CHECK(nearest("dnese", names) == "dense");
  CHECK(nearest("Dense", names) == "dense");
  CHECK(nearest("batch_norm", names) == "batchnorm");
  CHECK(nearest("relux", names) == "relu");
  CHECK(nearest("adm", {"ada", "adam"}) == "adam");
  CHECK(nearest("softmax", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("G", names).empty());
  CHECK(nearest("x", {}).empty());
  CHECK(nearest("convv", {"convs", "conv"}) == "conv");  // a letter doubled, not replaced
  CHECK(nearest("tahn", {"tain", "tanh"}) == "tanh");    // two swapped
  CHECK(nearest("bar", {"car", "bay"}) == "bay");        // alike at the beginning
  CHECK(nearest("bax", {"bay", "bat"}) == "bay");        // nothing to choose by: the first
}

TEST_CASE("every kind of syntax error is explained, with a title") {
  for (const Kind kind : all_kinds()) {
    const std::string_view code = info(kind).code;
    if (code >= "E0100" || !code.starts_with("E0")) continue;
    INFO(code);
    CHECK(explain(code).starts_with(fmt::format("# {}: ", code)));
  }
  CHECK(explain("e0010") == explain("E0010"));
  CHECK(explain("E9999").empty());
  CHECK(explain_list().find("E0010  a bracket is not closed\n") != std::string::npos);
}

}  // namespace
}  // namespace ganc
