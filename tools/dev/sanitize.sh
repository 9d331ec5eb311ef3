#!/usr/bin/env bash
# ./dev sanitize: unit and contract tests under AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
. tools/dev/lib.sh

programs=(protocols_unit persistence_unit actors_unit gateway_unit planes_unit cells_unit cfm_unit tools_unit contract
  postgres nats)
build debug "${programs[@]}"
make_scratch
start_postgres
start_nats
export UBSAN_OPTIONS=print_stacktrace=1
for program in "${programs[@]}"; do
  printf '== %s\n' "$program"
  "build/debug/bin/$program"
done
