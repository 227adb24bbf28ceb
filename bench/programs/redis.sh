#!/bin/sh
# what: redis-server under redis-benchmark (the server alone is measured)
# A Unix socket, so that no port is needed. Debian's server is linked to jemalloc: where nothing is preloaded, the C library
# is put in front, so that the column says what it names.
set -eu
mkdir -p "$2"
cd "$2"
command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null || { echo "redis-server, redis-benchmark" >&2; exit 77; }
case $1 in
prepare) ;;
run)
    rm -f socket
    if [ -z "${BENCH_PRELOAD:-}" ] && ldd "$(command -v redis-server)" | grep -q jemalloc; then
        BENCH_PRELOAD=$(ldd "$(command -v redis-server)" | awk '$1 ~ /^libc\.so/ { print $3 }')
        export BENCH_PRELOAD
    fi
    $MEASURE redis-server --port 0 --unixsocket socket --save '' --appendonly no --daemonize no --dir . --logfile server.log &
    server=$!
    tries=0
    until redis-cli -s socket ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "redis-server did not start" >&2; exit 1; }
        sleep 0.05
    done
    redis-benchmark -s socket -q -n 100000 -P 32 -r 50000 -d 100 -t set,get,lpush,lpop,sadd,hset,zadd >/dev/null 2>&1
    redis-cli -s socket shutdown nosave >/dev/null 2>&1 || true
    wait $server ;;
esac
