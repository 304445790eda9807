#include "toy_program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <list>
#include <vector>

namespace {

constexpr int batch = 8, drawn = 16;
int diverge_at = -1, slow_us = 0;

// Offsets of the variables, then of the work space.
enum Offset {
  w = 0,
  b = 64,
  v = 128,
  m_v = 192,
  m_w = 256,
  seen = 320,
  persistent = 384,
  step = 384,
  epoch = 448,
  progress = 512,
  seed = 576,
  random_step = 640,
  x0 = 704,
  x1 = 768,
  z0 = 832,
  z1 = 896,
  z2 = 960,
  fake = 1024,
  loss0 = 1088,
  loss1 = 1152,
  loss_g = 1216,
  loss_r = 1280,
  grad0 = 1344,
  grad1 = 1408,
  grad_w = 1472,
  grad_b = 1536,
  norm0 = 1600,
  norm1 = 1664,
  norm_g = 1728,
  guard = 1792,
  gap = 1856,
  out_z = 1920,
  out = 2048,
  arena_bytes = 2176,
};

float* at(char* arena, std::int64_t offset) {
  return reinterpret_cast<float*>(arena + offset);
}

float gaussian(char* arena, const std::int64_t* o, std::int64_t stream, std::int64_t element) {
  const auto* s = reinterpret_cast<const std::uint32_t*>(arena + o[0]);
  const auto n = *reinterpret_cast<const std::uint32_t*>(arena + o[1]);
  std::uint64_t x = s[0] + (std::uint64_t{s[1]} << 32) + n * 0x9E3779B97F4A7C15ULL +
                    static_cast<std::uint64_t>(stream * 1000 + element) * 0xD1B54A32D192ED03ULL;
  float sum = -2;
  for (int i = 0; i < 4; ++i) {
    x = (x ^ x >> 31) * 0xBF58476D1CE4E5B9ULL + 1;
    sum += static_cast<float>(x >> 40) * 0x1p-24F;
  }
  return sum * 1.7F;
}

// draw: seed, random_step, z [n, 2]; one unit a sample. The stream is the kernel's.
template <int stream>
void draw(char* arena, const std::int64_t* o, std::int64_t begin, std::int64_t end, char*) {
  for (std::int64_t i = begin; i < end; ++i)
    for (int k = 0; k < 2; ++k) at(arena, o[2])[2 * i + k] = gaussian(arena, o, stream, 2 * i + k);
}
// generate: w, b, z, fake; one unit a sample.
void generate(char* arena, const std::int64_t* o, std::int64_t begin, std::int64_t end,
              char* scratch) {
  for (std::int64_t i = begin; i < end; ++i)
    for (int k = 0; k < 2; ++k) {
      reinterpret_cast<float*>(scratch)[k] = at(arena, o[0])[k] * at(arena, o[2])[2 * i + k];
      at(arena, o[3])[2 * i + k] = reinterpret_cast<float*>(scratch)[k] + at(arena, o[1])[k];
    }
}
// critic: v (stride 2), fake, x (batch innermost), loss, grad, norm
void critic(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  float loss = 0, norm = 0;
  for (int k = 0; k < 2; ++k) {
    float difference = 0;
    for (int i = 0; i < batch; ++i)
      difference += at(arena, o[1])[2 * i + k] - at(arena, o[2])[batch * k + i];
    difference /= batch;
    const float vk = at(arena, o[0])[2 * k];
    loss += vk * difference + vk * vk / 2;
    at(arena, o[4])[k] = difference + vk;
    norm += (difference + vk) * (difference + vk);
  }
  *at(arena, o[3]) = loss;
  *at(arena, o[5]) = std::sqrt(norm);
}
// update_v: v, m, grad, seen
void update_v(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  for (int k = 0; k < 2; ++k) {
    float& m = at(arena, o[1])[k];
    m = 0.5F * m + at(arena, o[2])[k];
    at(arena, o[0])[2 * k] -= 0.1F * m;
  }
  *at(arena, o[3]) += batch;
}
// generator: v, fake, z, step, loss, grad_w, grad_b, norm
void generator(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  if (slow_us > 0) usleep(static_cast<useconds_t>(slow_us));
  float loss = 0, norm = 0;
  for (int k = 0; k < 2; ++k) {
    float sum_fake = 0, sum_z = 0;
    for (int i = 0; i < batch; ++i) {
      sum_fake += at(arena, o[1])[2 * i + k];
      sum_z += at(arena, o[2])[2 * i + k];
    }
    const float vk = at(arena, o[0])[2 * k];
    loss -= vk * sum_fake / batch;
    at(arena, o[5])[k] = -vk * sum_z / batch;
    at(arena, o[6])[k] = -vk;
    norm += vk * vk;
  }
  if (*reinterpret_cast<const double*>(arena + o[3]) == diverge_at) at(arena, o[5])[0] = INFINITY;
  *at(arena, o[4]) = loss;
  *at(arena, o[7]) = std::sqrt(norm);
}
// update_g: w, b, m, grad_w, grad_b
void update_g(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  for (int k = 0; k < 2; ++k) {
    float& m = at(arena, o[2])[k];
    m = 0.5F * m + at(arena, o[3])[k];
    at(arena, o[0])[k] -= 0.1F * m;
    at(arena, o[1])[k] -= 0.1F * at(arena, o[4])[k];
  }
}
// every: step, guard
void every(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  arena[o[1]] = static_cast<long>(*reinterpret_cast<const double*>(arena + o[0])) % 3 == 0;
}
// shrink: v, loss
void shrink(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  float loss = 0;
  for (int k = 0; k < 2; ++k) {
    float& vk = at(arena, o[0])[2 * k];
    loss += vk * vk;
    vk *= 0.9F;
  }
  *at(arena, o[1]) = loss;
}
// watch: v, fake, gap
void watch(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  *at(arena, o[2]) = at(arena, o[0])[0] - at(arena, o[1])[0];
}
// init: seed, random_step, w, b, v, m_v, m_w, seen
void init(char* arena, const std::int64_t* o, std::int64_t, std::int64_t, char*) {
  for (int k = 0; k < 2; ++k) {
    at(arena, o[2])[k] = gaussian(arena, o, 100, k);
    at(arena, o[3])[k] = 0;
    at(arena, o[4])[2 * k] = gaussian(arena, o, 101, k);
    at(arena, o[5])[k] = at(arena, o[6])[k] = 0;
  }
  *at(arena, o[7]) = 0;
}

const GancKernel kernels[] = {draw<0>,   draw<1>,  draw<2>, draw<3>, generate, critic, update_v,
                              generator, update_g, every,   shrink,  watch,    init};
enum Kernel {
  k_draw0,
  k_draw1,
  k_draw2,
  k_draw3,
  k_generate,
  k_critic,
  k_update_v,
  k_generator,
  k_update_g,
  k_every,
  k_shrink,
  k_watch,
  k_init,
  kernel_count
};

using fmt::format;

std::string binding(const std::string& name, const char* dtype, std::vector<int> shape,
                    std::vector<int> strides, int offset, int bytes = 64,
                    const std::string& more = "") {
  return format(
      R"({{"name": "{}", "dtype": "{}", "shape": [{}], "strides": [{}], "offset": {}, "bytes": {}{}}})",
      name, dtype, fmt::join(shape, ", "), fmt::join(strides, ", "), offset, bytes, more);
}
std::string call(int kernel, int units, std::vector<int> offsets, const char* op, const char* path,
                 int line, std::vector<int> guards = {}, int draw_index = -1) {
  return format(
      R"({{"kernel": {}, "units": {}, "offsets": [{}], "guards": [{}], "draw": {}, "op": "{}", "path": "{}", )"
      R"("line": "toy.gan:{}", "others": [{}], "flop": 100, "operations": 50, "traffic": [64, 0, 0]}})",
      kernel, units, fmt::join(offsets, ", "), fmt::join(guards, ", "), draw_index, op, path, line,
      std::string_view(op) == "divide" ? "1, 0" : "");
}
std::string list(const std::vector<std::string>& items) {
  return format("[{}]", fmt::join(items, ",\n"));
}
std::string program(const char* name, std::vector<std::string> calls,
                    std::vector<std::string> inputs, std::vector<std::string> results,
                    std::vector<std::string> draws) {
  return format(R"({{"name": "{}", "calls": {}, "inputs": {}, "results": {}, "draws": {}}})", name,
                list(calls), list(inputs), list(results), list(draws));
}

std::vector<std::string> counters() {
  return {binding("step", "f64", {}, {}, step), binding("epoch", "f64", {}, {}, epoch),
          binding("progress", "f64", {}, {}, progress), binding("seed", "u32", {2}, {1}, seed),
          binding("random_step", "u32", {}, {}, random_step)};
}
std::string draw_of(const char* name, int offset, int calls, int rows = batch, int classes = 0) {
  return binding(
      name, "f32", {rows, 2}, {2, 1}, offset, rows * 8,
      format(
          R"(, "call": {}, "distribution": "normal", "classes": {}, "stream": {}, "line": "toy.gan:2")",
          calls, classes, calls));
}
std::string after(int calls) {
  return format(R"(, "after": {})", calls);
}

std::string variables() {
  const auto variable = [](const char* name, const char* kind, const char* net, const char* weight,
                           std::vector<int> shape, std::vector<int> strides, int offset) {
    return binding(
        name, "f32", shape, strides, offset, 64,
        format(R"(, "kind": "{}", "net": "{}", "weight": "{}", "from": "", "trained": {})", kind,
               net, weight, std::string(kind) == "weight"));
  };
  return list({variable("G.w", "weight", "G", "", {2}, {1}, w),
               variable("G.b", "weight", "G", "", {2}, {1}, b),
               variable("D.v", "weight", "D", "", {2}, {2}, v),
               variable("D.seen", "state", "D", "", {}, {}, seen),
               variable("slot/D/D.v/m", "slot", "", "D.v", {2}, {1}, m_v),
               variable("slot/G/G.w/m", "slot", "", "G.w", {2}, {1}, m_w)});
}

std::string iteration() {
  std::vector<std::string> inputs = counters();
  inputs.push_back(binding("data/x", "f32", {batch, 2}, {1, batch}, x0));
  inputs.push_back(binding("data/D#1/x", "f32", {batch, 2}, {1, batch}, x1));
  const auto scalar = [](const char* name, int offset, int call_index) {
    return binding(name, "f32", {}, {}, offset, 64, after(call_index));
  };
  return program(
      "iteration",
      {call(k_draw0, batch, {seed, random_step, z0}, "random_bits", "", 2, {}, 0),
       call(k_generate, batch, {w, b, z0, fake}, "multiply", "G", 3),
       call(k_critic, 1, {v, fake, x0, loss0, grad0, norm0}, "reduce_sum", "D", 5),
       call(k_update_v, 1, {v, m_v, grad0, seen}, "subtract", "", 5),
       call(k_draw1, batch, {seed, random_step, z1}, "random_bits", "", 2, {}, 1),
       call(k_generate, batch, {w, b, z1, fake}, "multiply", "G", 3),
       call(k_critic, 1, {v, fake, x1, loss1, grad1, norm1}, "reduce_sum", "D", 5),
       call(k_update_v, 1, {v, m_v, grad1, seen}, "subtract", "", 5),
       call(k_draw2, batch, {seed, random_step, z2}, "random_bits", "", 2, {}, 2),
       call(k_generate, batch, {w, b, z2, fake}, "multiply", "G", 3),
       call(k_generator, 1, {v, fake, z2, step, loss_g, grad_w, grad_b, norm_g}, "divide",
            "D.critic", 6),
       call(k_update_g, 1, {w, b, m_w, grad_w, grad_b}, "subtract", "", 6),
       call(k_every, 1, {step, guard}, "compare", "", 7),
       call(k_shrink, 1, {v, loss_r}, "multiply", "", 7, {guard}),
       call(k_watch, 1, {v, fake, gap}, "subtract", "", 8)},
      inputs,
      {scalar("loss/D#0", loss0, 2), scalar("loss/D#1", loss1, 6), scalar("loss/G", loss_g, 10),
       scalar("loss/R", loss_r, 13), scalar("grad_norm/D#0", norm0, 2),
       scalar("grad_norm/D#1", norm1, 6), scalar("grad_norm/G", norm_g, 10),
       scalar("watch/gap", gap, 14), binding("ran/R", "pred", {}, {}, guard, 64, after(12)),
       binding("grad/D#0/D.v", "f32", {2}, {1}, grad0, 64, after(2)),
       binding("grad/D#1/D.v", "f32", {2}, {1}, grad1, 64, after(6)),
       binding("grad/G/G.w", "f32", {2}, {1}, grad_w, 64, after(10)),
       binding("grad/G/G.b", "f32", {2}, {1}, grad_b, 64, after(10))},
      {draw_of("draw/D#0/z", z0, 0), draw_of("draw/D#1/z", z1, 4), draw_of("draw/G/z", z2, 8)});
}

std::string samples(const ToyOptions& options) {
  std::vector<std::string> inputs = counters();
  const std::string generated = call(k_generate, drawn, {w, b, out_z, out}, "multiply", "G", 3);
  const auto result = [](int calls) {
    return binding("out/0", "f32", {drawn, 2}, {2, 1}, out, 128, after(calls));
  };
  if (options.output_of_data) {
    inputs.push_back(binding("data/x", "f32", {drawn, 2}, {2, 1}, out_z, 128));
    return program("samples", {generated}, inputs, {result(0)}, {});
  }
  return program(
      "samples",
      {call(k_draw3, drawn, {seed, random_step, out_z}, "random_bits", "", 2, {}, 0), generated},
      inputs, {result(1)}, {draw_of("draw/samples/z", out_z, 0, drawn, options.classes)});
}

std::string programs(const ToyOptions& options) {
  std::vector<std::string> inputs = counters(), arguments = counters(), data = counters();
  arguments.push_back(binding("arg/z", "f32", {batch, 2}, {2, 1}, z0));
  data.push_back(binding("data/x", "f32", {batch, 2}, {1, batch}, x0));
  return list(
      {program("init",
               {call(k_init, 1, {seed, random_step, w, b, v, m_v, m_w, seen}, "init", "", 1)},
               inputs, {}, {}),
       iteration(), samples(options),
       program("forward/G", {call(k_generate, batch, {w, b, z0, fake}, "multiply", "G", 3)},
               arguments, {binding("out", "f32", {batch, 2}, {2, 1}, fake, 64, after(0))}, {}),
       program("grad/D",
               {call(k_draw0, batch, {seed, random_step, z0}, "random_bits", "", 2, {}, 0),
                call(k_generate, batch, {w, b, z0, fake}, "multiply", "G", 3),
                call(k_critic, 1, {v, fake, x0, loss0, grad0, norm0}, "reduce_sum", "D", 5)},
               data,
               {binding("loss/D", "f32", {}, {}, loss0, 64, after(2)),
                binding("grad/D/D.v", "f32", {2}, {1}, grad0, 64, after(2))},
               {draw_of("draw/D/z", z0, 0)})});
}

std::string trains(const ToyOptions& options) {
  const auto train = [](const char* name, double count, const char* unit) {
    return format(
        R"({{"name": "{}", "count": {}, "unit": "{}", "batch": {}, "seed": -1, "program": 1, "updates": [
{{"name": "D#0", "players": ["D"], "weights": ["D.v"], "maximize": false, "line": "toy.gan:5"}},
{{"name": "D#1", "players": ["D"], "weights": ["D.v"], "maximize": false, "line": "toy.gan:5"}},
{{"name": "G", "players": ["G"], "weights": ["G.w", "G.b"], "maximize": false, "line": "toy.gan:6"}},
{{"name": "R", "players": ["D"], "weights": ["D.v"], "maximize": false, "line": "toy.gan:7"}}],
"sources": [{{"source": 0, "batches": 2}}], "watches": ["gap"]}})",
        name, count, unit, batch);
  };
  if (options.two_blocks) return list({train("first", 5, "steps"), train("second", 5, "steps")});
  return list({train("", options.epochs, "epochs")});
}

