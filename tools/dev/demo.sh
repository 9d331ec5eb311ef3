#!/usr/bin/env bash
# ./dev demo: the main job on two nodes of this machine.
set -euo pipefail
. tools/dev/lib.sh

data= postgres= keep=() json=()
while [ $# -gt 0 ]; do
  case "$1" in
  --postgres) postgres=1 ;;
  --keep) keep=(--keep) ;;
  --json) json=(--json) ;;
  -*)
    say "./dev demo: unknown option '$1'"
    exit 2
    ;;
  *) data=$1 ;;
  esac
  shift
done
# A real data file that the package tzdata ships.
[ -n "$data" ] || data=/usr/share/zoneinfo/tzdata.zi
build release fondaco
make_scratch
stores=()
if [ -n "$postgres" ]; then
  start_postgres
  server=${FONDACO_TEST_POSTGRES%/postgres}
  for name in provider consumer; do
    as_postgres "$POSTGRES_BIN/psql" -q "$FONDACO_TEST_POSTGRES" -c "create database $name" >/dev/null
    stores+=("--$name-store" "$server/$name")
  done
fi
build/release/bin/fondaco demo "$data" --folder "$SCRATCH/demo" "${stores[@]+"${stores[@]}"}" \
  "${keep[@]+"${keep[@]}"}" "${json[@]+"${json[@]}"}"
if [ ${#keep[@]} -gt 0 ]; then
  say "the folder of the nodes is $SCRATCH/demo; remove $SCRATCH when they have ended"
  [ -z "$postgres" ] || say "PostgreSQL stays up too: $POSTGRES_BIN/pg_ctl -D $POSTGRES_DATA/data stop ends it"
  trap - EXIT
fi
