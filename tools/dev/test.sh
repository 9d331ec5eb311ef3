#!/usr/bin/env bash
# ./dev test: every test there is. The last line is `N passed, M failed`.
set -uo pipefail
. tools/dev/lib.sh

PASSED=0
FAILED=0

# suite NAME COMMAND...: runs a program and adds its own counts; a program that ends badly without a count is one failure.
suite() {
  local name=$1 log=$SCRATCH/suite.log rc counts ok bad
  shift
  printf '== %s\n' "$name"
  "$@" 2>&1 | tee "$log"
  rc=${PIPESTATUS[0]}
  counts=$(sed -nE -e 's/^\[doctest\] test cases: +[0-9]+ \| +([0-9]+) passed \| +([0-9]+) failed.*/\1 \2/p' \
    -e 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1)
  ok=${counts%% *}
  bad=${counts##* }
  ok=${ok:-0}
  bad=${bad:-0}
  if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then
    printf '%s ended with code %s\n' "$name" "$rc"
    bad=1
  elif [ "$rc" = 0 ] && [ -z "$counts" ]; then
    printf '%s ran no test\n' "$name"
    bad=1
  fi
  PASSED=$((PASSED + ok))
  FAILED=$((FAILED + bad))
}

build release || exit 1
make_scratch
start_postgres || exit 1
start_nats || exit 1
export FONDACO_BINARY=$PWD/build/release/bin/fondaco

for layer in protocols persistence actors gateway planes cells cfm tools; do
  suite "unit tests of $layer" "build/release/bin/${layer}_unit"
done
suite "journal, document and vault contracts" build/release/bin/contract
suite "contracts on PostgreSQL" build/release/bin/postgres
suite "broker on NATS" build/release/bin/nats
suite "the fuzz targets on their kept corpus" build/release/bin/fuzz_replay tests/fuzz/corpus
suite "1,000 seeds of the simulator" tools/dev/sim.sh --no-build
suite "the simulator finds a planted bug" tools/dev/sim_planted.sh fencing
suite "style, layers and limits" python3 tools/checks/tidy.py --root .
suite "the checks catch what they are for" python3 tools/checks/tidy_test.py
suite "end to end on SQLite" build/release/bin/e2e --store sqlite
suite "end to end on PostgreSQL" build/release/bin/e2e --store postgres
suite "a tenth of the crash matrix on SQLite" build/release/bin/crash --store sqlite --part 10
suite "a tenth of the crash matrix on PostgreSQL" build/release/bin/crash --store postgres --part 10
suite "DSP conformance, native" tools/dev/conformance.sh --no-build
suite "DCP conformance, native" tools/dev/conformance.sh dcp --no-build

printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
[ "$FAILED" = 0 ]
