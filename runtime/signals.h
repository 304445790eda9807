#pragma once

namespace ganc::runtime {

// From here on, writing past the limit on the size of files and into a closed pipe are errors, not
// the end.
void ignore_failed_writes();
// From here on the first SIGINT, SIGTERM or SIGHUP is remembered, and a second SIGINT or SIGTERM
// ends the process at once. SIGHUP stays ignored where it was (nohup).
void remember_stop();
// 0, or the exit code of the signal that came: 130, 143, 129.
int stop_requested();

}  // namespace ganc::runtime
