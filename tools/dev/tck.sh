#!/usr/bin/env bash
# ./dev tck dsp|dcp: the published conformance kits themselves, unmodified, against a node of our own.
set -euo pipefail
. tools/dev/lib.sh
. tools/dev/node.sh

protocol=${1:-}
case "$protocol" in
dsp) version=1.0.1 driver=dsp_driver cases=65 ;;
dcp) version=1.0.2 driver=dcp_conformance cases=85 ;;
*)
  say "./dev tck: which kit? dsp or dcp"
  exit 2
  ;;
esac
kit=
shift
while [ $# -gt 0 ]; do
  case "$1" in
  --kit) kit=$(readlink -f "$2") && shift ;;
  *)
    say "./dev tck $protocol: unknown option '$1'"
    exit 2
    ;;
  esac
  shift
done
command -v java >/dev/null || {
  say "the kit is a Java program: install a JDK 17 or later (package openjdk-17-jre-headless)"
  exit 1
}
build release fondaco "$driver"
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
  <groupId>local.fondaco</groupId><artifactId>$protocol-kit</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.eclipse.dataspacetck.$protocol</groupId><artifactId>$protocol-tck</artifactId><version>$version</version></dependency>
    <dependency><groupId>com.squareup.okhttp3</groupId><artifactId>okhttp-jvm</artifactId><version>5.4.0</version></dependency>
  </dependencies>
</project>
XML
  if ! mvn -q -B -ntp -f "$SCRATCH/kit/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$SCRATCH/kit/lib" >"$SCRATCH/mvn.log" 2>&1; then
    say "the kit $protocol-tck $version cannot be had from Maven Central; give its jars with --kit FOLDER. Maven said:"
    grep -m 3 ERROR "$SCRATCH/mvn.log" >&2 || tail -n 3 "$SCRATCH/mvn.log" >&2
    exit 1
  fi
  kit=$SCRATCH/kit/lib
fi
ls "$kit"/*.jar >/dev/null 2>&1 || {
  say "there are no jars in $kit"
  exit 1
}

# run_kit PROPERTIES CLASS [RUNNER...]: the kit's words go to $SCRATCH/kit.out, its exit code says nothing.
run_kit() {
  local properties=$1 class=$2 rc=0
  shift 2
  "$@" timeout 900 java -cp "$kit/*" "$class" -config "$properties" >"$SCRATCH/kit.one" 2>"$SCRATCH/kit.err" || rc=$?
  grep -E '\] (SUCCESSFUL|FAILED|ABORTED): |\] (Passed|Failed) tests: |Test run complete' "$SCRATCH/kit.one" || true
  sed -n '/There were failing tests/,/Test run complete/p' "$SCRATCH/kit.one"
  cat "$SCRATCH/kit.one" >>"$SCRATCH/kit.out"
  grep -q 'Test run complete' "$SCRATCH/kit.one" || {
    say "the kit did not finish (code $rc); its last words:"
    tail -n 5 "$SCRATCH/kit.one" "$SCRATCH/kit.err" >&2
    exit 1
  }
}

missing=0
if [ "$protocol" = dsp ]; then
  prepare_dsp_node "$(free_port)"
  run_kit "$SCRATCH/tck.properties" org.eclipse.dataspacetck.dsp.suite.DspTckSuite "${DRIVER[@]}" --run
  while read -r case; do
    grep -qE "\] SUCCESSFUL: $case\$" "$SCRATCH/kit.out" || {
      say "below the floor: $case"
      missing=1
    }
  done < <(sed 's/#.*//' tests/conformance/dsp/floor.txt | grep -v '^[[:space:]]*$')
else
  prepare_dcp_node "$(free_port)"
  mkdir "$SCRATCH/roles"
  build/release/bin/dcp_conformance -config "$SCRATCH/dcp.properties" --prepare-kit "$SCRATCH/roles"
  # The kit plays the roles that it does not test: a run for each. It prints titles, which several cases share: the
  # floor's methods are counted.
  for role in holder issuer verifier; do
    run_kit "$SCRATCH/roles/$role.properties" org.eclipse.dataspacetck.dcp.suite.DcpTckSuite
    case "$role" in
    holder) floor='^cs_' ;;
    issuer) floor='^is_' ;;
    verifier) floor='^(verifier_|presentationResponse_)' ;;
    esac
    floor=$(grep -cE "$floor" tests/conformance/dcp/floor.txt)
    passed=$(grep -cE '\] SUCCESSFUL: ' "$SCRATCH/kit.one" || true)
    printf '%s: %s cases pass, the floor is %s\n' "$role" "$passed" "$floor"
    [ "$passed" -ge "$floor" ] || missing=1
  done
fi
ok=$(grep -cE '\] SUCCESSFUL: ' "$SCRATCH/kit.out" || true)
printf '%s of %s cases of the published %s kit pass\n' "$ok" "$cases" "${protocol^^}"
exit "$missing"
