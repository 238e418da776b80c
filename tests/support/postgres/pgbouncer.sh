#!/usr/bin/env bash
# A PgBouncer for a test, in transaction mode, in front of the PostgreSQL at HOST:PORT.
#
#   pgbouncer.sh run HOST PORT POOL_SIZE   starts one, prints "port=…", and stops it when stdin ends
set -euo pipefail

[[ ${1:-} == run && $# == 4 ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
exec 4<&0
trap '' INT TERM HUP
user=()
if [[ $(id -u) == 0 ]]; then user=(runuser -u postgres --); fi
folder=$("${user[@]}" mktemp -d "${TMPDIR:-/tmp}/rapport-pgbouncer.XXXXXX" 4<&-)

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

pid=
for _ in 1 2 3 4 5; do
  port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  if answers "$port"; then continue; fi
  cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = host=$2 port=$3
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $folder/users.txt
pool_mode = transaction
server_login_retry = 1
default_pool_size = $4
max_client_conn = 500
server_reset_query =
log_connections = 0
log_disconnections = 0
INI
  printf '"rapport_app" ""\n"rapport_feed" ""\n"rapport_owner" ""\n' >"$folder/users.txt"
  chmod -R a+rX "$folder"
  "${user[@]}" "${RAPPORT_PGBOUNCER:-/usr/sbin/pgbouncer}" -q "$folder/pgbouncer.ini" \
    >"$folder/log" 2>&1 </dev/null 4<&- &
  pid=$!
  for _ in $(seq 200); do
    if answers "$port" || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.05
  done
  if answers "$port"; then break; fi
  cat "$folder/log" >&2
  pid=
done
[[ -n $pid ]] || { rm -rf "$folder"; exit 1; }
echo "port=$port"
exec >&-
cat <&4 >/dev/null || true
kill "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
rm -rf "$folder"
