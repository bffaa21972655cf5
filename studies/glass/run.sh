#!/usr/bin/env bash
# Makes the runs of a study, as its table lists them, in order, one on each core; then its
# figure and CSV. Stop it at any time: the same command continues.
#
#   studies/glass/run.sh relaxation|polydispersity|soft-binary|kob-andersen [RESULTS-FOLDER [RUNS-AT-ONCE]]
set -euo pipefail
study=$1
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${2:-results/glass-$study}")
cd "$here/../.."
mkdir -p "$out"
go build -o "$out/swapmc" ./cmd/swapmc
export out

# A row: protocol (none, swap, lift), equilibration, sweeps, flags of swapmc glass. All start
# from equilibrium, reached with swaps.
grep -v '^#' "$here/$study.txt" | xargs -P "${3:-$(nproc)}" -L 1 bash -c '
  protocol=$1 equilibrate=$2 sweeps=$3
  shift 3
  name=$(tr -c "[:alnum:].\n" "-" <<<"$protocol$*")
  swap="diameters:S p=0.2"
  case $protocol in
    none) set -- "$@" ;;
    swap) set -- "$@" --protocol "$swap" ;;
    lift) set -- "$@" --protocol "$swap lift=true" ;;
  esac
  "$out/swapmc" glass --quiet --out "$out/$name" --equilibrate "$equilibrate" --equilibrate-with "$swap" \
    --sweeps "$sweeps" "$@" >"$out/$name.txt"' _
go run ./studies/glass --study "$study" --results "$out" --out "$here"
