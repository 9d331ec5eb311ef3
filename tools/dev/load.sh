#!/usr/bin/env bash
# ./dev load: a mixed load on two nodes, with or without kills; what it is told to do follows.
set -euo pipefail
. tools/dev/lib.sh

build release fondaco load
make_scratch
case " $* " in
*" postgres "*) start_postgres ;;
esac
export FONDACO_BINARY=$PWD/build/release/bin/fondaco
build/release/bin/load "$@"
