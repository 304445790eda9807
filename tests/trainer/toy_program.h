#pragma once

#include <string>

#include "runtime/abi.h"

// A program as the compiler would make it, by hand: kernels in C++ and a description, for tests of
// the runtime alone.
//
//   data x: [2] from ring(samples = 64)      noise z: [2] ~ normal
//   G(z) = w * z + b        D(x) = v . x      (w, b, v: [2])
//   D minimizes E[D(G(z))] - E[D(x)] + |v|^2 / 2, 2 times       momentum 0.5, rate 0.1
//   G minimizes -E[D(G(z))]
//   every 3 steps { R minimizes |v|^2 }  (v shrinks by a tenth)
//   output samples = G(z)
//
// Batch 8; D.v lies strided in the arena, data/x batch innermost.
struct ToyOptions {
  double epochs = 3;        // 4 iterations an epoch
  bool two_blocks = false;  // two blocks of 5 steps in place of the epochs
  std::string isa;          // a variant alone, in place of x86-64-v3 and v4
  std::string data = "ring";
  int samples = 64;  // of the data
  std::string model_hash = "toy-hash";
  int diverge_at = -1;          // `step` in which the gradient of G.w becomes infinite
  int slow_us = 0;              // of an iteration
  int classes = 0;              // that the noise of the output is said to have
  bool output_of_data = false;  // samples = G(x)
};

// Reads TOY_EPOCHS, TOY_BLOCKS, TOY_ISA, TOY_HASH, TOY_SAMPLES, TOY_DIVERGE_AT, TOY_SLOW_US,
// TOY_CLASSES, TOY_OUTPUT_OF_DATA.
ToyOptions toy_options_from_environment();

// Lives until the process ends.
const GancProgram& toy_program(const ToyOptions& options);
// The description alone, to be damaged.
std::string toy_description(const ToyOptions& options);
// The same program with another description.
const GancProgram& toy_program_with(const std::string& description);
