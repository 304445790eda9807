#!/bin/sh
# ./run.sh FOLDER [TRAIN OPTIONS]: trains on the images of FOLDER, or goes on with the training.
# GANC names the compiler, OUT the run's folder, SET a constant to change (width=4).
set -eu
[ $# -gt 0 ] || { echo "usage: ./run.sh FOLDER_OF_IMAGES [TRAIN OPTIONS]" >&2; exit 2; }
here=$(dirname "$0")
out=${OUT:-runs/own_images}
images=$1
shift
trainer() { "${GANC:-$here/../../build/release/bin/ganc}" run "$here/own_images.gan" ${SET:+--set "$SET"} -- "$@"; }

if [ -e "$out/options.json" ]; then
  trainer train --resume "$out" --data "$images" "$@"
else
  trainer train --out "$out" --data "$images" "$@"
fi
trainer sample "$out" -o "$out/grid.png"
