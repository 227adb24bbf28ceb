#!/bin/sh
# The same programs under MeMS's profiles and under other heap profilers: CPU time, peak RSS, size of the record, in one table.
#
#   scripts/profilers.sh                          every tool and program, 3 rounds (DHAT: 1); about a quarter of an hour
#   scripts/profilers.sh --rounds 5 python perl   more rounds, some programs
#   scripts/profilers.sh --tools 'mems-sites heaptrack-raw'   some tools
#   scripts/profilers.sh --table                  only the table, from the figures that are there
#
# Times are user and system CPU time of the tool and the program together, the median of the rounds, which are interleaved; RSS is
# the largest process's peak. A tool that is not installed is left out, and named. Figures: target/profilers/figures; table: stdout.
set -eu
cd "$(dirname "$0")/.."
home=$PWD
out=$home/target/profilers
bin=$home/target/bench-bin
mems=${MEMS:-$home/target/release/mems}
jemalloc=${JEMALLOC:-/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2}
all_tools='plain mems-off mems-sites mems-sample mems-stacks heaptrack heaptrack-raw memusage jemalloc jemalloc-all dhat'
all_programs='python compile-c sqlite perl pairs'
rounds=3 tools=$all_tools programs= measure=yes
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --tools) tools=$2; shift ;;
    --table) measure=no ;;
    -*) sed -n '2,9p' "$0"; exit 2 ;;
    *) programs="$programs $1" ;;
    esac
    shift
done
programs=${programs:-$all_programs}
mkdir -p "$out" "$bin"

# The words that go before the program, for a tool whose record goes to directory $2.
words() {
    case $1 in
    plain) echo ;;
    mems-*) echo "$mems run -q -p ${1#mems-} -o $2 --" ;;
    heaptrack) echo "heaptrack -o $2/record" ;;
    heaptrack-raw) echo "heaptrack -r -o $2/record" ;;
    memusage) echo "memusage -d $2/record" ;;
    jemalloc) echo "env LD_PRELOAD=$jemalloc MALLOC_CONF=prof:true,prof_final:true,prof_prefix:$2/record" ;;
    jemalloc-all) echo "env LD_PRELOAD=$jemalloc MALLOC_CONF=prof:true,prof_final:true,lg_prof_sample:0,prof_prefix:$2/record" ;;
    dhat) echo "valgrind -q --tool=dhat --dhat-out-file=$2/record" ;;
    esac
}

is_there() {
    case $1 in
    plain) true ;;
    mems-*) [ -x "$mems" ] ;;
    heaptrack*) command -v heaptrack >/dev/null ;;
    memusage) command -v memusage >/dev/null ;;
    # A library built without its profiler says so on stderr and goes on.
    jemalloc*) [ -e "$jemalloc" ] && ! MALLOC_CONF=prof:true LD_PRELOAD=$jemalloc true 2>&1 | grep -q . ;;
    dhat) command -v valgrind >/dev/null ;;
    esac
}

# A loop of malloc and free, of 16 to 527 bytes, in a ring of 64 blocks.
pairs() {
    cat >"$out/pairs/pairs.c" <<'C'
#include <stdlib.h>
static void *volatile ring[64];
int main(void) {
    unsigned seed = 42;
    for (int i = 0; i < 2000000; i++) {
        seed = seed * 1103515245 + 12345;
        int at = seed >> 8 & 63;
        free(ring[at]);
        ring[at] = malloc(16 + (seed >> 16 & 511));
    }
}
C
    ${CC:-cc} -g -O1 -fno-builtin -o "$out/pairs/pairs" "$out/pairs/pairs.c"
}

prepare() {
    mkdir -p "$out/$1"
    case $1 in
    pairs) pairs ;;
    *) MEASURE= sh "bench/programs/$1.sh" prepare "$out/$1" ;;
    esac
}

# Runs program $1 once under tool $2 and notes what it cost.
once() {
    records=$out/records
    rm -rf "$records" && mkdir -p "$records"
    rm -f "$out/cost"
    export BENCH_RESULT="$out/cost" BENCH_LIMIT=3600
    MEASURE="$bin/measure $(words "$2" "$records")"
    export MEASURE
    case $1 in
    pairs) $MEASURE "$out/pairs/pairs" ;;
    *) sh "bench/programs/$1.sh" run "$out/$1" ;;
    esac >"$out/said" 2>&1 || true
    read -r user system wall rss status <"$out/cost"
    if [ "$status" -ne 0 ]; then
        echo "$1 under $2 ended with $status:" >&2
        tail -n 3 "$out/said" >&2
        return
    fi
    # heaptrack's interpreter and compressor may still be writing.
    size=$(du -sb --apparent-size "$records" | cut -f1)
    empty=$(du -sb --apparent-size "$out/empty" | cut -f1)
    echo "$1 $2 $((user + system)) $rss $((size - empty))" >>"$out/figures"
}

