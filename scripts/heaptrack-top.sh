#!/bin/sh
# The top five call sites of a program by MeMS beside heaptrack's: by calls, by what is live at the end, by the peak.
#
#   scripts/heaptrack-top.sh                     perl, a program with hashes, lists and regular expressions
#   scripts/heaptrack-top.sh COMMAND ARGUMENT...
#
# Stacks are compared by the names of their functions from main on. heaptrack counts bytes asked, MeMS usable bytes, so with sizes
# that are rounded up the order by bytes may differ; calls are the same numbers. Ends with 1 when the five by calls differ.
set -eu
cd "$(dirname "$0")/.."
home=$PWD
out=$home/target/heaptrack-top
mems=${MEMS:-$home/target/release/mems}
for tool in heaptrack heaptrack_print; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2; exit 77; }
done
rm -rf "$out" && mkdir -p "$out/input"
if [ $# -eq 0 ]; then
    sh bench/programs/perl.sh prepare "$out/input"
    export PERL_HASH_SEED=0
    set -- perl "$out/input/work.pl"
fi
heaptrack -o "$out/record" "$@" >"$out/said" 2>&1
"$mems" run -q -p stacks -o "$out/records" -- "$@" >>"$out/said" 2>&1

# Sums by stack from main on, largest first. Names without a file behind them; what has none is a question mark.
sums() {
    sed -E 's/ \([^;)]*\)//g; s/;? ([0-9]+)$/ \1/; s/^.*;main;/main;/; s/(^|;)(0x[0-9a-f]+|[^; ]*\+0x[0-9a-f]+)/\1?/g' |
        awk '{ n = $NF; $NF = ""; sub(/ *$/, ""); sum[$0] += n } END { for (stack in sum) if (sum[stack] > 0) print sum[stack], stack }' |
        sort -k1,1nr -k2
}

code=0
for pair in allocations:calls leaked:live peak:peak; do
    theirs=${pair%:*} ours=${pair#*:}
    heaptrack_print -f "$out"/record.* -F "$out/theirs.$theirs" --flamegraph-cost-type "$theirs" -p 0 -a 0 -T 0 >/dev/null
    sums <"$out/theirs.$theirs" | head -n 5 >"$out/theirs"
    "$mems" report "$out/records" --folded -m "$ours" | sums | head -n 5 >"$out/ours"
    cut -d' ' -f2- "$out/theirs" | sort >"$out/theirs.stacks"
    cut -d' ' -f2- "$out/ours" | sort >"$out/ours.stacks"
    same=$(comm -12 "$out/theirs.stacks" "$out/ours.stacks" | wc -l)
    sort "$out/ours" >"$out/same"
    equal=$(sort "$out/theirs" | comm -12 - "$out/same" | wc -l)
    echo "top five by $ours: $same of 5 are heaptrack's five ($theirs), $equal with the same figure"
    for side in theirs ours; do
        echo "  $side" | sed 's/theirs/heaptrack/; s/ours/MeMS/'
        sed -E 's/^([0-9]+) .*;([^;]*;[^;]*;[^;]*;[^;]*)$/    \1  ...;\2/' "$out/$side"
    done
    [ "$ours" != calls ] || [ "$same" -eq 5 ] || code=1
done
exit $code
