#!/usr/bin/env bash
# One PostgreSQL instance of a test's own, durable unless it is told otherwise, that can be crashed,
# copied and promoted.
#
#   instance.sh guard                  makes a folder for one, prints it, and stops and removes what
#                                      is in it when stdin ends
#   instance.sh init FOLDER            makes an empty cluster
#   instance.sh clone FOLDER HOST PORT NAME   makes a standby of the instance there, which it knows
#                                      as NAME
#   instance.sh start FOLDER HOST PORT [SETTING=VALUE…]
#   instance.sh stop FOLDER immediate|fast
#   instance.sh promote FOLDER
set -euo pipefail

bin=${RAPPORT_POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
user=()
if [[ $(id -u) == 0 ]]; then user=(runuser -u postgres --); fi

case "${1:-}" in
  guard)
    exec 4<&0
    trap '' INT TERM HUP
    folder=$("${user[@]}" mktemp -d "${TMPDIR:-/tmp}/rapport-instance.XXXXXX" 4<&-)
    echo "$folder"
    exec >&-
    cat <&4 >/dev/null || true
    "${user[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w -s stop 2>/dev/null || true
    rm -rf "$folder"
    ;;
  init)
    "${user[@]}" "$bin/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
      >"/dev/null"
    ;;
  clone)
    "${user[@]}" "$bin/pg_basebackup" -D "$2/data" -R -X stream -c fast --no-sync \
      -d "host=$3 port=$4 user=postgres application_name=$5"
    ;;
  start)
    folder=$2 options="-h $3 -p $4 -k '' -c shared_buffers=32MB -c max_wal_size=128MB"
    shift 4
    for setting in "$@"; do options+=" -c ${setting%%=*}='${setting#*=}'"; done
    "${user[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 -s start \
      -o "$options" </dev/null || { "${user[@]}" cat "$folder/server.log" >&2; exit 1; }
    ;;
  stop)
    "${user[@]}" "$bin/pg_ctl" -D "$2/data" -m "$3" -w -t 60 -s stop
    ;;
  promote)
    "${user[@]}" "$bin/pg_ctl" -D "$2/data" -w -t 60 -s promote
    ;;
  *)
    sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
