#!/bin/sh
# The price of counting: the same sources with counting compiled out (cargo feature `uncounted`), beside the counted ones,
# A B A B, CPU time. About 3 minutes; options of scripts/bench.sh are taken (--rounds 15, other rows).
set -eu
cd "$(dirname "$0")/.."
results=target/bench-results
mkdir -p "$results"
cargo build --quiet --release -p mems
cargo build --quiet --release -p mems --features uncounted --target-dir target/uncounted
[ $# -gt 0 ] || set -- small 'realloc-small' exchange compile-c python sqlite lua --rounds 7
scripts/bench.sh "$@" --peers mems --lib mems-uncounted=target/uncounted/release/libmems.so --json "$results/counting.json"
scripts/bench.sh --from "$results/counting.json"
