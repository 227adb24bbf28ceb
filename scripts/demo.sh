#!/bin/sh
# Shows what MeMS does: a real program under libmems.so with its dump, and a C program that prints the chains.
# `make demo` calls it after building libmems.so.

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
cd "$root"
mkdir -p build

echo
echo "1. A program as it is, its every malloc served and counted by MeMS:"
echo
echo "\$ LD_PRELOAD=libmems.so sort -o build/sorted Cargo.lock"
LD_PRELOAD=$LIBMEMS sort -o build/sorted Cargo.lock
echo
echo "2. A C program that uses MeMS virtual addresses (include/mems.h) and prints the chains:"
echo
echo "\$ cc c_tests/mems_sample_session.c -Iinclude -lmems -o build/mems_sample_session && build/mems_sample_session"
${CC:-cc} c_tests/mems_sample_session.c -Iinclude -Ic_tests -o build/mems_sample_session \
    -L"${LIBMEMS%/*}" -lmems -Wl,-rpath,"${LIBMEMS%/*}"
MEMS_STATS=off build/mems_sample_session
echo
echo "Your own program: scripts/preload.sh COMMAND ... (README.md says more)"
