#!/bin/sh
# The measurements of docs/bench/gpu.md (and of gpu-observing.md: see observing.ts), on a machine with an NVIDIA GPU, the CUDA
# compiler, CMake, ninja and git:
#   sh test/bench/gpu/bench.sh WORK && npx tsx test/bench/gpu/table.ts WORK/results.jsonl
# WORK gets llama.cpp with the patch, the build and the models (12 GB); what is there already is used again.
# About three to five minutes to compile on 16 cores, and seventeen to measure on an H200. MODELS and ARCH can be set. PREBUILT, a
# libggml-vulkan.so of the same release, is measured instead; then nothing of CUDA is needed.
set -eu
work=${1:?usage: bench.sh WORK}
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
mkdir -p "$work"

if [ ! -d "$work/llama" ]; then
    git clone --quiet "$root/node_modules/node-llama-cpp/llama/gitRelease.bundle" "$work/llama"
    git -C "$work/llama" apply --whitespace=nowarn "$root/core/native/llama.patch"
    cp "$root"/core/native/llama/llama-retain* "$work/llama/src/"
fi
cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLLAMA_SOURCE="$(cd "$work" && pwd)/llama" \
    -DGGML_CUDA="$([ -n "${PREBUILT:-}" ] && echo OFF || echo ON)" -DCMAKE_CUDA_ARCHITECTURES="${ARCH:-native}"
ninja -C "$work/build"
[ -z "${PREBUILT:-}" ] || cp "$PREBUILT" "$work/build/bin/"

sh "$here/measure.sh" "$work/build/bin/gpu-bench" "$work" "$work/results.jsonl" ${MODELS:-llama-3.1-8b qwen3-4b llama-3.2-1b}
