#!/usr/bin/env bash
# ./dev demo: the whole journey (or, with --closed, the closed dataspace) on this machine.
set -euo pipefail
. tools/dev/lib.sh

data= postgres= nats= closed= split= keep= options=()
while [ $# -gt 0 ]; do
  case "$1" in
  --postgres) postgres=1 ;;
  --nats) nats=1 ;;
  --closed) closed=1 options+=(--closed) ;;
  --split) split=1 options+=(--split) ;;
  --crash) options+=(--crash) ;;
  --keep) keep=1 options+=(--keep) ;;
  --json) options+=(--json) ;;
  --no-build) NO_BUILD=1 ;;
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
[ -n "${NO_BUILD:-}" ] || build release fondaco
make_scratch
# database NAME: makes one and prints its URL.
database() {
  as_postgres "$POSTGRES_BIN/psql" -q "$FONDACO_TEST_POSTGRES" -c "create database $1" >/dev/null
  printf '%s/%s' "${FONDACO_TEST_POSTGRES%/postgres}" "$1"
}
if [ -n "$postgres" ]; then
  start_postgres
  if [ -n "$closed" ]; then
    options+=(--provider-store "$(database provider)" --consumer-store "$(database consumer)")
  elif [ -n "$split" ]; then
    options+=(--stores "$(database cfm),$(database control),$(database credentials),$(database data)")
  else
    options+=(--stores "$(database fondaco)")
  fi
fi
if [ -n "$nats" ]; then
  start_nats
  options+=(--nats "$FONDACO_TEST_NATS")
fi
build/release/bin/fondaco demo "$data" --folder "$SCRATCH/demo" "${options[@]+"${options[@]}"}"
if [ -n "$keep" ]; then
  say "the folder of the nodes is $SCRATCH/demo; remove $SCRATCH when they have ended"
  [ -z "$postgres" ] || say "PostgreSQL stays up too: $POSTGRES_BIN/pg_ctl -D $POSTGRES_DATA/data stop ends it"
  [ -z "$nats" ] || say "nats-server stays up too, as process ${SCRATCH_PIDS[*]}"
  trap - EXIT
fi
