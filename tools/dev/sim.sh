#!/usr/bin/env bash
# ./dev sim: plays seeds of the simulator on all cores, and some of them twice: the same seed is the same history.
# See tests/sim/README.md.
set -euo pipefail
. tools/dev/lib.sh

usage='./dev sim [--seeds N] [--seed S] [--trace] | --planted [NAME...]'
seeds='' first='' trace='' built=''
while [ $# -gt 0 ]; do
  case "$1" in
  --planted)
    shift
    exec tools/dev/sim_planted.sh "$@"
    ;;
  --trace) trace=yes ;;
  --no-build) built=yes ;;
  --seeds | --seed)
    case "${2:-}" in '' | *[!0-9]*) say "$usage"; exit 2 ;; esac
    if [ "$1" = --seeds ]; then seeds=$2; else first=$2; fi
    shift
    ;;
  *)
    say "$usage"
    exit 2
    ;;
  esac
  shift
done
if [ -n "$first" ]; then seeds=${seeds:-1}; else seeds=${seeds:-1000} first=1; fi

[ -n "$built" ] || build release sim
sim=build/release/bin/sim
if [ "$seeds" = 1 ]; then exec "$sim" --seed "$first" ${trace:+--trace}; fi

make_scratch
parts=$(nproc)
[ "$parts" -le "$seeds" ] || parts=$seeds
passed=0 failed=0 pids=() from=$first
for ((i = 1; i <= parts; ++i)); do
  next=$((first + seeds * i / parts))
  "$sim" --seed "$from" --seeds $((next - from)) >"$SCRATCH/part.$i" 2>&1 &
  pids+=($!)
  from=$next
done
SCRATCH_PIDS+=("${pids[@]}")
held=yes
for ((i = 1; i <= parts; ++i)); do
  wait "${pids[i - 1]}" || held=no
  cat "$SCRATCH/part.$i"
done
SCRATCH_PIDS=() # they have ended, and their numbers may be others' soon
if [ $held = yes ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

# One after the other, and each in a process of its own.
twice=$((seeds < 20 ? seeds : 20))
same=yes
"$sim" --seed "$first" --seeds "$twice" --hash >"$SCRATCH/together" 2>&1 || true
for ((s = first; s < first + twice; ++s)); do
  "$sim" --seed "$s" --hash 2>&1 || true
done >"$SCRATCH/alone"
if [ $held = yes ] && ! diff "$SCRATCH/together" "$SCRATCH/alone"; then same=no; fi
if [ $same = yes ]; then
  [ $held = no ] || printf '%s of them played twice have the same history\n' "$twice"
  passed=$((passed + 1))
else
  say "a seed does not have the same history each time"
  failed=$((failed + 1))
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
