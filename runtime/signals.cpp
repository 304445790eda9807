#include "runtime/signals.h"

#include <unistd.h>

#include <csignal>

namespace ganc::runtime {
namespace {

volatile std::sig_atomic_t received = 0;

void remember(int signal) {
  if (received != 0) _exit(128 + signal);
  received = signal;
}

}  // namespace

void handle_signals() {
  received = 0;
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;  // no system call of ours fails because of it
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

int stop_requested() {
  return received == 0 ? 0 : 128 + received;
}

}  // namespace ganc::runtime
