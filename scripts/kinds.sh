#!/bin/sh
# Runs each kind of heap misuse of verify/kinds.c, with blocks of 16, 256, 4096 and 262144 bytes, under several allocators,
# and says how many are caught: ended by the allocator or by a fault, or without effect.
#
#   scripts/kinds.sh [-n RUNS] [-o FILE] [[LABEL=]LIBRARY.so]...
#
#   -n RUNS   runs of each (default 3); it must be caught in all of them
#   -o FILE   the table goes there as well
#
# The columns: the C library, MeMS, MeMS with MEMS_HARDEN=1, and each LIBRARY; without one, Debian's mimalloc, jemalloc and
# tcmalloc, those that are installed.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
build=$root/build/kinds
sizes="16 256 4096 262144"

# One kind under every allocator: "row KIND caught/of caught/of ...".
if [ "${1:-}" = --one ]; then
    kind=$2 sized=$3
    shift 3
    [ "$sized" = sized ] || sizes=0
    line="row $kind"
    for library in "$@"; do
        harden=-uMEMS_HARDEN
        case $library in harden:*) harden=MEMS_HARDEN=1 library=${library#harden:} ;; esac
        [ "$library" = none ] && library=
        caught=0 of=0
        for size in $sizes; do
            of=$((of + 1)) run=0 missed=no
            while [ $run -lt "$RUNS" ] && [ $missed = no ]; do
                run=$((run + 1))
                word=$(timeout -k 1 20 env $harden MEMS_STATS=off LD_PRELOAD="$library" "$build/kinds" "$kind" "$size" 2>/dev/null)
                case $? in 124 | 2 | 3 | 4 | 126 | 127) missed=yes ;; esac
                [ "$word" = "NOT CAUGHT" ] && missed=yes
            done
            [ $missed = no ] && caught=$((caught + 1))
        done
        line="$line $caught/$of"
    done
    echo "$line"
    exit 0
fi

RUNS=3
output=
. "$root/scripts/allocators.sh"
while [ $# -gt 0 ]; do
    case $1 in
    -n) RUNS=$2 && shift ;;
    -o) output=$2 && shift ;;
    -*) echo "usage: scripts/kinds.sh [-n RUNS] [-o FILE] [[LABEL=]LIBRARY.so]..." >&2 && exit 2 ;;
    *) given_library "$1" ;;
    esac
    shift
done
end_of_libraries
mkdir -p "$build"
"${CC:-cc}" -std=gnu17 -O1 -g -w -fno-builtin "$root/verify/kinds.c" -o "$build/kinds" || exit 2
export LIBMEMS RUNS
# The shell says a line of its own when a program dies; it goes nowhere.
"$build/kinds" | while read -r kind sized; do
    # shellcheck disable=SC2086
    "$0" --one "$kind" "$sized" $libraries 2>/dev/null
done >"$build/rows"
awk -v labels="$labels" -v runs="$RUNS" '
    BEGIN {
        n = split(labels, label, " ")
        printf "| kind, in all of %d runs |", runs; for (i = 1; i <= n; i++) printf " %s |", label[i]
        printf "\n|---|"; for (i = 1; i <= n; i++) printf "---|"
        printf "\n"
    }
    {
        printf "| %s |", $2
        for (i = 1; i <= n; i++) {
            split($(i + 2), part, "/")
            caught[i] += part[1]; of[i] += part[2]
            printf " %s |", part[1] == part[2] ? $(i + 2) : "**" $(i + 2) "**"
        }
        printf "\n"
    }
    END { printf "| **caught** |"; for (i = 1; i <= n; i++) printf " **%d of %d** |", caught[i], of[i]; printf "\n"; exit NR == 0 }
' "$build/rows" >"$build/table"
bad=$?
cat "$build/table"
[ -n "$output" ] && cp "$build/table" "$output"
exit $bad
