#!/bin/sh
# Times mems_malloc, mems_get and mems_free at growing numbers of live segments, libmems.so beside a plain linear list.
#
#   scripts/bench_mems.sh [N ...]      (default: 1000 10000 100000 1000000)
#
# Each row is the median of ROUNDS runs (default 5), column by column; the linear list runs once, and each of its
# measurements is cut off after a second. Segments of 40 bytes on average, then, of libmems.so alone, of 1,000.
# bench/mems/bench.c says what the columns are.

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
CC=${CC:-cc}
build=$root/build/bench
rounds=${ROUNDS:-5}
mkdir -p "$build"
[ $# -gt 0 ] || set -- 1000 10000 100000 1000000
if [ ! -f "$LIBMEMS" ]; then
    echo "scripts/bench_mems.sh: $LIBMEMS is not there; run make first" >&2
    exit 2
fi
$CC -std=gnu17 -O2 -Wall -Wextra -I"$root/include" "$root/bench/mems/bench.c" -o "$build/mems" \
    -L"${LIBMEMS%/*}" -lmems -Wl,-rpath,"${LIBMEMS%/*}"
$CC -std=gnu17 -O2 -Wall -Wextra -I"$root/include" "$root/bench/mems/bench.c" "$root/bench/mems/linear.c" \
    -o "$build/linear"
export MEMS_STATS=off
# median SIZE N: one row for libmems.so.
median() {
    i=0
    while [ $i -lt "$rounds" ]; do
        "$build/mems" mems "$2" 500 "$1"
        i=$((i + 1))
    done | awk '
        { for (c = 4; c <= 10; c++) all[c, NR] = $c; name = $1; size = $2; n = $3 }
        END {
            for (c = 4; c <= 10; c++) {
                for (i = 1; i <= NR; i++) for (j = i + 1; j <= NR; j++) if (all[c, j] < all[c, i]) {
                    t = all[c, i]; all[c, i] = all[c, j]; all[c, j] = t
                }
                m[c] = all[c, int((NR + 1) / 2)]
            }
            printf "%-8s %5d %9d %9.1f %9.1f %9.1f %9.1f %9.1f %6.1f %7.1f\n", name, size, n, m[4], m[5], m[6], m[7], m[8],
                m[9], m[10]
        }'
}
"$build/linear" memory
printf '%-8s %5s %9s %9s %9s %9s %9s %9s %6s %7s\n' '' size live 'fill ns' 'get ns' 'free ns' 'malloc ns' 'clear ns' loop \
    bytes
for n in "$@"; do
    median 40 "$n"
    "$build/linear" linear "$n"
done
for n in "$@"; do
    median 1000 "$n"
done
"$build/linear" memory
