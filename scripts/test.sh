#!/bin/sh
# Runs every test of the project and ends with one line: N passed, N failed, N skipped.
#
# Pieces, in this order: formatting and lints (where rustfmt and clippy are installed), the Rust tests of the
# workspace, the C tests, misuse of the heap, real programs, some of them hardened and guarded too. A piece that
# fails does not stop those after it.
# `make test` calls this after building libmems.so; the logs stay in build/test/.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 2
export LIBMEMS="${LIBMEMS:-$root/target/release/libmems.so}"
CARGO=${CARGO:-cargo}
logs=$root/build/test
mkdir -p "$logs"
rm -f "$logs"/*
passed=0 failed=0 skipped=0

count() { # count PASSED FAILED SKIPPED
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

say() { printf '\n== %s\n' "$*"; }

# one NAME COMMAND...: a piece that is one test.
one() {
    say "$1"
    name=$1
    shift
    if "$@" >"$logs/$name.log" 2>&1; then
        echo "ok $name"
        count 1 0 0
    else
        cat "$logs/$name.log"
        echo "FAIL $name: $*"
        count 0 1 0
    fi
}

# many NAME COMMAND...: a piece whose log has lines that begin with ok, FAIL or skip.
many() {
    say "$1"
    name=$1
    shift
    { "$@" 2>&1; echo "$?" >"$logs/$name.code"; } | tee "$logs/$name.log"
    # shellcheck disable=SC2046
    count $(awk '/^ok /{p++} /^FAIL /{f++} /^skip /{s++} END {print p+0, f+0, s+0}' "$logs/$name.log")
    if [ "$(cat "$logs/$name.code")" != 0 ] && ! grep -q '^FAIL ' "$logs/$name.log"; then
        echo "FAIL $name: exit code $(cat "$logs/$name.code"): $*"
        count 0 1 0
    fi
}

# A component that rustup did not bring is a skipped test, not a failed one.
component() { # component NAME CARGO-SUBCOMMAND ARGUMENTS...
    name=$1
    shift
    if "$CARGO" "$1" --version >/dev/null 2>&1; then
        one "$name" "$CARGO" "$@"
    else
        say "$name"
        echo "skip $name: cargo $1 is not installed"
        count 0 0 1
    fi
}

component format fmt --all --check
component lints clippy --workspace --all-targets -- -D warnings

say "Rust tests"
export SKIPS_FILE="$logs/rust.skips"
{ "$CARGO" test --workspace --no-fail-fast 2>&1; echo "$?" >"$logs/rust.code"; } | tee "$logs/rust.log" |
    grep -Ev '^test .* \.\.\. ok$|^$|^running [0-9]+ tests?$'
# A libtest test cannot say at run time that it was skipped: those that were write a line to SKIPS_FILE.
left_out=0
if [ -f "$SKIPS_FILE" ]; then
    sed 's/^/skip /' "$SKIPS_FILE"
    left_out=$(wc -l <"$SKIPS_FILE")
fi
# shellcheck disable=SC2046
count $(awk -v left_out="$left_out" '/^test result:/ { p += $4; f += $6; s += $8 }
    END { print p - left_out, f+0, s + left_out }' "$logs/rust.log")
if [ "$(cat "$logs/rust.code")" != 0 ] && ! grep -q '^test result: FAILED' "$logs/rust.log"; then
    tail -n 40 "$logs/rust.log"
    echo "FAIL rust: cargo test ended with $(cat "$logs/rust.code")"
    count 0 1 0
fi

many c_tests scripts/c_tests.sh
# Every misuse program once: MeMS must do at least as well as c_tests/misuse.expected says.
one misuse scripts/misuse.sh -n 1
[ -x scripts/programs.sh ] && many programs scripts/programs.sh
# In the other modes some of every kind; all of them by `make test-programs-all`.
some="sort awk ls date bash perl python3-malloc python3-processes pipeline closed-stderr gcc g++ sqlite3 git tar xz openssl php lua"
# shellcheck disable=SC2086
[ -x scripts/programs.sh ] && many hardened scripts/programs.sh -e MEMS_HARDEN=1 $some &&
    many guarded scripts/programs.sh -e MEMS_GUARD=sample:1000 $some

say "all"
grep -h '^FAIL ' "$logs"/*.log
grep -h '^test .* FAILED$' "$logs/rust.log"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
