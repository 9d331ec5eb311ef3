#!/usr/bin/env bash
# ./dev sanitize: unit and contract tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
. tools/dev/lib.sh

programs=(protocols_unit persistence_unit actors_unit gateway_unit cells_unit tools_unit contract postgres)
build debug "${programs[@]}"
make_scratch
start_postgres
export UBSAN_OPTIONS=print_stacktrace=1
for program in "${programs[@]}"; do
  printf '== %s\n' "$program"
  "build/debug/bin/$program"
done
