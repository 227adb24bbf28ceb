#!/bin/sh
# Fuzzes the C interface of libmems.so against a model: scripts/fuzz.sh [MINUTES]   (default 10)
#
# verify/fuzz is the target, tests/drive the model; `make test` drives the same model from seeds. libFuzzer comes with the
# crate libfuzzer-sys and needs a C++ compiler; stable Rust will do. The time is shared by four settings: as MeMS comes,
# hardened, and both once more with wrong calls in between that are to be ignored. What was found to reach new code stays
# in build/fuzz/corpus; an input that fails is left in build/fuzz, with the command that repeats it.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
minutes=${1:-10}
case $minutes in '' | *[!0-9]*) echo "usage: scripts/fuzz.sh [MINUTES]" >&2 && exit 2 ;; esac
for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
ulimit -c 0
cd "$root" || exit 2
# What cargo-fuzz gives rustc, less the sanitizer, which would take malloc's place.
counters="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
 -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing"
host=$(rustc -vV | sed -n 's/^host: //p')
out=$root/target/fuzz
# shellcheck disable=SC2086
RUSTFLAGS=$(echo $counters) CARGO_PROFILE_RELEASE_LTO=off CARGO_TARGET_DIR=$out \
    cargo build --release -q --target "$host" -p mems || exit 1
# shellcheck disable=SC2086
(cd verify/fuzz && RUSTFLAGS=$(echo $counters) CARGO_TARGET_DIR=$out cargo build --release -q --target "$host") || exit 1
built=$out/$host/release
LIBMEMS=$built/libmems.so
export LIBMEMS
corpus=$root/build/fuzz/corpus
mkdir -p "$corpus"
[ "$minutes" -gt 0 ] || minutes=1
start=$(date +%s)
for setting in "" "MEMS_HARDEN=1" "MEMS_ON_ERROR=ignore DRIVE_MISUSE=1" "MEMS_ON_ERROR=ignore DRIVE_MISUSE=1 MEMS_HARDEN=1"; do
    log=$root/build/fuzz/log
    # shellcheck disable=SC2086
    env MEMS_STATS=off $setting "$built/drive" "$corpus" -max_total_time=$((minutes * 15)) -max_len=3000 -len_control=20 \
        -timeout=120 -rss_limit_mb=4096 -detect_leaks=0 -print_final_stats=1 -artifact_prefix="$root/build/fuzz/" >"$log" 2>&1
    code=$?
    if [ $code != 0 ]; then
        grep -vE 'mems_get|mems: .*(free|realloc|usable)' "$log" | tail -n 60
        echo "fuzz: fails after $(($(date +%s) - start)) s with ${setting:-no setting}; again: LIBMEMS=$LIBMEMS MEMS_STATS=off $setting $built/drive FILE"
        exit 1
    fi
    awk -v s="${setting:-as it comes}" '/^#[0-9]+.*cov:/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1); else if ($i == "corp:") corp = $(i + 1) }
        /number_of_executed_units/ { n = $2 } END { printf "%s: %d inputs, %d places of code reached, corpus %s\n", s, n, cov, corp }' "$log"
done
echo "fuzz: $minutes minutes, nothing found"
