#!/usr/bin/env bash
# ./dev up: PostgreSQL, NATS and a node on it, in the foreground until Ctrl-C.
set -euo pipefail
. tools/dev/lib.sh
. tools/dev/node.sh

build release fondaco
make_scratch
start_postgres
start_nats
as_postgres "$POSTGRES_BIN/psql" -q "$FONDACO_TEST_POSTGRES" -c "create database fondaco" >/dev/null
write_node_config "$SCRATCH/node" "${FONDACO_TEST_POSTGRES%/postgres}/fondaco"
start_node "$SCRATCH/node"
cat <<TXT
node          management http://127.0.0.1:$NODE_management_PORT  DSP http://127.0.0.1:$NODE_protocol_PORT  health and metrics http://127.0.0.1:$NODE_observability_PORT
look inside   build/release/bin/fondaco ctl --at unix:$SCRATCH/node/fondaco.sock ps
admin client  id admin, secret in $SCRATCH/node/admin.secret, tokens from http://127.0.0.1:$NODE_management_PORT/oauth2/token
PostgreSQL    $FONDACO_TEST_POSTGRES
NATS          $FONDACO_TEST_NATS
log           $SCRATCH/node/node.log
Ctrl-C ends all of it.
TXT
wait "$NODE_PID"
