#include <csignal>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <unistd.h>

#include "compiler/driver/command.h"

namespace {

void write_error(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

// An abort, a fault or a stack overflow is a bug of ours, never the user's: exit code 70, and what
// to do about it.
void report_bug(int) {
  write_error(
      "ganc: this is a bug of ganc, not of your program. Please report it with the lines above, "
      "the output of\n"
      "`ganc --version`, the command and the .gan file. `-O0` may avoid it.\n");
  _exit(70);
}

void catch_faults() {
  static char memory[1 << 16];
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = sizeof memory;
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = report_bug;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the length of files is an error of the write
}

}  // namespace

int main(int count, char** words) {
  catch_faults();
  try {
    return ganc::run_command(std::vector<std::string>(words + 1, words + count));
  } catch (const std::bad_alloc&) {
    write_error("ganc: out of memory\n");
    return 1;
  }
}
