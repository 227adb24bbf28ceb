#!/bin/sh
# Shows what MeMS does: a real program under libmems.so with its dump, and a C program that prints the chains.
# `make demo` calls it after building libmems.so.

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
cd "$root"
mkdir -p build

echo "\$ LD_PRELOAD=libmems.so sort Cargo.lock | tail -n 1"
LD_PRELOAD=$LIBMEMS sort Cargo.lock | tail -n 1
echo
echo "\$ cc c_tests/mems_sample_session.c -Iinclude -lmems && ./mems_sample_session"
${CC:-cc} c_tests/mems_sample_session.c -Iinclude -Ic_tests -o build/mems_sample_session \
    -L"${LIBMEMS%/*}" -lmems -Wl,-rpath,"${LIBMEMS%/*}"
MEMS_STATS=off build/mems_sample_session
