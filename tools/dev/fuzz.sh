#!/usr/bin/env bash
# ./dev fuzz: the fuzz targets of tests/fuzz, their kept corpus, and the proof that they find what they are for.
set -euo pipefail
. tools/dev/lib.sh

usage() {
  cat <<'TXT'
./dev fuzz [--seconds N] [--seed S] [--keep] [TARGET...]   fuzz each target from its kept corpus, 60 seconds by default;
                                    --keep merges what covers more into tests/fuzz/corpus
./dev fuzz --coverage [TARGET...]   the lines of each parser that the kept corpus covers; fails under 80 %
./dev fuzz --planted [--seconds N] [--seed S] [TARGET...]
                                    plants the bug of tests/fuzz/planted/TARGET.patch in a copy of the tree and fuzzes
                                    from the kept corpus until it is found; fails after 120 seconds by default
./dev fuzz --minimise [TARGET...]   writes each kept corpus anew, without what covers nothing of its own

Targets: json jose dsp dcp http config. An input that breaks a promise is left in build/fuzz/found.
TXT
}

CORPUS=tests/fuzz/corpus
FOUND=build/fuzz/found
COVERAGE_MIN=80
INPUT_BYTES_MAX=4096

mode=run
seconds=
seed=$RANDOM
keep=
targets=()
while [ $# -gt 0 ]; do
  case "$1" in
  --seconds) seconds=$2; shift ;;
  --seed) seed=$2; shift ;;
  --keep) keep=1 ;;
  --coverage | --planted | --minimise) mode=${1#--} ;;
  json | jose | dsp | dcp | http | config) targets+=("$1") ;;
  -h | --help) usage; exit 0 ;;
  *) say "./dev fuzz: unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift
done
[ ${#targets[@]} -gt 0 ] || targets=(json jose dsp dcp http config)

export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

# The programs of the chosen targets.
build_targets() { [ -n "${NO_BUILD:-}" ] || build fuzz "${targets[@]/#/fuzz_}"; }

# merge TARGET INTO FROM...: adds to INTO what covers something new, smallest first.
merge() {
  local target=$1
  shift
  "build/fuzz/bin/fuzz_$target" -merge=1 -max_len=$INPUT_BYTES_MAX "$@" >"$SCRATCH/merge.log" 2>&1 || {
    tail -n 20 "$SCRATCH/merge.log" >&2
    return 1
  }
}

run_target() {
  local target=$1 new=$SCRATCH/new-$1 rc=0
  mkdir -p "$new" "$FOUND/$target" "$CORPUS/$target"
  printf '== %s: %s seconds, seed %s\n' "$target" "${seconds:-60}" "$seed"
  "build/fuzz/bin/fuzz_$target" -max_total_time="${seconds:-60}" -seed="$seed" -timeout=25 -reload=0 \
    -artifact_prefix="$FOUND/$target/" -max_len=$INPUT_BYTES_MAX "$new" "$CORPUS/$target" >"$SCRATCH/run.log" 2>&1 || rc=$?
  if [ "$rc" != 0 ]; then
    tail -n 60 "$SCRATCH/run.log"
    return 1
  fi
  grep -E '^(#[0-9]+[[:space:]]+DONE|Done )' "$SCRATCH/run.log"
  [ -z "$keep" ] || merge "$target" "$CORPUS/$target" "$new"
}

run_all() {
  local failed=0 target
  build_targets
  for target in "${targets[@]}"; do run_target "$target" || failed=$((failed + 1)); done
  printf '%d passed, %d failed\n' $((${#targets[@]} - failed)) "$failed"
  [ "$failed" = 0 ]
}

minimise_all() {
  local target small
  build_targets
  for target in "${targets[@]}"; do
    small=$SCRATCH/small-$target
    mkdir -p "$small"
    merge "$target" "$small" "$CORPUS/$target"
    rm -rf "${CORPUS:?}/$target"
    cp -r "$small" "$CORPUS/$target"
    printf '%-6s %5d inputs, %d bytes\n' "$target" "$(find "$small" -type f | wc -l)" "$(cat "$small"/* | wc -c)"
  done
}

# sources_of TARGET: its parsers, from tests/fuzz/parsers.txt.
sources_of() {
  awk -v want="$1" '/^#/ { next } / : / { name = $1; sub(/^[^:]*:/, "") } name == want { print }' tests/fuzz/parsers.txt
}

cover_target() {
  local target=$1 sources
  read -r -d '' -a sources < <(sources_of "$target") || true
  LLVM_PROFILE_FILE=$SCRATCH/$target.profraw "build/fuzz/bin/fuzz_$target" -runs=0 "$CORPUS/$target" \
    >"$SCRATCH/cover.log" 2>&1 || { tail -n 30 "$SCRATCH/cover.log"; return 1; }
  llvm-profdata-19 merge -o "$SCRATCH/$target.profdata" "$SCRATCH/$target.profraw"
  llvm-cov-19 export -summary-only -instr-profile "$SCRATCH/$target.profdata" "build/fuzz/bin/fuzz_$target" \
    "${sources[@]}" | python3 tools/dev/fuzz_coverage.py "$target" $COVERAGE_MIN "${sources[@]}"
}

cover_all() {
  local failed=0 target
  build_targets
  for target in "${targets[@]}"; do cover_target "$target" || failed=$((failed + 1)); done
  printf '%d passed, %d failed\n' $((${#targets[@]} - failed)) "$failed"
  [ "$failed" = 0 ]
}

# plant TARGET: its program from a copy of the tree with the patch applied; only what the patch changes is compiled.
plant() {
  local target=$1 copy=$SCRATCH/planted-$1 sources
  mkdir -p "$copy"
  git ls-files -co --exclude-standard '*.cpp' '*.hpp' | tar -cf - -T - | tar -xf - -C "$copy" || return 1
  patch -s -p1 -d "$copy" <"tests/fuzz/planted/$target.patch" || return 1
  mapfile -t sources < <(sed -nE 's|^\+\+\+ b/([^[:space:]]+).*|\1|p' "tests/fuzz/planted/$target.patch")
  python3 tools/dev/fuzz_plant.py "$target" "$copy" "$copy/fuzz_$target" "${sources[@]}"
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# what_was_found LOG: the broken promise or the sanitizer's word, in one line.
what_was_found() {
  grep -aoE -m 1 'what\(\): .*|ERROR: AddressSanitizer: [a-z-]+|runtime error: .*|ERROR: libFuzzer: .*' "$1" | cut -c 1-120
}

find_planted() {
  local target=$1 log=$SCRATCH/planted.log rc=0 began
  plant "$target" >"$SCRATCH/build.log" 2>&1 || {
    tail -n 30 "$SCRATCH/build.log"
    return 1
  }
  mkdir -p "$SCRATCH/new-$target" "$SCRATCH/found-$target"
  began=$EPOCHREALTIME
  "$SCRATCH/planted-$target/fuzz_$target" -max_total_time="${seconds:-120}" -seed="$seed" -timeout=25 -reload=0 \
    -artifact_prefix="$SCRATCH/found-$target/" -max_len=$INPUT_BYTES_MAX "$SCRATCH/new-$target" "$CORPUS/$target" \
    >"$log" 2>&1 || rc=$?
  if [ "$rc" = 0 ] || [ -z "$(ls -A "$SCRATCH/found-$target")" ]; then
    tail -n 5 "$log"
    printf '%-6s not found in %s seconds (seed %s)\n' "$target" "${seconds:-120}" "$seed"
    return 1
  fi
  printf '%-6s found after %s s (seed %s): %s\n' "$target" "$(seconds_since "$began")" "$seed" \
    "$(what_was_found "$log")"
}

find_all() {
  local failed=0 target
  build_targets
  for target in "${targets[@]}"; do find_planted "$target" || failed=$((failed + 1)); done
  printf '%d passed, %d failed\n' $((${#targets[@]} - failed)) "$failed"
  [ "$failed" = 0 ]
}

install_packages tests/fuzz/packages.txt
make_scratch
# Where the counters of a run go that nobody measures.
export LLVM_PROFILE_FILE=$SCRATCH/other.profraw
case "$mode" in
run) run_all ;;
coverage) cover_all ;;
planted) find_all ;;
minimise) minimise_all ;;
esac