// "rrw": how each buffer of a kernel is used; all are f32 but those that are given otherwise.
std::string kernel_list() {
  struct Buffer {
    const char* dtype;
    int elements;
    bool written, read;
  };
  const Buffer f2r{"f32", 2, false, true}, f2w{"f32", 2, true, false}, f2rw{"f32", 2, true, true},
      f1w{"f32", 1, true, false}, f1rw{"f32", 1, true, true}, v3w{"f32", 3, true, false},
      v3rw{"f32", 3, true, true}, v3r{"f32", 3, false, true}, seed2{"u32", 2, false, true},
      u1{"u32", 1, false, true}, z{"f32", 16, false, true}, zw{"f32", 16, true, false},
      d1{"f64", 1, false, true}, p1{"pred", 1, true, false};
  const std::vector<std::vector<Buffer>> buffers = {{seed2, u1, zw},
                                                    {seed2, u1, zw},
                                                    {seed2, u1, zw},
                                                    {seed2, u1, {"f32", 32, true, false}},
                                                    {f2r, f2r, z, zw},
                                                    {v3r, z, z, f1w, f2w, f1w},
                                                    {v3rw, f2rw, f2r, f1rw},
                                                    {v3r, z, z, d1, f1w, f2w, f2w, f1w},
                                                    {f2rw, f2rw, f2rw, f2r, f2r},
                                                    {d1, p1},
                                                    {v3rw, f1w},
                                                    {v3r, z, f1w},
                                                    {seed2, u1, f2w, f2w, v3w, f2w, f2w, f1w}};
  std::vector<std::string> list_of;
  for (const auto& kernel : buffers) {
    std::vector<std::string> texts;
    for (const Buffer& buffer : kernel)
      texts.push_back(format(R"({{"dtype": "{}", "elements": {}, "read": {}, "written": {}}})",
                             buffer.dtype, buffer.elements, buffer.read, buffer.written));
    list_of.push_back(format(R"({{"name": "k{}", "buffers": {}}})", list_of.size(), list(texts)));
  }
  return list(list_of);
}

}  // namespace

