#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi.h"
#include "runtime/result.h"

namespace ganc::runtime {

// What the CPU lacks for an instruction set ("x86-64-v3"), in people's words; empty: nothing. An
// unknown name lacks itself.
std::vector<std::string> missing_features(std::string_view isa);

// The variant of the program to run: the most demanding that the CPU has, or the one named by
// --cpu.
Result<const GancVariant*> choose_variant(const GancProgram& program, std::string_view forced);

// "Intel(R) Xeon(R) Processor", as the CPU calls itself.
std::string cpu_name();

// The CPUs that this process may use: its affinity, and the quota of its control group rounded up.
unsigned usable_cpus();

// The largest resident size of this process so far, in bytes; 0 where /proc is not mounted.
std::uint64_t peak_resident_bytes();

}  // namespace ganc::runtime
