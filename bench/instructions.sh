#!/bin/sh
# Instructions for one malloc with its free in a pattern, counted by callgrind: two runs of different length, so that what start
# and end cost cancels out. Prints `figure instructions_per_pair N` for the driver.
# instructions.sh prepare|run PATTERNS-PROGRAM ROW
set -eu
command -v valgrind >/dev/null || { echo "valgrind" >&2; exit 77; }
[ "$1" = run ] || exit 0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for work in 0.005 0.01; do
    $MEASURE valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$dir/log" "$2" "$3" $work >"$dir/out"
    ops=$(awk '$1 == "ops" { print $2 }' "$dir/out")
    awk -v ops="$ops" '/Collected :/ { print ops, $NF }' "$dir/log" >>"$dir/points"
done
awk '{ ops[NR] = $1; count[NR] = $2 } END { if (NR != 2 || ops[2] == ops[1]) exit 1; printf "figure instructions_per_pair %.2f\n", (count[2] - count[1]) / (ops[2] - ops[1]) }' "$dir/points"
