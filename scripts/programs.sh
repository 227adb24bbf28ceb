#!/bin/sh
# Runs real programs plain and under libmems.so and compares: stdout, stderr and the exit code must be the same.
#
#   scripts/programs.sh [-v] [-e MEMS_NAME=VALUE]... [NAME ...]
#
# Without a NAME: all of scripts/programs.list. -v shows the outputs; -e sets a variable for the preloaded runs, so that
# `-e MEMS_HARDEN=1` compares plain runs with hardened ones.
#
# Each program runs twice, in a fresh directory of the same name: plain, and with libmems.so preloaded for it and
# all it starts, the dumps as JSON in files of their own. The program that the entry is about must be among the
# dumps, and in every dump the identities hold: the histogram's blocks and bytes are the blocks and bytes asked.
# The everyday ones (a * behind the name) run a third time with the dump on stderr: it holds what the plain run
# wrote there and exactly one dump. What is not installed is skipped, in one line. programs.list explains its form.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
list=$root/scripts/programs.list
for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
unset LD_PRELOAD MAKEFLAGS MFLAGS MAKELEVEL NODE_OPTIONS PERL5OPT PYTHONSTARTUP BASH_ENV ENV DEBUGINFOD_URLS
export LC_ALL=C.UTF-8 TZ=UTC LIBMEMS
export PATH="$PATH:/usr/sbin:/sbin"
ulimit -c 0

verbose=no one=no settings=
while [ $# -gt 0 ]; do
    case $1 in
    -v) verbose=yes ;;
    --one) one=yes ;;
    -e)
        shift
        case ${1:-} in MEMS_*=*) ;; *) echo "scripts/programs.sh: -e wants MEMS_NAME=VALUE" >&2 && exit 2 ;; esac
        settings="$settings $1"
        ;;
    -*) echo "usage: scripts/programs.sh [-v] [-e MEMS_NAME=VALUE]... [NAME ...]" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done

