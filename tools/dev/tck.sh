#!/usr/bin/env bash
# ./dev tck dsp: the published DSP conformance kit itself, unmodified, against a node of our own.
set -euo pipefail
. tools/dev/lib.sh
. tools/dev/node.sh

version=1.0.1
kit=
[ "${1:-}" = dsp ] || {
  say "./dev tck: which kit? only 'dsp' is here"
  exit 2
}
shift
while [ $# -gt 0 ]; do
  case "$1" in
  --kit) kit=$(readlink -f "$2") && shift ;;
  *)
    say "./dev tck dsp: unknown option '$1'"
    exit 2
    ;;
  esac
  shift
done
command -v java >/dev/null || {
  say "the kit is a Java program: install a JDK 17 or later (package openjdk-17-jre-headless)"
  exit 1
}
build release fondaco dsp_driver
make_scratch

# Without a folder of jars the kit comes from Maven Central, by its coordinates.
if [ -z "$kit" ]; then
  command -v mvn >/dev/null || {
    say "no --kit FOLDER was given, and Maven is not installed to fetch the kit"
    exit 1
  }
  mkdir -p "$SCRATCH/kit"
  cat >"$SCRATCH/kit/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local.fondaco</groupId><artifactId>dsp-kit</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.eclipse.dataspacetck.dsp</groupId><artifactId>dsp-tck</artifactId><version>$version</version></dependency>
    <dependency><groupId>com.squareup.okhttp3</groupId><artifactId>okhttp-jvm</artifactId><version>5.4.0</version></dependency>
  </dependencies>
</project>
XML
  if ! mvn -q -B -ntp -f "$SCRATCH/kit/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$SCRATCH/kit/lib" >"$SCRATCH/mvn.log" 2>&1; then
    say "the kit dsp-tck $version cannot be had from Maven Central; give its jars with --kit FOLDER. Maven said:"
    grep -m 3 ERROR "$SCRATCH/mvn.log" >&2 || tail -n 3 "$SCRATCH/mvn.log" >&2
    exit 1
  fi
  kit=$SCRATCH/kit/lib
fi
ls "$kit"/*.jar >/dev/null 2>&1 || {
  say "there are no jars in $kit"
  exit 1
}

prepare_dsp_node "$(free_port)"
rc=0
"${DRIVER[@]}" --run timeout 900 java -cp "$kit/*" org.eclipse.dataspacetck.dsp.suite.DspTckSuite \
  -config "$SCRATCH/tck.properties" >"$SCRATCH/kit.out" 2>"$SCRATCH/kit.err" || rc=$?
grep -E '\] (SUCCESSFUL|FAILED|ABORTED): |\] (Passed|Failed) tests: |Test run complete' "$SCRATCH/kit.out" || true
ok=$(grep -cE '\] SUCCESSFUL: ' "$SCRATCH/kit.out" || true)
# The kit's exit code says nothing; the count and the last line do.
grep -q 'Test run complete' "$SCRATCH/kit.out" || {
  say "the kit did not finish (code $rc); its last words:"
  tail -n 5 "$SCRATCH/kit.out" "$SCRATCH/kit.err" >&2
  exit 1
}
missing=0
while read -r case; do
  grep -qE "\] SUCCESSFUL: $case\$" "$SCRATCH/kit.out" || {
    say "below the floor: $case"
    missing=1
  }
done < <(sed 's/#.*//' tests/conformance/dsp/floor.txt | grep -v '^[[:space:]]*$')
printf '%s of 65 cases of the published DSP kit pass\n' "$ok"
exit "$missing"
