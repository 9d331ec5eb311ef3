#!/usr/bin/env bash
# ./dev conformance: the 65 active cases of the DSP conformance kit, native, against a node of our own.
set -euo pipefail
. tools/dev/lib.sh
. tools/dev/node.sh

only=()
while [ $# -gt 0 ]; do
  case "$1" in
  --no-build) NO_BUILD=1 ;;
  --only)
    only=(--only "$2")
    shift
    ;;
  *)
    say "./dev conformance: unknown option '$1'"
    exit 2
    ;;
  esac
  shift
done
[ -n "${NO_BUILD:-}" ] || build release
make_scratch
prepare_dsp_node "$(free_port)"
rc=0
"${DRIVER[@]}" --run build/release/bin/dsp_conformance -config "$SCRATCH/tck.properties" \
  --floor tests/conformance/dsp/floor.txt "${only[@]+"${only[@]}"}" >"$SCRATCH/kit.out" || rc=$?
grep -vE '^\[[^]]*\] Started: ' "$SCRATCH/kit.out" || true
# The floor is what has to pass: each case of it counts as a test.
python3 - "$SCRATCH/kit.out" tests/conformance/dsp/floor.txt "${#only[@]}" <<'PY'
import re
import sys

out = open(sys.argv[1]).read()
passed = set(re.findall(r"^\[[^]]*\] SUCCESSFUL: (\S+)", out, re.M))
floor = [l.split("#")[0].strip() for l in open(sys.argv[2])]
floor = [l for l in floor if l]
if sys.argv[3] != "0":
    floor = [case for case in floor if f"Started: {case}" in out]
missing = [case for case in floor if case not in passed]
for case in missing:
    print(f"below the floor: {case}")
print(f"{len(passed)} of 65 DSP conformance cases pass")
print(f"{len(floor) - len(missing)} passed, {len(missing)} failed")
PY
exit "$rc"
