#!/bin/sh
# Makes the models and measures: measure.sh GPU_BENCH FOLDER RESULTS MODEL... (see bench.sh)
# RUNS, if set, are all that is measured, and NOTE tells in the table why it was measured again.
set -eu
bench=$1 folder=$2 results=$3
shift 3

model() {
    [ -f "$folder/$1.gguf" ] || "$bench" make "$1" "$folder/$1.gguf"
}

[ -z "${NOTE:-}" ] || printf '{"note":"%s"}\n' "$NOTE" | tee -a "$results"
model tiny
"$bench" check "$folder/tiny.gguf" 1500 | tee -a "$results"
for name in "$@"; do
    model "$name"
    # kernels are loaded at their first use: short runs first, which the table leaves out
    runs="stock:2048:f16 precis:2048:f16:0.25 default:2048:f16:0.069 stock:2048:q8_0 stock:2048:q4_0 precis:2048:q8_0:0.069"
    runs="$runs heads:2048:f16:0.069 fast:2048:f16:0.069"
    for tokens in 8192 32768 65536 131072; do
        runs="$runs stock:$tokens:f16 default:$tokens:f16:0.069"
        runs="$runs precis:$tokens:f16:0.25 precis:$tokens:f16:0.069 precis:$tokens:f16:0.017"
    done
    runs="$runs precis:32768:f16:0.069:1 fast:32768:f16:0.069"
    for tokens in 32768 131072; do
        runs="$runs stock:$tokens:q8_0 stock:$tokens:q4_0 precis:$tokens:q8_0:0.069 uneven:$tokens:f16:0.069 heads:$tokens:f16:0.069"
    done
    runs="$runs fast:131072:f16:0.069"
    # shellcheck disable=SC2086
    "$bench" run "$folder/$name.gguf" ${RUNS:-$runs} | tee -a "$results"
done
