#pragma once

namespace ganc {

// From here on AMX's tile instructions work on a CPU without them: each raises an illegal
// instruction, which a handler carries out on eight registers of the thread. Any other illegal
// instruction, or tiles that were not configured as 16 rows of 64 bytes, go to the handler before.
// Catch sets its own handler when a test case begins.
void emulate_tiles();

}  // namespace ganc
