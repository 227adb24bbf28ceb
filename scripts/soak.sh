#!/bin/sh
# Runs c_tests/soak.c under MeMS for a long time: scripts/soak.sh [MINUTES]   (default 30)
#
# Runs of up to two and a half minutes, twelve at least, each with a seed of its own, in turn as MeMS comes, with
# MEMS_HARDEN=1, with MEMS_PROFILE=stacks, sites and sample, and with MEMS_GUARD. The program checks its blocks and that it does not grow; after each run its
# dump must hold the identity: blocks asked - blocks freed = blocks live. Ends at the first failure, with the seed to
# repeat it; the last lines sum up, a line a mode.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
minutes=${1:-30}
case $minutes in '' | *[!0-9]*) echo "usage: scripts/soak.sh [MINUTES]" >&2 && exit 2 ;; esac
[ -f "$LIBMEMS" ] || { echo "scripts/soak.sh: $LIBMEMS is not there; run make first" >&2; exit 2; }
for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
ulimit -c 0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# Copies: what is built meanwhile does not change what is soaked.
cp "$LIBMEMS" "$dir/libmems.so" && LIBMEMS=$dir/libmems.so
program=$dir/soak
${CC:-cc} -std=gnu17 -O1 -g -fno-builtin -Wno-unused-result -pthread -I"$root/c_tests" "$root/c_tests/soak.c" -o "$program" || exit 2
cd "$dir" || exit 2

number() { sed -n "s/.*\"blocks\":{[^}]*\"$1\":\([0-9]*\).*/\1/p" "$dir/own"; }

length=$((minutes * 5))
[ $length -lt 10 ] && length=10
[ $length -gt 150 ] && length=150
start=$(date +%s)
end=$((start + minutes * 60))
seed=0
: >"$dir/lines"
while [ "$(date +%s)" -lt $end ]; do
    seed=$((seed + 1))
    rm -f "$dir/dump"
    case $((seed % 6)) in
    1) mode=plain set=-uMEMS_HARDEN ;;
    2) mode=hardened set=MEMS_HARDEN=1 ;;
    3) mode=stacks set=MEMS_PROFILE=stacks ;;
    4) mode=sites set=MEMS_PROFILE=sites ;;
    5) mode=sample set=MEMS_PROFILE=sample:65536 ;;
    0) mode=guarded set=MEMS_GUARD=sample:200 ;;
    esac
    env $set MEMS_STATS_FORMAT=json MEMS_STATS_FILE="$dir/dump" LD_PRELOAD="$LIBMEMS" \
        timeout -k 5 $((length + 300)) "$program" $length $seed >"$dir/out" 2>"$dir/err"
    code=$?
    if [ $code != 0 ]; then
        echo "seed $seed ($mode): exit code $code after $(($(date +%s) - start)) s"
        cat "$dir/out" "$dir/err"
        exit 1
    fi
    sed "s/^/$mode /" "$dir/out" | tee -a "$dir/lines"
    # The soaking process's own dump, not its children's nor timeout's: the one that left by exit.
    grep '"kind":"exit"' "$dir/dump" | grep '/soak"' | grep -v '/timeout"' >"$dir/own"
    if [ "$(wc -l <"$dir/own")" != 1 ]; then
        echo "seed $seed ($mode): $(wc -l <"$dir/own") dumps of the process itself, not 1"
        exit 1
    fi
    if [ "$(($(number asked) - $(number freed)))" != "$(number live)" ]; then
        echo "seed $seed ($mode): asked $(number asked) - freed $(number freed) is not live $(number live)"
        exit 1
    fi
done
awk -v runs=$seed -v length_of="$length" -v minutes="$minutes" '
    function raise(what, to) { if (to > most[$1, what]) most[$1, what] = to }
    {
        n[$1]++; turns[$1] += $2; threads[$1] += $4; starved[$1] += $6; refusals[$1] += $8; children[$1] += $10; signals[$1] += $12
        raise("rss", $16); raise("maps", $26)
        if ($14) raise("growth", $16 / $14)
    }
    END {
        printf "soak: %d minutes, %d runs of %d s, all well\n", minutes, runs, length_of
        for (m in n) printf "%s: %d runs, %.0f turns, %.0f threads (%.0f starved, %.0f refusals), %.0f children, %.0f signals, resident at most %.0f MiB, " \
            "second half over second quarter at most %.2f, at most %d mappings\n",
            m, n[m], turns[m], threads[m], starved[m], refusals[m], children[m], signals[m], most[m, "rss"] / 1024, most[m, "growth"], most[m, "maps"]
    }' "$dir/lines"
