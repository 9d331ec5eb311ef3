#!/usr/bin/env bash
# ./dev conformance [dsp|dcp]: the active cases of a conformance kit, native, against a node of our own: the 65 of DSP
# or the 85 of DCP.
set -euo pipefail
. tools/dev/lib.sh
. tools/dev/node.sh

only=()
kit=dsp
while [ $# -gt 0 ]; do
  case "$1" in
  dsp | dcp) kit=$1 ;;
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
rc=0
if [ "$kit" = dcp ]; then
  prepare_dcp_node "$(free_port)"
  build/release/bin/dcp_conformance -config "$SCRATCH/dcp.properties" --prepare \
    --floor tests/conformance/dcp/floor.txt "${only[@]+"${only[@]}"}" >"$SCRATCH/kit.out" || rc=$?
  grep -vE '^\[[^]]*\] Started: ' "$SCRATCH/kit.out" || true
  exit "$rc"
fi
prepare_dsp_node "$(free_port)"
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
