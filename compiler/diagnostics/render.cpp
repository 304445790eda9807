#include <algorithm>
#include <array>
#include <map>

#include "compiler/diagnostics/diagnostics.h"

namespace ganc {
namespace {

// What is underlined in one line: columns of the line as it is shown, 0-based, end excluded.
struct Underline {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool primary = false;
  std::string text;
};

struct ShownLine {
  std::uint32_t offset = 0;  // of its first byte
  std::vector<Underline> underlines;
};
using ShownLines = std::map<std::uint32_t, ShownLine>;  // by line number

constexpr std::size_t shown_width = 160;

enum class Paint { none, error, warning, frame, strong };

std::string paint(std::string_view text, Paint paint, bool colour) {
  constexpr std::array<std::string_view, 5> codes = {"", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m",
                                                     "\x1b[1m"};
  if (!colour || paint == Paint::none || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", codes[static_cast<std::size_t>(paint)], text);
}

// A line as a terminal can show it: a tab is four spaces, what cannot be shown is U+FFFD. `column`
// gives for each byte of `line`, and its end, the column where it is shown.
std::string visible(std::string_view line, std::vector<std::size_t>* column) {
  std::string shown;
  std::size_t at = 0;
  for (std::size_t i = 0; i < line.size();) {
    const auto first = static_cast<unsigned char>(line[i]);
    std::size_t length = first < 0x80   ? 1
                         : first < 0xC2 ? 0
                         : first < 0xE0 ? 2
                         : first < 0xF0 ? 3
                         : first < 0xF5 ? 4
                                        : 0;
    for (std::size_t k = 1; k < length; ++k) {
      if (i + k >= line.size() || (static_cast<unsigned char>(line[i + k]) & 0xC0) != 0x80)
        length = 0;
    }
    const bool control =
        first < 0x20 || first == 0x7F ||
        (first == 0xC2 && length == 2 && static_cast<unsigned char>(line[i + 1]) < 0xA0);
    const std::size_t bytes = std::max<std::size_t>(length, 1);
    column->insert(column->end(), bytes, at);
    if (first == '\t') {
      shown += "    ";
      at += 4;
    } else {
      shown += length == 0 || control ? "\xEF\xBF\xBD" : std::string(line.substr(i, bytes));
      at += 1;
    }
    i += bytes;
  }
  column->push_back(at);
  return shown;
}

// The text of a message, note or label: it may quote the program.
std::string visible(std::string_view text) {
  std::vector<std::size_t> columns;
  std::string shown;
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    shown += visible(text.substr(begin, end - begin), &columns);
    if (end == text.size()) return shown;
    shown += '\n';
    begin = end + 1;
  }
}

void underline(const Sources& sources, std::uint32_t file, std::uint32_t begin, std::uint32_t end,
               bool primary, std::string_view text, ShownLines* lines) {
  const std::string_view line = sources.line(file, begin);
  const auto start = static_cast<std::uint32_t>(line.data() - sources.text(file).data());
  std::vector<std::size_t> column;
  visible(line, &column);
  const auto at = [&](std::uint32_t offset) {
    return column[std::min<std::size_t>(offset - start, line.size())];
  };
  ShownLine& shown = (*lines)[sources.position(file, begin).line];
  shown.offset = start;
  const std::size_t first = at(begin);
  shown.underlines.push_back({first, std::max(at(end), first + 1), primary, visible(text)});
}

// A place of several lines is shown by its first and its last line.
void underline(const Sources& sources, Span span, bool primary, std::string_view text,
               ShownLines* lines) {
  const auto size = static_cast<std::uint32_t>(sources.text(span.file).size());
  const std::uint32_t begin = std::min(span.begin, size);
  const std::uint32_t end = std::clamp(span.end, begin, size);
  const std::uint32_t last = end > begin ? end - 1 : begin;
  const std::uint32_t first_line = sources.position(span.file, begin).line;
  if (first_line == sources.position(span.file, last).line) {
    underline(sources, span.file, begin, end, primary, text, lines);
    return;
  }
  const auto start_of = [&](std::uint32_t offset) {
    return static_cast<std::uint32_t>(sources.line(span.file, offset).data() -
                                      sources.text(span.file).data());
  };
  const auto first_end =
      start_of(begin) + static_cast<std::uint32_t>(sources.line(span.file, begin).size());
  underline(sources, span.file, begin, first_end, primary, "from here ...", lines);
  std::uint32_t from = start_of(last);
  while (from < last &&
         (sources.text(span.file)[from] == ' ' || sources.text(span.file)[from] == '\t')) {
    ++from;
  }
  underline(sources, span.file, from, end, primary,
            text.empty() ? "... to here" : fmt::format("... to here: {}", text), lines);
}

class Renderer {
 public:
  Renderer(const Diagnostic& diagnostic, const Sources& sources, bool colour)
      : diagnostic_(diagnostic), sources_(sources), colour_(colour) {}

  std::string run() {
    const bool is_error = diagnostic_.severity == Severity::error;
    main_ = is_error ? Paint::error : Paint::warning;
    const std::string_view code = info(diagnostic_.kind).code;
    out_ = paint(fmt::format("{}[{}]", is_error ? "error" : "warning", code), main_, colour_);
    out_ += paint(fmt::format(": {}", visible(diagnostic_.message)), Paint::strong, colour_) + "\n";
    places();
    for (const std::string& note : diagnostic_.notes) remark("note", note);
    for (const Fix& fix : diagnostic_.fixes) remark("help", with_place(fix));
    return std::move(out_);
  }

