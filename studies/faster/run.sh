#!/usr/bin/env bash
# The study, from nothing to its tables: some hours on two cores. Stop it at any
# time, the same command continues; more options after the folders are passed on.
#
#   studies/faster/run.sh CIFAR10-FOLDER [RESULTS-FOLDER [OPTION...]]
#   studies/faster/run.sh CIFAR10-FOLDER results/faster -only lenet -stage tune
#
# The time of an iteration is measured apart, when nothing else runs:
#
#   studies/faster/run.sh CIFAR10-FOLDER results/faster -stage cost
#
# At any time, the tables and figures of what has been made, into a folder:
#
#   studies/faster/run.sh CIFAR10-FOLDER results/faster -stage report -out studies/faster
set -euo pipefail
data=$(realpath "${1:?want the folder or archive with the binary version of CIFAR-10}")
here=$(cd "$(dirname "$0")" && pwd)
out=${2:-$here/../../results/faster}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../.."
go build -o "$out/study-faster" ./studies/faster
exec "$out/study-faster" -data "$data" -results "$out" "${@:3}"
