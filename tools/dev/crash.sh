#!/usr/bin/env bash
# ./dev crash: the crash matrix on one store; what it is told to do follows.
set -euo pipefail
. tools/dev/lib.sh

build release fondaco crash
make_scratch
case " $* " in
*" postgres "*) start_postgres ;;
esac
export FONDACO_BINARY=$PWD/build/release/bin/fondaco
build/release/bin/crash "$@"
