#!/bin/sh
# Times mems_malloc, mems_get and mems_free at growing numbers of live segments, libmems.so beside a plain linear list.
#
#   scripts/bench_mems.sh [N ...]      (default: 1000 10000 100000 1000000)
#
# Each row is the best of ROUNDS runs (default 3), column by column; the linear list runs once, and each of its
# measurements is cut off after a second. bench/mems/bench.c says what the columns are.

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
CC=${CC:-cc}
build=$root/build/bench
rounds=${ROUNDS:-3}
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
"$build/linear" memory
printf '%-8s %9s %9s %9s %9s %9s %9s %7s\n' '' live 'fill ns' 'get ns' 'free ns' 'malloc ns' 'clear ns' bytes
for n in "$@"; do
    i=0
    while [ $i -lt "$rounds" ]; do
        "$build/mems" mems "$n"
        i=$((i + 1))
    done | awk '
        { for (c = 3; c <= 8; c++) if (NR == 1 || $c < best[c]) best[c] = $c; name = $1; n = $2 }
        END { printf "%-8s %9d %9.1f %9.1f %9.1f %9.1f %9.1f %7.1f\n", name, n, best[3], best[4], best[5], best[6],
              best[7], best[8] }'
    "$build/linear" linear "$n"
done
