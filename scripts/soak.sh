#!/bin/sh
# Runs c_tests/soak.c under MeMS for a long time: scripts/soak.sh [MINUTES]   (default 30)
#
# Runs of 20 seconds, each with a seed of its own, in turn as MeMS comes and with MEMS_HARDEN=1. After each one its dump
# must hold the identity: blocks asked - blocks freed = blocks live. Ends at the first failure, with the seed to
# repeat it; the last line sums up.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
minutes=${1:-30}
case $minutes in '' | *[!0-9]*) echo "usage: scripts/soak.sh [MINUTES]" >&2 && exit 2 ;; esac
[ -f "$LIBMEMS" ] || { echo "scripts/soak.sh: $LIBMEMS is not there; run make first" >&2; exit 2; }
for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
ulimit -c 0
mkdir -p "$root/build"
program=$root/build/soak
${CC:-cc} -std=gnu17 -O1 -g -fno-builtin -Wno-unused-result -pthread -I"$root/c_tests" "$root/c_tests/soak.c" -o "$program" || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2

number() { sed -n "s/.*\"blocks\":{[^}]*\"$1\":\([0-9]*\).*/\1/p" "$dir/own"; }

start=$(date +%s)
end=$((start + minutes * 60))
seed=0
: >"$dir/lines"
while [ "$(date +%s)" -lt $end ]; do
    seed=$((seed + 1))
    rm -f "$dir/dump"
    harden=-uMEMS_HARDEN
    [ $((seed % 2)) = 0 ] && harden=MEMS_HARDEN=1
    env $harden MEMS_STATS_FORMAT=json MEMS_STATS_FILE="$dir/dump" LD_PRELOAD="$LIBMEMS" \
        timeout -k 5 120 "$program" 20 $seed >"$dir/out" 2>"$dir/err"
    code=$?
    if [ $code != 0 ]; then
        echo "seed $seed ($harden): exit code $code after $(($(date +%s) - start)) s"
        cat "$dir/out" "$dir/err"
        exit 1
    fi
    cat "$dir/out" >>"$dir/lines"
    # The soaking process's own dump, not its children's nor timeout's: the one that left by exit and ran 20 seconds.
    grep '"kind":"exit"' "$dir/dump" | grep '/soak"' | grep -v '/timeout"' >"$dir/own"
    if [ "$(wc -l <"$dir/own")" != 1 ]; then
        echo "seed $seed ($harden): $(wc -l <"$dir/own") dumps of the process itself, not 1"
        exit 1
    fi
    if [ "$(($(number asked) - $(number freed)))" != "$(number live)" ]; then
        echo "seed $seed ($harden): asked $(number asked) - freed $(number freed) is not live $(number live)"
        exit 1
    fi
done
awk -v runs=$seed -v minutes="$minutes" '
    { turns += $1; threads += $3; gsub(/\(/, "", $5); starved += $5; refusals += $7; children += $9; signals += $11; if ($14 > rss) rss = $14 }
    END {
        printf "soak: %d minutes, %d runs, all well: %.0f turns, %.0f threads (%.0f starved, %.0f refusals), %.0f children, %.0f signals, RSS at the end at most %.0f KiB\n",
            minutes, runs, turns, threads, starved, refusals, children, signals, rss
    }' "$dir/lines"