ToyOptions toy_options_from_environment() {
  const auto text = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  ToyOptions options;
  if (!text("TOY_EPOCHS").empty()) options.epochs = std::atof(text("TOY_EPOCHS").c_str());
  options.two_blocks = !text("TOY_BLOCKS").empty();
  options.isa = text("TOY_ISA");
  options.classes = std::atoi(text("TOY_CLASSES").c_str());
  options.output_of_data = !text("TOY_OUTPUT_OF_DATA").empty();
  if (!text("TOY_HASH").empty()) options.model_hash = text("TOY_HASH");
  if (!text("TOY_DIVERGE_AT").empty())
    options.diverge_at = std::atoi(text("TOY_DIVERGE_AT").c_str());
  if (!text("TOY_SAMPLES").empty()) options.samples = std::atoi(text("TOY_SAMPLES").c_str());
  options.slow_us = std::atoi(text("TOY_SLOW_US").c_str());
  return options;
}

std::string toy_description(const ToyOptions& options) {
  return format(
      R"({{"abi": 2, "ganc": "0.1.0", "model": "toy", "source": "toy.gan", "source_hash": "toy-source",
"model_hash": "{}", "source_text": [{{"path": "toy.gan", "text": "data x: [2] from ring()\n"}}], "dtype": "f32",
"precision": "exact", "arena": {{"bytes": {}, "persistent_bytes": {}, "peak_bytes": 4000000, "scratch_bytes": 64}},
"variables": {},
"sources": [{{"function": "{}", "arguments": {{"samples": {}}}, "line": "toy.gan:1",
  "fields": [{{"name": "x", "kind": "real", "shape": [2], "classes": 0}}]}}],
"kernels": {},
"operations": [{{"op": "log", "path": "D", "line": "toy.gan:5"}}, {{"op": "exp", "path": "", "line": ""}}],
"programs": {}, "init": 0,
"trains": {},
"outputs": [{{"name": "samples", "program": 2, "count": {}, "shown": {}, "kind": "points", "rate": 0, "ranges": [], "parts": ["out/0"],
  "sources": [{}]}}],
"forwards": [{{"net": "G", "program": 3}}], "gradients": [{{"update": "D", "train": "", "program": 4}}], "missing": []}})",
      options.model_hash, static_cast<int>(arena_bytes), static_cast<int>(persistent), variables(),
      options.data, options.samples, kernel_list(), programs(options), trains(options), drawn,
      drawn, options.output_of_data ? R"({"source": 0, "batches": 1})" : "");
}

const GancProgram& toy_program_with(const std::string& description) {
  static std::list<std::string> texts;
  static std::list<std::array<GancVariant, 2>> variants;
  static std::list<GancProgram> programs_made;
  texts.push_back(description);
  const char* text = texts.back().data();
  variants.push_back({{{"x86-64-v3", kernels, kernel_count, text, description.size()},
                       {"x86-64-v4", kernels, kernel_count, text, description.size()}}});
  programs_made.push_back({GANC_ABI_VERSION, 2, variants.back().data()});
  return programs_made.back();
}

const GancProgram& toy_program(const ToyOptions& options) {
  diverge_at = options.diverge_at;
  slow_us = options.slow_us;
  auto& made = const_cast<GancProgram&>(toy_program_with(toy_description(options)));
  if (!options.isa.empty()) {
    static std::list<std::string> names;
    static std::list<GancVariant> alone;
    names.push_back(options.isa);
    alone.push_back(made.variants[0]);
    alone.back().isa = names.back().c_str();
    made.variant_count = 1;
    made.variants = &alone.back();
  }
  return made;
}
