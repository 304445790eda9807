#pragma once

#include <string>
#include <string_view>

#include "runtime/json.h"
#include "runtime/result.h"

namespace ganc::runtime {

// What the user sees: results on standard output, all else on standard error. A bar and colours
// only on a terminal, and never where NO_COLOR is set.
class Console {
 public:
  explicit Console(bool json);

  bool json() const { return json_; }
  bool on_terminal() const { return terminal_; }
  // A line of progress or a message.
  void note(std::string_view line);
  void warn(std::string_view message);
  // Replaces the last bar; only on a terminal.
  void bar(std::string_view text);
  void end_bar();
  // To standard output, as it stands. False where it cannot be written, and then `out_error` is
  // why.
  bool out(std::string_view text);
  bool out_json(const Json& document) { return out(document.dump() + "\n"); }
  // The errno of the first text that standard output did not take; 0: it took all.
  int out_error() const { return out_error_; }
  // The failure as a message, and with JSON as a document of one diagnostic.
  void report(const Failure& failure);

 private:
  bool json_, terminal_, color_, bar_shown_ = false;
  int out_error_ = 0;
};

// Columns of the terminal, or 80.
int terminal_width();

}  // namespace ganc::runtime
