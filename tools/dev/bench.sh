#!/usr/bin/env bash
# ./dev bench: figures, each beside a named reference run.
set -euo pipefail
. tools/dev/lib.sh

build release fondaco fondaco_bench
make_scratch
start_postgres
build/release/bin/fondaco_bench --postgres "$FONDACO_TEST_POSTGRES" --folder "$SCRATCH/bench" \
  --program build/release/bin/fondaco "$@"
