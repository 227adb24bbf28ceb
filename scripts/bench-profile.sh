#!/bin/sh
# What call sites cost: CPU time and peak RSS of five programs in every MEMS_PROFILE, beside heaptrack -r. About 4 minutes.
#
#   scripts/bench-profile.sh [--rounds N] [--others] [PROGRAM ...]     (5 rounds; pairs python perl sqlite compile-c)
#
# The ways are run in turn in each round. A ratio is the median of the rounds' ratios to plain counting (MEMS_PROFILE=off)
# in the same round. `stacks` is also set against heaptrack: what it adds to the CPU time of plain counting, as a part of what
# heaptrack adds to that of the program alone. --others runs memusage, DHAT and jemalloc's profiler too, once each.
# The table goes to stdout as Markdown, and to target/bench-results/profile.md.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
rounds=5 others=
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift 2 ;;
    --others) others=yes; shift ;;
    -*) echo "usage: scripts/bench-profile.sh [--rounds N] [--others] [PROGRAM ...]" >&2; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- pairs python perl sqlite compile-c
library=${LIBMEMS:-$root/target/release/libmems.so}
[ -e "$library" ] || { echo "scripts/bench-profile.sh: $library is not there; run make first" >&2; exit 2; }
work=$root/target/bench-profile
rm -rf "$work"
mkdir -p "$work/bin" "$work/tmp" target/bench-results
${CC:-cc} -O2 -static -o "$work/bin/measure" bench/measure.c
${CC:-cc} -O2 -fno-builtin -o "$work/bin/pairs" bench/pairs.c
figures=$work/figures
: >"$figures"

ways="none off sites sample stacks"
! command -v heaptrack >/dev/null || ways="$ways heaptrack"

# Runs $program once in one way; notes program, way, CPU seconds and MiB.
once() {
    way=$1
    before=
    export BENCH_RESULT="$work/result" BENCH_PRELOAD= BENCH_LIMIT=900
    unset MEMS_PROFILE MEMS_RECORD MEMS_STATS_FILE MALLOC_CONF MEMUSAGE_OUTPUT
    case $way in
    none) ;;
    heaptrack) before="heaptrack -r -o $work/tmp/heaptrack" ;;
    dhat) before="valgrind --tool=dhat --dhat-out-file=$work/tmp/dhat" ;;
    memusage) BENCH_PRELOAD=libmemusage.so ;;
    jemalloc)
        BENCH_PRELOAD=libjemalloc.so.2
        export MALLOC_CONF="prof:true,prof_final:true,prof_prefix:$work/tmp/jemalloc"
        ;;
    *)
        BENCH_PRELOAD=$library
        export MEMS_PROFILE=$way MEMS_STATS_FILE=/dev/null MEMS_RECORD="$work/tmp/record"
        ;;
    esac
    : >"$BENCH_RESULT"
    export MEASURE="$work/bin/measure $before"
    if [ "$program" = pairs ]; then
        $MEASURE "$work/bin/pairs"
    else
        sh "bench/programs/$program.sh" run "$work/$program"
    fi >"$work/out" 2>&1 || { echo "$program $way: failed" >&2; tail -5 "$work/out" >&2; }
    awk -v p="$program" -v w="$way" '$5 == 0 { print p, w, ($1 + $2) / 1e6, $4 / 1024 }' "$BENCH_RESULT" >>"$figures"
    rm -rf "$work/tmp"
    mkdir "$work/tmp"
}

for program in "$@"; do
    mkdir -p "$work/$program"
    [ "$program" = pairs ] || sh "bench/programs/$program.sh" prepare "$work/$program"
    round=0
    while [ $round -lt "$rounds" ]; do
        for way in $ways; do once "$way"; done
        round=$((round + 1))
        echo "$program: round $round of $rounds" >&2
    done
    if [ -n "$others" ]; then
        for way in memusage dhat jemalloc; do once $way; done
    fi
done

awk -v programs="$*" -v others="$others" '
function median(list, n,    i, j, t) {
    for (i = 2; i <= n; i++) { t = list[i]; for (j = i - 1; j > 0 && list[j] > t; j--) list[j + 1] = list[j]; list[j + 1] = t }
    return n ? (list[int((n + 1) / 2)] + list[int(n / 2) + 1]) / 2 : 0
}
# The median over the rounds of (a - b) / (c - d), where a way that is not named counts 0.
function ratio(p, a, b, c, d, from,    i, list, n, most) {
    most = count[p, a] < count[p, c] ? count[p, a] : count[p, c]
    split("", list)
    for (i = 1; i <= most; i++) list[++n] = (from[p, a, i] - from[p, b, i]) / (from[p, c, i] - from[p, d, i])
    return n ? sprintf("%.2f", median(list, n)) : "-"
}
function middle(p, w, from,    i, list) {
    split("", list)
    for (i = 1; i <= count[p, w]; i++) list[i] = from[p, w, i]
    return median(list, count[p, w])
}
{ i = ++count[$1, $2]; cpu[$1, $2, i] = $3; rss[$1, $2, i] = $4 }
END {
    n = split(programs, name, " ")
    print "| CPU time | off, s | sites | sample | stacks | stacks / heaptrack, added | heaptrack -r" (others ? " | memusage | DHAT | jemalloc prof" : "") " |"
    print "|---|---|---|---|---|---|---|" (others ? "---|---|---|" : "")
    for (k = 1; k <= n; k++) {
        p = name[k]
        printf "| %s | %.2f | %s | %s | %s | %s | %s", p, middle(p, "off", cpu), ratio(p, "sites", "", "off", "", cpu),
            ratio(p, "sample", "", "off", "", cpu), ratio(p, "stacks", "", "off", "", cpu),
            ratio(p, "stacks", "off", "heaptrack", "none", cpu), ratio(p, "heaptrack", "", "none", "", cpu)
        if (others) printf " | %s | %s | %s", ratio(p, "memusage", "", "none", "", cpu), ratio(p, "dhat", "", "none", "", cpu), ratio(p, "jemalloc", "", "none", "", cpu)
        print " |"
    }
    print "\n| peak RSS, MiB | off | sites | sample | stacks | alone | heaptrack -r" (others ? " | memusage | DHAT | jemalloc prof" : "") " |"
    print "|---|---|---|---|---|---|---|" (others ? "---|---|---|" : "")
    for (k = 1; k <= n; k++) {
        p = name[k]
        printf "| %s", p
        m = split("off sites sample stacks none heaptrack" (others ? " memusage dhat jemalloc" : ""), way, " ")
        for (j = 1; j <= m; j++) printf " | %.1f", middle(p, way[j], rss)
        print " |"
    }
}' "$figures" | tee target/bench-results/profile.md
