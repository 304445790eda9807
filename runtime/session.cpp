#include "runtime/session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>

#include "runtime/cpu.h"

namespace ganc::runtime {
namespace {

// A kept instruction set that cannot run here: the CPU lacks it, or the trainer.
std::unexpected<Failure> cannot_keep(const GancProgram& program, std::string_view isa) {
  auto best = choose_variant(program, "");
  if (!best) return std::unexpected(best.error());
  const auto missing = missing_features(isa);
  const std::string why = missing.empty()
                              ? fmt::format("this trainer has no code for it")
                              : fmt::format("this CPU lacks {}", fmt::join(missing, ", "));
  return fail(
      fmt::format("the run was made with {}, and {}; pass --cpu {} to go on with that: from there "
                  "the bits differ",
                  isa, why, (*best)->isa));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(const GancProgram& program, Description description,
                                               const Options& options, std::string_view isa,
                                               bool must) {
  auto session = std::make_unique<Session>();
  const std::string wanted = options.cpu.empty() ? std::string(isa) : options.cpu;
  auto variant = choose_variant(program, wanted);
  if (!variant && options.cpu.empty() && !isa.empty()) {
    if (must) return cannot_keep(program, isa);
    variant = choose_variant(program, "");
  }
  if (!variant) return std::unexpected(variant.error());
  if ((*variant)->description != program.variants[0].description) {
    auto own = read_description(**variant);
    if (!own) return std::unexpected(own.error());
    description = std::move(*own);
  }
  const unsigned threads =
      options.threads ? static_cast<unsigned>(*options.threads) : usable_cpus();
  auto arena = Arena::create(description.arena_bytes, description.scratch_bytes, threads);
  if (!arena) return std::unexpected(arena.error());
  session->options = options;
  session->description = std::move(description);
  session->variant = *variant;
  try {
    session->pool = std::make_unique<Pool>(threads);
  } catch (const std::system_error& error) {
    return fail(fmt::format(
        "cannot start {} threads: {}; give fewer with --threads, or raise the limit on processes "
        "(ulimit -u)",
        threads, error.code().message()));
  }
  session->arena = std::make_unique<Arena>(std::move(*arena));
  return session;
}

std::int64_t Session::planned_bytes() const {
  return description.peak_bytes + description.scratch_bytes * pool->threads();
}

}  // namespace ganc::runtime