if [ $measure = yes ]; then
    [ -x "$bin/measure" ] || ${CC:-cc} -O2 -static -o "$bin/measure" bench/measure.c 2>/dev/null || ${CC:-cc} -O2 -o "$bin/measure" bench/measure.c
    mkdir -p "$out/empty"
    for program in $programs; do prepare "$program"; done
    for tool in $tools; do
        if ! is_there "$tool"; then echo "$tool: not installed here, or built without its profiler" >&2; fi
    done
    for program in $programs; do
        for tool in $tools; do # What is measured anew replaces what was there.
            [ -e "$out/figures" ] && sed -i "/^$program $tool /d" "$out/figures"
        done
        round=1
        while [ $round -le "$rounds" ]; do
            for tool in $tools; do
                if [ "$tool" = dhat ] && [ $round -gt 1 ]; then continue; fi
                if is_there "$tool"; then once "$program" "$tool"; fi
            done
            round=$((round + 1))
        done
    done
fi

awk -v tools="$all_tools" -v programs="$all_programs" '
function median(list, n,   i, j, t, a) {
    n = split(list, a, " ")
    for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] + 0 < a[j - 1] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
    return a[int((n + 1) / 2)]
}
function size(bytes) {
    if (bytes <= 0) return "none"
    if (bytes < 1048576) return sprintf("%.0f KiB", (bytes + 1023) / 1024)
    return sprintf("%.1f MiB", bytes / 1048576)
}
BEGIN {
    name["plain"] = "no profiler (glibc)"; shows["plain"] = "nothing"
    name["mems-off"] = "`mems run`"; shows["mems-off"] = "exact calls, bytes, live, peak, sizes, time line, heap map, every process; also after kill -9"
    name["mems-sites"] = "`mems run -p sites`"; shows["mems-sites"] = "that, and by direct caller: calls, bytes, live, part of the peak, temporary blocks; exact"
    name["mems-sample"] = "`mems run -p sample`"; shows["mems-sample"] = "that by whole stack, estimated (one block in 512 KiB)"
    name["mems-stacks"] = "`mems run -p stacks`"; shows["mems-stacks"] = "that by whole stack, exact"
    name["heaptrack"] = "`heaptrack`"; shows["heaptrack"] = "whole stacks: calls, live, peak, temporary blocks, time line; every event; one process; asked bytes"
    name["heaptrack-raw"] = "`heaptrack -r`"; shows["heaptrack-raw"] = "the same after a second pass (not counted here)"
    name["memusage"] = "`memusage -d`"; shows["memusage"] = "calls by function, peak, size histogram, time line; no call sites"
    name["jemalloc"] = "jemalloc, `prof:true`"; shows["jemalloc"] = "whole stacks, sampled (one in 512 KiB): live at the end only"
    name["jemalloc-all"] = "jemalloc, every block"; shows["jemalloc-all"] = "the same, exact"
    name["dhat"] = "DHAT (valgrind)"; shows["dhat"] = "whole stacks: calls, peak, lifetimes, reads and writes of each byte"
}
{ cpu[$1, $2] = cpu[$1, $2] " " $3; rss[$1, $2] = rss[$1, $2] " " $4; record[$1, $2] = record[$1, $2] " " $5 }
END {
    count = split(programs, program, " ")
    line = "| tool |"; rule = "|---|"
    for (i = 1; i <= count; i++) { line = line " " program[i] " |"; rule = rule "---|" }
    print line " shows |"; print rule "---|"
    n = split(tools, tool, " ")
    for (t = 1; t <= n; t++) {
        line = "| " name[tool[t]] " |"; any = 0
        for (i = 1; i <= count; i++) {
            key = program[i] SUBSEP tool[t]; base = program[i] SUBSEP "plain"
            if (!(key in cpu) || !(base in cpu)) { line = line " - |"; continue }
            any = 1
            ratio = median(cpu[key]) / median(cpu[base])
            time = tool[t] == "plain" ? sprintf("%.2f s", median(cpu[key]) / 1e6) : sprintf(ratio < 9.95 ? "%.2f×" : "%.0f×", ratio)
            line = line " " time ", " sprintf("%.1f MiB", median(rss[key]) / 1024) (tool[t] == "plain" ? "" : ", " size(median(record[key]))) " |"
        }
        if (any) print line " " shows[tool[t]] " |"
    }
}' "$out/figures"
