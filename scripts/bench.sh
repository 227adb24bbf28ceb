#!/bin/sh
# Measures libmems.so beside other allocators.
#
#   scripts/bench.sh                       every row, every allocator, 3 rounds
#   scripts/bench.sh --rounds 9            more rounds
#   scripts/bench.sh small larson@2 'pairs*' --peers mems,snmalloc
#   scripts/bench.sh --build               only builds what is needed
#   scripts/bench.sh --list                rows and allocators
#   scripts/bench.sh --help                all options of the driver
#
# It needs cargo, cc, c++ and make; target/release/libmems.so is built when it is missing.
set -eu
cd "$(dirname "$0")/.."
bin=target/bench-bin
mkdir -p "$bin"
CC=${CC:-cc}

newer() { # TARGET SOURCE...: does a source postdate the target?
    target=$1
    shift
    [ ! -e "$target" ] && return 0
    for source; do [ "$source" -nt "$target" ] && return 0; done
    return 1
}

if newer "$bin/mems-bench-patterns" bench/patterns/*; then
    # -fno-builtin: the compiler must not reason malloc and free away.
    $CC -O2 -g -Wall -Wextra -fno-builtin -pthread -o "$bin/mems-bench-patterns" bench/patterns/*.c
fi
if newer "$bin/measure" bench/measure.c; then
    # Static where the system has a static C library: a small starter is what makes small peaks visible.
    $CC -O2 -Wall -Wextra -static -o "$bin/measure" bench/measure.c 2>/dev/null ||
        $CC -O2 -Wall -Wextra -o "$bin/measure" bench/measure.c
fi
if newer "$bin/peer-check" bench/peer_check.c; then
    $CC -O2 -Wall -Wextra -o "$bin/peer-check" bench/peer_check.c -ldl
fi
[ -s target/peers/list ] || scripts/bench-peers.sh
cargo build --quiet --release --manifest-path bench/Cargo.toml --target-dir target/bench-driver
[ -e target/release/libmems.so ] || cargo build --quiet --release -p mems
[ "${1:-}" != --build ] || exit 0
exec target/bench-driver/release/mems-bench "$@"
