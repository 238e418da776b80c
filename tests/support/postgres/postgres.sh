#!/usr/bin/env bash
# A private PostgreSQL for tests, in a temporary folder, on a free loopback port.
#
#   postgres.sh start FILE   starts one, unless FILE names one that runs, and writes
#                            "host=… port=… superuser=…" to FILE
#   postgres.sh stop FILE    stops the one in FILE and removes it, unless others that said start
#                            have yet to say stop
#   postgres.sh run          starts one, prints the line, and stops it when stdin ends
#
# Durability is off: what survives a crash is not tested with this server.
set -euo pipefail

bin=${RAPPORT_POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
user=()
if [[ $(id -u) == 0 ]]; then user=(runuser -u postgres --); fi  # initdb refuses root

free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
  echo "no free port" >&2
  return 1
}

start() {
  folder=$("${user[@]}" mktemp -d "${TMPDIR:-/tmp}/rapport-postgres.XXXXXX")
  "${user[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C \
    --no-sync >"$folder.log" 2>&1 || { cat "$folder.log" >&2; return 1; }
  local port
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    if "${user[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 -s start -o \
        "-h 127.0.0.1 -p $port -k '' -c fsync=off -c full_page_writes=off \
         -c max_connections=300 -c shared_buffers=64MB -c max_wal_size=256MB \
         -c max_locks_per_transaction=128" 2>>"$folder.log"; then
      connection="host=127.0.0.1 port=$port superuser=postgres"
      return
    fi
  done
  cat "$folder.log" >&2
  "${user[@]}" cat "$folder/server.log" >&2
  return 1
}

stop() {
  "${user[@]}" "$bin/pg_ctl" -D "$1/data" -m immediate -w -s stop || true
  rm -rf "$1" "$1.log"
}

case "${1:-}" in
  start)
    mkdir -p "$(dirname "$2")"
    exec 9>"$2.lock"
    flock 9
    users=0
    if [[ -f $2.state ]]; then
      read -r folder users <"$2.state"
      if ! "${user[@]}" "$bin/pg_ctl" -D "$folder/data" status >/dev/null 2>&1; then
        stop "$folder" 2>/dev/null
        users=0
      fi
    fi
    if [[ $users == 0 ]]; then
      # The server inherits no descriptor of ours: whoever waits for its end would wait for ever.
      start </dev/null 9>&-
      echo "$connection" >"$2"
    fi
    echo "$folder $((users + 1))" >"$2.state"
    ;;
  stop)
    exec 9>"$2.lock"
    flock 9
    if [[ ! -f $2.state ]]; then exit 0; fi
    read -r folder users <"$2.state"
    if [[ $users -gt 1 ]]; then
      echo "$folder $((users - 1))" >"$2.state"
    else
      stop "$folder"
      rm -f "$2" "$2.state"
    fi
    ;;
  run)
    exec 4<&0
    trap '' INT TERM HUP  # only the end of stdin stops us: our parent's exit, however it dies
    start </dev/null 4<&-
    echo "$connection"
    exec >&-
    cat <&4 >/dev/null || true
    stop "$folder"
    ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
