#!/bin/sh
# ./run.sh [TRAIN OPTIONS]. GANC names the compiler, OUT the run's folder (new or empty).
set -eu
here=$(dirname "$0")
out=${OUT:-runs/conditional_digits}
trainer() { "${GANC:-$here/../../build/release/bin/ganc}" run "$here/conditional_digits.gan" -- "$@"; }

trainer train --out "$out" "$@"
trainer sample "$out" --count 10 -o "$out/grid.png"  # ten rows, a column for each class
