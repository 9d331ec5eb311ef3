# shellcheck shell=bash
# What the verbs of ./dev share. Sourced, with the repository's root as the working directory.

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# install_packages [LIST]: installs what packages.txt (or another list) names and this machine lacks; on another
# distribution it says what it would need.
install_packages() {
  [ -z "${NO_INSTALL:-}" ] || return 0
  local wanted missing=() package
  mapfile -t wanted < <(grep -vE '^[[:space:]]*(#|$)' "${1:-packages.txt}")
  if ! command -v dpkg-query >/dev/null || ! grep -qs '^VERSION_ID="12"' /etc/os-release; then
    say "This is not Debian 12: what is here is used. These packages, by their Debian names, are needed:"
    say "  ${wanted[*]}"
    return 0
  fi
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "These packages are missing and this user may not install them: ${missing[*]}"
    return 1
  fi
  say "installing: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET [TARGET...]: configures once, compiles what changed.
build() {
  local preset=$1
  shift
  [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >&2
  if [ $# -gt 0 ]; then
    cmake --build --preset "$preset" --target "$@" >&2
  else
    cmake --build --preset "$preset" >&2
  fi
}

format_all() {
  git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format-19 -i
}

SCRATCH=
SCRATCH_PIDS=()

# A scratch folder that ends with the script, and with it every server that was started in it.
make_scratch() {
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/fondaco-XXXXXX")
  chmod 755 "$SCRATCH"
  trap end_scratch EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

end_scratch() {
  local pid
  for pid in "${SCRATCH_PIDS[@]+"${SCRATCH_PIDS[@]}"}"; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${SCRATCH_PIDS[@]+"${SCRATCH_PIDS[@]}"}"; do
    wait "$pid" 2>/dev/null || true
  done
  stop_postgres
  [ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
}

free_port() {
  python3 tools/dev/free_port.py
}

POSTGRES_DATA=
POSTGRES_BIN=

# PostgreSQL refuses to run as root: then its own user runs it.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); else "$@"; fi
}

# start_postgres: a server of our own in the scratch folder, with what POSTGRES_OPTIONS adds; sets FONDACO_TEST_POSTGRES
# to its URL.
start_postgres() {
  local port
  POSTGRES_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$POSTGRES_BIN" ] || { say "PostgreSQL is not installed (package postgresql-15)"; return 1; }
  POSTGRES_DATA=$SCRATCH/postgres
  mkdir -p "$POSTGRES_DATA"
  [ "$(id -u)" != 0 ] || chown postgres "$POSTGRES_DATA"
  port=$(free_port)
  as_postgres "$POSTGRES_BIN/initdb" -D "$POSTGRES_DATA/data" -U fondaco -A trust --no-sync >"$SCRATCH/initdb.log" 2>&1
  as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_DATA/data" -w -t 30 -l "$POSTGRES_DATA/server.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 ${POSTGRES_OPTIONS:-}" \
    start >/dev/null
  export FONDACO_TEST_POSTGRES="postgresql://fondaco@127.0.0.1:$port/postgres"
}

stop_postgres() {
  [ -n "$POSTGRES_DATA" ] || return 0
  as_postgres "$POSTGRES_BIN/pg_ctl" -D "$POSTGRES_DATA/data" -m immediate -w stop >/dev/null 2>&1 || true
  POSTGRES_DATA=
}

# start_nats: a server of our own with JetStream in the scratch folder; sets FONDACO_TEST_NATS to its URL.
start_nats() {
  local port
  port=$(free_port)
  nats-server -a 127.0.0.1 -p "$port" -js -sd "$SCRATCH/nats" >"$SCRATCH/nats.log" 2>&1 &
  SCRATCH_PIDS+=($!)
  wait_for "nats-server on port $port" 100 port_open "$port"
  export FONDACO_TEST_NATS="nats://127.0.0.1:$port"
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for WHAT TENTHS COMMAND...: polls until the command holds, and says what it waited for when it does not.
wait_for() {
  local what=$1 tenths=$2
  shift 2
  while [ "$tenths" -gt 0 ]; do
    if "$@"; then return 0; fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
  say "gave up waiting for $what"
  return 1
}
