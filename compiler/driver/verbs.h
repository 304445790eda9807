#pragma once

#include "compiler/driver/options.h"
#include "compiler/driver/outcome.h"

namespace ganc {

// One function a verb of `ganc`. Each reads what it needs, keeps its diagnostics in `session` and
// prints nothing.
Outcome run_build(const Options& options, Session& session);
Outcome run_trainer(const Options& options, Session& session);
Outcome run_check(const Options& options, Session& session);
Outcome run_format(const Options& options, Session& session);
Outcome run_emit(const Options& options, Session& session);
Outcome run_explain_code(const Options& options);
Outcome run_explain_grad(const Options& options, Session& session);
Outcome run_explain_cost(const Options& options, Session& session);

}  // namespace ganc
