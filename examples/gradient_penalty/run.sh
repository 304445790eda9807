#!/bin/sh
# ./run.sh [TRAIN OPTIONS]. GANC names the compiler, OUT the run's folder (new or empty), SET a constant to change (weight=1).
set -eu
here=$(dirname "$0")
out=${OUT:-runs/gradient_penalty}
trainer() { "${GANC:-$here/../../build/release/bin/ganc}" run "$here/gradient_penalty.gan" ${SET:+--set "$SET"} -- "$@"; }

trainer train --out "$out" "$@"
trainer sample "$out" -o "$out/grid.png"
