#include "runtime/signals.h"

#include <unistd.h>

#include <csignal>

namespace ganc::runtime {
namespace {

volatile std::sig_atomic_t received = 0;

void remember(int signal) {
  // A terminal that goes sends several: they must not cost the state.
  if (received != 0 && signal != SIGHUP) _exit(128 + signal);
  if (received == 0) received = signal;
}

}  // namespace

void ignore_failed_writes() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

void remember_stop() {
  received = 0;
  struct sigaction action{};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;  // no system call of ours fails because of it
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction before{};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
}

int stop_requested() {
  return received == 0 ? 0 : 128 + received;
}

}  // namespace ganc::runtime