 private:
  // The primary file first, then the others in the order of their labels.
  void places() {
    std::vector<std::uint32_t> files;
    std::map<std::uint32_t, ShownLines> lines;
    std::map<std::uint32_t, Span> heads;
    const auto add = [&](Span span, bool primary, std::string_view text) {
      if (!span.known()) return;
      if (!lines.contains(span.file)) {
        files.push_back(span.file);
        heads[span.file] = span;
      }
      underline(sources_, span, primary, text, &lines[span.file]);
    };
    add(diagnostic_.span, true, diagnostic_.primary_label);
    for (const Label& label : diagnostic_.labels) add(label.span, false, label.text);
    for (const auto& [file, shown] : lines) {
      width_ = std::max(width_, fmt::formatted_size("{}", shown.rbegin()->first));
    }
    for (const std::uint32_t file : files) {
      const Position at = sources_.position(file, heads[file].begin);
      out_ += std::string(width_, ' ') +
              paint(file == files[0] ? "--> " : "::: ", Paint::frame, colour_);
      out_ += fmt::format("{}:{}:{}\n", visible(sources_.name(file)), at.line, at.column);
      gutter("");
      out_ += "\n";
      show(file, lines[file]);
    }
  }

  void gutter(std::string_view number) {
    out_ += paint(fmt::format("{:>{}} |", number, width_), Paint::frame, colour_);
  }

  void show(std::uint32_t file, ShownLines& lines) {
    std::uint32_t before = 0;
    for (auto& [number, line] : lines) {
      if (before != 0 && number > before + 2) {
        out_ += paint("...", Paint::frame, colour_) + "\n";
      } else if (before != 0 && number == before + 2) {
        source_line(file, line.offset - 1, number - 1, {});
      }
      // The place itself first, then what explains it.
      std::stable_partition(line.underlines.begin(), line.underlines.end(),
                            [](const Underline& u) { return u.primary; });
      source_line(file, line.offset, number, line.underlines);
      before = number;
    }
  }

  void source_line(std::uint32_t file, std::uint32_t offset, std::uint32_t number,
                   const std::vector<Underline>& underlines) {
    std::vector<std::size_t> columns;
    const std::string_view line = sources_.line(file, offset);
    std::string shown = visible(line, &columns);
    const std::size_t cut = window(line, columns, underlines, &shown);
    gutter(std::to_string(number));
    out_ += shown.empty() ? "\n" : " " + shown + "\n";
    for (const Underline& u : underlines) {
      const std::size_t begin = u.begin - std::min(cut, u.begin);
      const std::size_t end =
          std::clamp(u.end - std::min(cut, u.end), begin + 1, begin + shown_width);
      gutter("");
      std::string mark(end - begin, u.primary ? '^' : '-');
      if (!u.text.empty()) mark += " " + u.text;
      out_ += std::string(begin + 1, ' ') + paint(mark, u.primary ? main_ : Paint::frame, colour_) +
              "\n";
    }
  }

  // Leaves of a very long line what is around its first underline; how many columns went before.
  static std::size_t window(std::string_view line, const std::vector<std::size_t>& columns,
                            const std::vector<Underline>& underlines, std::string* shown) {
    if (columns.back() <= shown_width) return 0;
    const std::size_t wanted = underlines.empty() ? 0 : underlines[0].begin;
    const std::size_t from = wanted < shown_width / 2 ? 0 : wanted - shown_width / 2;
    const auto byte_at = [&](std::size_t column) {
      return static_cast<std::size_t>(std::lower_bound(columns.begin(), columns.end(), column) -
                                      columns.begin());
    };
    const std::size_t begin = byte_at(from);
    const std::size_t end = std::min(byte_at(from + shown_width), line.size());
    std::vector<std::size_t> ignored;
    *shown = visible(line.substr(begin, end - begin), &ignored);
    return columns[begin];
  }

  void remark(std::string_view what, std::string_view text) {
    out_ += std::string(width_ + 1, ' ') + paint("=", Paint::frame, colour_) + " ";
    out_ += paint(fmt::format("{}: ", what), Paint::strong, colour_);
    const std::string indent = "\n" + std::string(width_ + 3 + what.size() + 2, ' ');
    for (const char c : visible(text)) c == '\n' ? out_ += indent : out_ += c;
    out_ += "\n";
  }

  // A fix for another line than the diagnostic's says where.
  std::string with_place(const Fix& fix) const {
    if (!fix.span.known()) return fix.message;
    const Position at = sources_.position(fix.span.file, fix.span.begin);
    const bool here = diagnostic_.span.known() && diagnostic_.span.file == fix.span.file &&
                      sources_.position(fix.span.file, diagnostic_.span.begin).line == at.line;
    if (here) return fix.message;
    return fmt::format("{}, at {}:{}:{}", fix.message, sources_.name(fix.span.file), at.line,
                       at.column);
  }

  const Diagnostic& diagnostic_;
  const Sources& sources_;
  bool colour_;
  Paint main_ = Paint::error;
  std::size_t width_ = 1;
  std::string out_;
};

}  // namespace

std::string render(const Diagnostic& diagnostic, const Sources& sources, bool colour) {
  return Renderer(diagnostic, sources, colour).run();
}

}  // namespace ganc
