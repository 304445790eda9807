#pragma once

namespace ganc::runtime {

// From here on the first SIGINT or SIGTERM is remembered, and a second one ends the process at
// once; writing past the limit on the size of files and into a closed pipe are errors, not the end.
void handle_signals();
// 0, or the exit code of the signal that came: 130, 143.
int stop_requested();

}  // namespace ganc::runtime
