#!/usr/bin/env bash
# ./dev sim --planted [NAME...]: the simulator finds planted bugs. Each patch of tests/sim/planted is applied to a copy
# of the tree; what it changed is compiled and linked before the libraries, so that it takes their place; the seeds say
# after how many of them the bug showed.
set -euo pipefail
shopt -s inherit_errexit
. tools/dev/lib.sh

seeds=1000
folder=build/release
build release sim
make_scratch

# compile FILE TREE OBJECT: compiles a file of a copy of the tree as the build compiles the original.
compile() {
  python3 - "$PWD" "$folder" "$@" <<'PY'
import json, os, shlex, subprocess, sys
root, folder, name, tree, target = sys.argv[1:]
for one in json.load(open(os.path.join(folder, "compile_commands.json"))):
    if one["file"] == os.path.join(root, name) and ("/fondaco_" + name.split("/")[0] + ".dir/") in one["command"]:
        words = shlex.split(one["command"])
        words = [w.replace("-I" + root, "-I" + tree) if w == "-I" + root else w for w in words]
        words[words.index("-c") + 1] = os.path.join(tree, name)
        words[words.index("-o") + 1] = target
        sys.exit(subprocess.run(words, cwd=one["directory"]).returncode)
sys.exit("no target compiles " + name)
PY
}

# plant NAME: a simulator with the patch; prints its path.
plant() {
  local name=$1 tree=$SCRATCH/$1 objects=() file link
  mkdir -p "$tree"
  git ls-files -co --exclude-standard '*.hpp' '*.cpp' | tar -cf - -T - | tar -xf - -C "$tree"
  (cd "$tree" && GIT_CEILING_DIRECTORIES=$SCRATCH git apply "$OLDPWD/tests/sim/planted/$name.patch")
  while read -r file; do
    case $file in *.cpp) ;; *)
      say "planted/$name.patch changes $file: only a .cpp file is compiled anew"
      return 1
      ;;
    esac
    objects+=("$tree/$(basename "$file" .cpp).o")
    compile "$file" "$tree" "${objects[-1]}" >&2
  done < <(sed -n 's|^+++ b/\([^[:space:]]*\).*|\1|p' "tests/sim/planted/$name.patch")
  link=$(ninja -C "$folder" -t commands sim | tail -n 1)
  file="${objects[*]} -o $tree/sim"
  (cd "$folder" && eval "${link/-o bin\/sim/$file}") >&2
  printf '%s\n' "$tree/sim"
}

names=("$@")
if [ ${#names[@]} = 0 ]; then
  for patch in tests/sim/planted/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
passed=0 failed=0
for name in "${names[@]}"; do
  simulator=$(plant "$name")
  found=$("$simulator" --seeds $seeds) || true
  after=$(sed -n 's/^seed .* breaks a promise, after \([0-9]*\) that hold:$/\1/p' <<<"$found")
  if [ -n "$after" ]; then
    printf 'planted bug %s: found after %d seeds:%s\n' "$name" $((after + 1)) "$(sed -n 's/^ / /p' <<<"$found" | head -n 1)"
    passed=$((passed + 1))
  else
    printf 'planted bug %s: NOT FOUND within %d seeds\n%s\n' "$name" $seeds "$found"
    failed=$((failed + 1))
  fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
