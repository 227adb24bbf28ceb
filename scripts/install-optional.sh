#!/bin/sh
# Installs the programs that the tests use where they are there: Debian's packages, as root, without a question.
# Anywhere else, and where a package is not to be had, it does nothing and says so; the tests skip what is missing.
# With --all also the large ones of scripts/programs.list (browsers, databases, servers).

set -u
packages="binutils strace gdb valgrind perl python3 gawk mawk sqlite3 openssl curl git cmake make g++
 xz-utils zstd bzip2 gzip tar sed grep findutils file bc lua5.4 tcl
 libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4"
all="php-cli ruby nodejs default-jre-headless redis-server nginx-light ghostscript vim z3 imagemagick
 postgresql memcached sox stress-ng clang ffmpeg chromium
 guile-3.0 wrk libpython3.11-testsuite"
[ "${1:-}" = --all ] && packages="$packages $all"

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "install-optional.sh: not root on Debian; the tests use what is installed"
    exit 0
fi
missing=
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
if [ -z "$missing" ]; then
    echo "install-optional.sh: all there"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
get() {
    timeout 300 apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=60 "$@" </dev/null >"$log" 2>&1
}
timeout 120 apt-get update -q </dev/null >"$log" 2>&1 || echo "install-optional.sh: apt-get update failed"
# shellcheck disable=SC2086
if get $missing; then
    echo "install-optional.sh: installed$missing"
else
    # One that is not to be had must not keep the others away.
    for p in $missing; do
        if get "$p"; then echo "install-optional.sh: installed $p"; else echo "install-optional.sh: no $p"; fi
    done
fi
rm -f "$log"
exit 0
