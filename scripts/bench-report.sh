#!/bin/sh
# The whole benchmark, and docs/performance.md from it (what `make bench` runs): about 11 minutes on two idle cores.
#
#   scripts/bench-report.sh                     3 rounds of patterns, 2 of real programs
#   scripts/bench-report.sh --rounds 9          more of both; every option of scripts/bench.sh is taken
#
# Raw results stay in target/bench-results/*.json; the price of counting is taken over from scripts/bench-counting.sh if it ran.
set -eu
cd "$(dirname "$0")/.."
results=target/bench-results
mkdir -p "$results"
scripts/bench.sh --json "$results/main.json" "$@"
scripts/bench.sh live threads instructions --peers mems,mimalloc3,snmalloc,rpmalloc,jemalloc,tcmalloc --json "$results/curves.json"
set -- --from "$results/main.json" --from "$results/curves.json"
[ ! -e "$results/counting.json" ] || set -- "$@" --from "$results/counting.json"
scripts/bench.sh "$@" --report docs/performance.md
echo "docs/performance.md and its plots are written"
