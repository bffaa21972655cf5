#!/usr/bin/env bash
# The poster's experiment, from nothing to the files in this folder. About 40
# minutes on two cores; stop it at any time, the same command continues.
#
#   studies/poster/run.sh CIFAR10-FOLDER [RESULTS-FOLDER]
set -euo pipefail
data=$(realpath "${1:?want the folder or archive with the binary version of CIFAR-10}")
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here/../../results/poster}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../.."
go build -o "$out/swapmc" ./cmd/swapmc
compare() { "$out/swapmc" compare --quiet --data-path "$data" "$@"; }

# 1. The learning rate, for plain SGD and with momentum 0.9, without swaps and
#    with guided ones of two windows: each has the same number of trials.
tune() { # NETWORK MOMENTUM RATE...
  local network=$1 momentum=$2
  shift 2
  for lr in "$@"; do
    compare --out "$out/tune/$network-momentum$momentum-lr$lr" --data cifar10 --network "$network" --lr "$lr" --momentum "$momentum" \
      --iterations 1500 --eval-every 50 --eval-train 1000 --eval-test 500 --seeds 3 --checkpoint-every 0 \
      --protocol "weights:1SS each n=all guide=momentum window=0.01 accept=greedy" \
      --protocol "weights:1SS each n=all guide=momentum window=0.001 accept=greedy"
  done
}
tune lenet 0 0.005 0.01 0.02 0.05 0.1 0.2
tune mlp 0 0.01 0.02 0.05 0.1 0.2
tune lenet 0.9 0.001 0.002 0.005 0.01 0.02
tune mlp 0.9 0.001 0.002 0.005 0.01 0.02
go run "$here/tuning.go" "$out"/tune/* >"$here/tuning.csv"

# 2. All protocols at the rate that is best without swaps; and the plateau.
for name in poster-lenet poster-mlp poster-plateau; do
  compare --out "$out/$name" "$here/$name.yaml"
  for file in compare.csv figure.svg figure.png; do
    cp "$out/$name/$file" "$here/$name.$file"
  done
done
