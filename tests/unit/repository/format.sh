#!/bin/sh
# Every source as clang-format lays it out: format.sh ROOT. 77, a skip, where clang-format 22 is not installed.
set -eu
cd "$1"
command -v clang-format-22 >/dev/null || { echo "clang-format-22 is not installed: skipped"; exit 77; }
find compiler runtime tests -name '*.h' -o -name '*.cpp' | sort | xargs clang-format-22 --dry-run --Werror
