#!/usr/bin/env bash
# ./dev prove: the long forms of what ./dev test does shortly. Hours; each part says what it found, and the end all of it.
set -uo pipefail
. tools/dev/lib.sh

usage='./dev prove [--only PART,...] [--minutes N]
  Parts: crash, histories, sim, fuzz, load, sanitize, bench. --minutes is how long each load lasts (30 by default).'
only='' minutes=30
while [ $# -gt 0 ]; do
  case "$1" in
  --only) only=,$2, ;;
  --minutes) minutes=$2 ;;
  *)
    say "$usage"
    exit 2
    ;;
  esac
  shift 2
done

outcome=() passed=0 failed=0

# part NAME SENTENCE COMMAND...: one proof; none of them keeps the next one from its turn.
part() {
  local name=$1 sentence=$2 began=$SECONDS
  shift 2
  case "$only" in '' | *,"$name",*) ;; *) return ;; esac
  printf '== %s\n' "$sentence"
  if "$@"; then
    passed=$((passed + 1))
    outcome+=("held    $sentence ($((SECONDS - began)) s)")
  else
    failed=$((failed + 1))
    outcome+=("FAILED  $sentence: $*")
  fi
}

for store in sqlite postgres; do
  part crash "every commit of every node, killed before and after it, on $store" tools/dev/crash.sh --store "$store"
done
part histories "10,000 random histories of every journal" tools/dev/histories.sh --count 10000
part sim "10,000 seeds of the simulator" tools/dev/sim.sh --seeds 10000
part sim "the bugs planted for the simulator are found" tools/dev/sim.sh --planted
part fuzz "ten minutes of fuzzing for each parser" tools/dev/fuzz.sh --seconds 600
part fuzz "the kept corpus covers the parsers" tools/dev/fuzz.sh --coverage
part fuzz "the bugs planted for the fuzz targets are found" tools/dev/fuzz.sh --planted
part load "$minutes minutes of load without kills" tools/dev/load.sh --store postgres --minutes "$minutes"
part load "$minutes minutes of load with a kill every 30 seconds" \
  tools/dev/load.sh --store postgres --minutes "$minutes" --kill-every 30
part sanitize "unit and contract tests under the sanitizers" tools/dev/sanitize.sh
part bench "the figures" tools/dev/bench.sh
part bench "what thousands of tenants cost" tools/dev/bench.sh --only agents,registered,tenants --seconds 20

printf '\n'
printf '%s\n' "${outcome[@]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
