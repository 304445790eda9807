#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include "tests/unit/elaborate/elaborated.h"

namespace ganc::testing {
namespace {

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(GANC_TESTS "/programs")) {
    if (entry.path().extension() == ".gan") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    // The large ones take a second each: their constructs stand in the small ones too.
    if (std::filesystem::file_size(path) < 1500) texts.push_back(read_text(path));
  }
  return texts;
}

// A word, number or sign of the text.
std::pair<std::size_t, std::size_t> token_at(const std::string& text, std::size_t at) {
  const auto word = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_');
  };
  std::size_t begin = at, end = at + 1;
  if (word(at)) {
    while (begin > 0 && word(begin - 1)) --begin;
    while (word(end)) ++end;
  }
  return {begin, end - begin};
}

std::string mutate(std::mt19937& random, std::string text, const std::string& other) {
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  static const std::vector<std::string> words = {"0",
                                                 "-1",
                                                 "1e9",
                                                 "2.5",
                                                 "64",
                                                 "x",
                                                 "z",
                                                 "G",
                                                 "D",
                                                 "E",
                                                 "[",
                                                 "]",
                                                 "(",
                                                 ")",
                                                 "{",
                                                 "}",
                                                 "->",
                                                 "..",
                                                 "^",
                                                 "@",
                                                 "none",
                                                 "true",
                                                 "training",
                                                 "step",
                                                 "let",
                                                 "state",
                                                 "noise",
                                                 "param",
                                                 "update",
                                                 "if",
                                                 "for",
                                                 "fn",
                                                 "grad",
                                                 "stop",
                                                 "descend",
                                                 "all_samples",
                                                 "each_sample",
                                                 "weights",
                                                 "class[3]",
                                                 "shape(x)",
                                                 "with equalized",
                                                 "as a",
                                                 "5 times",
                                                 "every 2 steps"};
  for (std::size_t n = 1 + pick(3); n > 0 && !text.empty(); --n) {
    const auto [begin, length] = token_at(text, pick(text.size()));
    switch (pick(5)) {
      case 0:
        text.erase(begin, length);
        break;
      case 1:
        text.insert(begin, words[pick(words.size())] + " ");
        break;
      case 2:
        text.replace(begin, length, words[pick(words.size())]);
        break;
      case 3: {  // a piece of another program, or of this one
        const auto [from, count] = token_at(other, pick(other.size()));
        text.replace(begin, length, other.substr(from, count));
        break;
      }
      default: {  // a line twice, or moved
        const std::size_t line =
            text.rfind('\n', begin) == std::string::npos ? 0 : text.rfind('\n', begin) + 1;
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string copy = text.substr(line, end - line) + "\n";
        text.insert(text.rfind('\n', pick(text.size())) + 1, copy);
        break;
      }
    }
  }
  return text;
}

TEST_CASE("a mutated program gets diagnostics: no crash, no hang") {
  const char* given = std::getenv("GANC_FUZZ_COUNT");
  const int count = given ? std::atoi(given) : 500;
  const char* seed_given = std::getenv("GANC_FUZZ_SEED");
  const unsigned seed = seed_given ? static_cast<unsigned>(std::atoi(seed_given)) : 1;
  WARN("seed " << seed << ", " << count << " mutations");
  const std::vector<std::string> texts = corpus();
  REQUIRE(texts.size() > 10);
  std::mt19937 random(seed);
  double slowest = 0;
  for (int i = 0; i < count; ++i) {
    const auto pick = [&] {
      return texts[std::uniform_int_distribution<std::size_t>(0, texts.size() - 1)(random)];
    };
    const std::string text = mutate(random, pick(), pick());
    if (std::getenv("GANC_FUZZ_KEEP")) std::ofstream(std::getenv("GANC_FUZZ_KEEP")) << text;
    const std::clock_t start = std::clock();
    const Elaborated e(text, {}, GANC_TESTS "/programs/mutated.gan");
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    slowest = std::max(slowest, seconds);
    for (const Diagnostic& d : e.diagnostics.all())
      CHECK_FALSE(render(d, e.sources, false).empty());
    if (seconds > 60) FAIL_CHECK("took " << seconds << " s:\n" << text);
  }
  CHECK(slowest < 60);
}

}  // namespace
}  // namespace ganc::testing
