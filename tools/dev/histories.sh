#!/usr/bin/env bash
# ./dev histories: every journal held to the plain model over many random histories.
set -euo pipefail
. tools/dev/lib.sh

usage() { echo "./dev histories [--count N] [--seed S]: N random histories on each store, 10000 by default"; }

count=10000
seed=$RANDOM
while [ $# -gt 0 ]; do
  case "$1" in
  --count) count=$2; shift ;;
  --seed) seed=$2; shift ;;
  -h | --help) usage; exit 0 ;;
  *) say "./dev histories: unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift
done

build release contract postgres
make_scratch
# The crashes of a history are those of the journal's process: nothing here depends on what a disk has kept.
POSTGRES_OPTIONS="-c fsync=off" start_postgres
export FONDACO_HISTORIES=$count FONDACO_SEED=$seed
passed=0
for program in contract postgres; do
  log=$SCRATCH/$program.log
  "build/release/bin/$program" -tc='random histories*' 2>&1 | tee "$log" || { say "repeat it with --seed $seed"; exit 1; }
  passed=$((passed + $(sed -nE 's/^\[doctest\] test cases: +[0-9]+ \| +([0-9]+) passed.*/\1/p' "$log")))
done
printf '%d passed, 0 failed\n' "$passed"
