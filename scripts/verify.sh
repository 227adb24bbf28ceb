#!/bin/sh
# Checks what tests alone cannot: every interleaving of the lock-free parts (loom), and the engine's own tests and its
# malloc family under AddressSanitizer.
#
#   scripts/verify.sh [loom] [asan]      (neither: both)
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- loom asan
for part in "$@"; do
    case $part in
    loom)
        # The models run the source of crates/core itself; see verify/build.rs.
        (cd verify && CARGO_TARGET_DIR=../target/verify cargo test --release --tests)
        ;;
    asan)
        # std is not instrumented, our crates and their tests are. The sanitizer is part of every toolchain, behind a switch.
        host=$(rustc -vV | sed -n 's/^host: //p')
        RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan \
            cargo test --target "$host" -p mems-chain -p mems-core --lib --test family_plain --test faults
        ;;
    *)
        echo "usage: scripts/verify.sh [loom] [asan]" >&2
        exit 2
        ;;
    esac
done