if [ "$one" = no ]; then
    if [ ! -f "$LIBMEMS" ]; then
        echo "scripts/programs.sh: $LIBMEMS is not there; run make first" >&2
        exit 2
    fi
    # shellcheck disable=SC2046
    [ $# -gt 0 ] || set -- $(sed -n 's/^\([a-zA-Z0-9_+.-]*\)\**:.*/\1/p' "$list")
    jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    SAMPLES=$(mktemp -d)
    export SAMPLES
    trap 'rm -rf "$SAMPLES"' EXIT
    # Something to read: text with many different lines, numbers, and a file that does not compress.
    awk 'BEGIN { srand(7); for (i = 0; i < 20000; i++) { n = int(rand() * 100000)
        printf "%d line %d of the sample, key%05d, %s\n", n, i, n % 997, substr("abcdefghijklmnopqrstuvwxyz", n % 20 + 1, 6) } }' >"$SAMPLES/text"
    awk 'BEGIN { srand(9); for (i = 0; i < 60000; i++) printf "%c", 33 + int(rand() * 90) }' >"$SAMPLES/noise"
    mkdir -p "$root/build"
    flags=
    [ "$verbose" = yes ] && flags=-v && jobs=1
    for setting in $settings; do flags="$flags -e $setting"; done
    # shellcheck disable=SC2086
    printf '%s\n' "$@" | xargs -P "$jobs" -n 1 "$0" $flags --one | tee "$root/build/programs.log"
    awk '/^ok /{p++} /^FAIL /{f++} /^skip /{s++}
         END { printf "programs: %d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' \
        "$root/build/programs.log"
    exit
fi

name=$1
title=$name${settings:+ (${settings# })}
# The entry: its head line, and the script of indented lines below.
head=$(awk -v a="$name:" -v b="$name*:" 'index($0, a) == 1 || index($0, b) == 1 { print; exit }' "$list")
if [ -z "$head" ]; then
    echo "FAIL $title: not in scripts/programs.list"
    exit 0
fi
everyday=no
case $head in "$name"\**) everyday=yes ;; esac
needs=${head#*: }
seconds=60
case $needs in *\;*) seconds=${needs#*; } && needs=${needs%%;*} ;; esac
for program in $needs; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "skip $title: $program is not installed"
        exit 0
    fi
done
first=${needs%% *}
# Where a program sees the handler for SIGSEGV that MEMS_GUARD installs.
case "$name$settings" in "gdb "*MEMS_GUARD=*)
    echo "skip $title: it speaks of signal handlers that it finds"
    exit 0
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v head="$head" '$0 == head { on = 1; next } on && /^[^ \t#]/ { exit } on { sub(/^    /, ""); print }' "$list" >"$work/script"
mkdir "$work/dumps" "$work/home"
# A program may go on as another user, who is to reach its directory and leave a dump too.
chmod 755 "$work" && chmod 1777 "$work/dumps"
export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}"
export HOME="$work/home"
[ -f "$work/home/.gitconfig" ] || printf '[user]\n\tname = A\n\temail = a@example.org\n[init]\n\tdefaultBranch = main\n' >"$work/home/.gitconfig"
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'

# try NAME VARIABLES...: the script in a fresh directory; leaves NAME.out, NAME.err, NAME.code.
try() {
    which=$1
    shift
    rm -rf "$work/cwd"
    mkdir "$work/cwd"
    {
        (cd "$work/cwd" && exec timeout -k 5 "$seconds" env "$@") </dev/null >"$work/$which.out" 2>"$work/$which.err"
        echo $? >"$work/$which.code"
    } 2>/dev/null
}

# same NAME: what differs from the plain run.
same() {
    cmp -s "$work/plain.code" "$work/$1.code" ||
        echo "exit code $(cat "$work/$1.code"), plain $(cat "$work/plain.code")"
    for stream in out err; do
        cmp -s "$work/plain.$stream" "$work/$1.$stream" ||
            { echo "std$stream differs:"; diff "$work/plain.$stream" "$work/$1.$stream" | head -n 10; }
    done
}

# Identities of every dump (docs/stats.md), and that one is of PROGRAM.
dumps() {
    cat "$work"/dumps/* 2>/dev/null >"$work/all"
    grep -q . "$work/all" || { echo "no dump"; return; }
    grep -Ev '^\{"schema":"mems/1".*\}$' "$work/all" | head -n 1 | cut -c 1-200 | sed 's/^/not a whole dump: /'
    program=$(printf %s "$1" | sed 's/[.+]/\\&/g')
    grep -Eq "\"argv\":\[\"([^\"]*/)?$program\"|\"exe\":\"[^\"]*/$program\"" "$work/all" ||
        echo "no dump of $1 among $(wc -l <"$work/all")"
    awk '
        function all(text, key,   sum) {
            sum = 0
            while (match(text, "\"" key "\":[0-9]+")) {
                sum += substr(text, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
                text = substr(text, RSTART + RLENGTH)
            }
            return sum
        }
        function part(from, to,   at, rest) {
            at = index($0, from); rest = substr($0, at + length(from)); return substr(rest, 1, index(rest, to) - 1)
        }
        {
            rows = part("\"sizes\":[", "]"); bytes = part("\"bytes\":{\"asked\":{", "}"); blocks = part("\"blocks\":{\"asked\":", "},\"inh")
            asked = all(bytes, "malloc") + all(bytes, "calloc") + all(bytes, "realloc") + all(bytes, "aligned") + all(bytes, "new")
            if (all(rows, "blocks") != blocks + 0) print "histogram " all(rows, "blocks") " blocks, asked " blocks + 0
            if (all(rows, "asked") != asked) print "histogram " all(rows, "asked") " bytes, asked " asked
        }' "$work/all" | head -n 3
}

try plain sh "$work/script"
# shellcheck disable=SC2086
try mems $settings LD_PRELOAD="$LIBMEMS" MEMS_STATS_FORMAT=json MEMS_STATS_FILE="$work/dumps/%p.json" sh "$work/script"
wrong=$(same mems; dumps "$(basename "$first")")
if [ "$everyday" = yes ] && [ -z "$wrong" ]; then
    # The command itself, without a shell around it that would leave a dump of its own.
    script=$(cat "$work/script")
    printf 'LD_PRELOAD=%s %s\n' "$LIBMEMS" "$script" >"$work/script"
    # shellcheck disable=SC2086
    try shown $settings sh "$work/script"
    count=$(grep -Ec '^== mems [0-9]|^mems: [0-9]+ .*, peak ' "$work/shown.err")
    [ "$count" = 1 ] || wrong="$count dumps on stderr, not 1"
    # The dump is from its head line to the line of = that closes it; the rest is the program's.
    sed '/^== mems [0-9]/,/^==*$/d' "$work/shown.err" >"$work/rest" && mv "$work/rest" "$work/shown.err"
    wrong=$wrong$(same shown)
fi
{
    if [ "$verbose" = yes ]; then
        echo "--- $name"
        head -n 40 "$work/plain.out" "$work/plain.err" "$work/mems.out" "$work/mems.err"
        cut -c 1-400 "$work/all"
    fi
    if [ -z "$wrong" ]; then
        echo "ok $title"
    else
        echo "FAIL $title: $wrong"
        [ "$verbose" = yes ] || head -c 1000 "$work/mems.err" | sed 's/^/    /'
    fi
} >"$work/result" 2>&1
cat "$work/result"
exit 0
