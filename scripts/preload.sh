#!/bin/sh
# Runs a command under libmems.so: scripts/preload.sh COMMAND [ARGUMENT ...]
#
# Options are MEMS_ variables as ever (MEMS_STATS=full scripts/preload.sh ls). A preload that is there already
# stays, behind MeMS. Where the loader will preload nothing (a static program, a setuid or setgid one, one with
# file capabilities, one for another C library or word size) this script says so on stderr, and the command
# runs all the same, without MeMS.

set -u
if [ $# -eq 0 ]; then
    echo "usage: scripts/preload.sh COMMAND [ARGUMENT ...]" >&2
    exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
library=${LIBMEMS:-$root/target/release/libmems.so}
if [ ! -f "$library" ]; then
    echo "preload.sh: $library is not there; run make first" >&2
    exit 2
fi

without() { echo "preload.sh: $*; it runs without MeMS" >&2; }

# The loader a program asks for is a string close to its start; a static program has none.
interpreter() { head -c 16384 "$1" | tr '\0' '\n' | grep -a -m 1 -Ex '/[[:print:]]*/ld[-.][[:print:]]*'; }
class() { head -c 5 "$1" | od -An -tx1; }

program=$(command -v -- "$1" 2>/dev/null || :)
case $program in
*/*)
    real=$(readlink -f -- "$program")
    if [ "$(head -c 4 "$real" 2>/dev/null | od -An -c | tr -d ' ')" = '177ELF' ]; then
        if [ "$(class "$real")" != "$(class "$library")" ]; then
            without "$1 is built for another word size than libmems.so"
        elif ! loader=$(interpreter "$real"); then
            without "$1 is a static program, which no loader serves"
        elif [ "${loader#*ld-musl}" != "$loader" ]; then
            without "$1 uses another C library ($loader)"
        elif { [ -u "$real" ] && [ "$(id -u)" != "$(stat -c %u "$real")" ]; } ||
            { [ -g "$real" ] && [ "$(id -g)" != "$(stat -c %g "$real")" ]; }; then
            without "$1 is setuid or setgid, and the loader preloads nothing into it"
        elif [ "$(id -u)" != 0 ] && command -v getcap >/dev/null && [ -n "$(getcap "$real" 2>/dev/null)" ]; then
            without "$1 has file capabilities, and the loader preloads nothing into it"
        fi
    fi
    ;;
esac
exec env LD_PRELOAD="$library${LD_PRELOAD:+ $LD_PRELOAD}" "$@"
