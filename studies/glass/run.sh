#!/usr/bin/env bash
# Makes the runs of a study, as its table lists them, in order, one on each core, first all of
# seed 1, then all of seed 2, and so on; then its figure and CSV, of what is finished. Stop it at any time: the same command continues.
#
#   studies/glass/run.sh relaxation|polydispersity|soft-binary|kob-andersen [RESULTS-FOLDER [RUNS-AT-ONCE [SEEDS]]]
set -euo pipefail
study=$1
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "${2:-results/glass-$study}")
seeds=${4:-3}
cd "$here/../.."
mkdir -p "$out"
go build -o "$out/swapmc" ./cmd/swapmc
export out

# A row: protocol (none, swap, lift), equilibration, sweeps, flags of swapmc glass. All start
# from equilibrium, reached with swaps, with a seed from one configuration.
for ((seed = 1; seed <= seeds; seed++)); do
  grep -v '^#' "$here/$study.txt" | sed "s/^/$seed /"
done | xargs -P "${3:-$(nproc)}" -L 1 bash -c '
  seed=$1 protocol=$2 equilibrate=$3 sweeps=$4
  shift 4
  name=$(tr -c "[:alnum:].\n" "-" <<<"$protocol$*-seed-$seed")
  swap="diameters:S p=0.2"
  case $protocol in
    none) set -- "$@" ;;
    swap) set -- "$@" --protocol "$swap" ;;
    lift) set -- "$@" --protocol "$swap lift=true" ;;
  esac
  "$out/swapmc" glass --quiet --out "$out/$name" --equilibrate "$equilibrate" --equilibrate-with "$swap" \
    --sweeps "$sweeps" --seed "$seed" "$@" >"$out/$name.txt"' _
go run ./studies/glass --study "$study" --results "$out" --out "$here"
