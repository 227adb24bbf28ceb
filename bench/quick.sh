#!/bin/sh
# For tuning: some rows, MeMS beside glibc and the strongest peers, in under a minute. Minima of the rounds, one compact table.
#
#   bench/quick.sh mixed larson@2          rows, groups or 'prefix*'
#   MEMS=path/to/libmems.so bench/quick.sh small
#   bench/quick.sh mixed --lib mems-old=/tmp/libmems.so --rounds 9
set -eu
cd "$(dirname "$0")/.."
exec scripts/bench.sh --quick --peers mems,mimalloc3,snmalloc,rpmalloc,tcmalloc ${MEMS:+--mems "$MEMS"} "$@"
