#!/usr/bin/env bash
# swapmc beside PyTorch, from nothing to the tables of README.md. About ten minutes on two cores.
#
#   studies/parity/run.sh CIFAR10-FOLDER [RESULTS-FOLDER]     (the folder with data_batch_1.bin)
set -euo pipefail
data=${1:?the folder of CIFAR-10\'s binary version}
out=${2:-results/parity}
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
mkdir -p "$out"
go build -o "$out/swapmc" ./cmd/swapmc
train() { "$out/swapmc" train --resume --quiet --data cifar10 --data-path "$data" --eval-train 100 --eval-test 0 "$@"; }

# 1. Six seeds of lenet, to be compared with six that PyTorch trains from its own random numbers.
for seed in 1 2 3 4 5 6; do
  train --out "$out/lenet" --network lenet --lr 0.1 --iterations 1500 --eval-every 500 --seed "$seed"
done
# 2. A network with batch normalisation, whose weights PyTorch then evaluates.
train --out "$out/resnet20" --network resnet20 --optimizer adamw --lr 1e-3 --iterations 100 --eval-every 100
# 3. Both in PyTorch.
"${PYTHON:-python3}" -B "$here/compare.py" "$data" "$out" | tee "$here/result.md"
