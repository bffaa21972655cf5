#!/usr/bin/env bash
# Relaxation time of soft-poly, N = 1500, against temperature: without swaps, with swaps,
# and with lifted swaps. About an hour on two cores; stop it at any time, the same command
# continues.
#
#   studies/glass/relaxation.sh [RESULTS-FOLDER]
set -euo pipefail
out=${1:-results/glass-relaxation}
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
mkdir -p "$out"
go build -o "$out/swapmc" ./cmd/swapmc

# ARM TEMPERATURE SWEEPS: the longest first, each of several relaxation times where two cores
# manage that. All start from equilibrium, reached with swaps.
runs() {
  echo none 0.095 10000000
  echo none 0.10 5000000
  echo swap 0.075 1000000
  echo none 0.105 2000000
  echo swap 0.08 800000
  echo none 0.11 1000000
  echo swap 0.085 600000
  echo none 0.115 600000
  echo swap 0.09 400000
  echo none 0.125 300000
  echo swap 0.095 300000
  for t in 0.10 0.105 0.11 0.115; do echo swap $t 200000; done
  echo none 0.14 150000
  echo none 0.16 100000
  for t in 0.20 0.25; do echo none $t 40000; done
  for t in 0.125 0.14 0.16 0.20 0.25; do echo swap $t 40000; done
  for t in 0.075; do echo lift $t 800000; done
  for t in 0.08 0.085 0.09; do echo lift $t 400000; done
  for t in 0.095 0.10 0.105 0.11 0.115; do echo lift $t 200000; done
  for t in 0.125 0.14 0.16 0.20 0.25; do echo lift $t 40000; done
}
export out
runs | xargs -P "$(nproc)" -L 1 bash -c '
  swap="diameters:S p=0.2"
  case $1 in
    none) protocol=() ;;
    swap) protocol=(--protocol "$swap") ;;
    lift) protocol=(--protocol "$swap lift=true") ;;
  esac
  equilibrate=$(awk -v t="$2" "BEGIN { print t < 0.09 ? 300000 : t < 0.12 ? 60000 : 20000 }")
  "$out/swapmc" glass --quiet --out "$out/$1-$2" --model soft-poly --particles 1500 --temperature "$2" \
    --equilibrate "$equilibrate" --equilibrate-with "$swap" --sweeps "$3" "${protocol[@]}"' _
