#!/usr/bin/env bash
# float32 and bfloat16 side by side, from nothing to the files in this folder. Half an hour on two cores
# with AMX or AVX512_BF16; stop it at any time, the same command continues.
#
#   studies/precision/run.sh CIFAR10-FOLDER [RESULTS-FOLDER]
set -euo pipefail
data=$(realpath "${1:?want the folder or archive with the binary version of CIFAR-10}")
out=${2:-results/precision}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../.."
go build -o "$out/swapmc" ./cmd/swapmc
# A sweep has no flag for the folder of its data.
sed "s|^data: .*|data: {set: cifar10, path: \"$data\"}|" "$here/precision.yaml" >"$out/precision.yaml"
"$out/swapmc" sweep run --quiet --out "$out/sweep" "$out/precision.yaml"
go run ./studies/precision "$out/sweep" "$here"
cp "$out/sweep/sweep.csv" "$here/speedups.csv"
