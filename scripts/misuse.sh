#!/bin/sh
# Runs the misuse programs c_tests/misuse_* several times under several allocators and says how each one ends.
#
#   scripts/misuse.sh [-o FILE] [-n RUNS] [-t NAME]... [[LABEL=]LIBRARY.so]...
#
#   -o FILE   the table goes there as well
#   -n RUNS   runs of each program under each allocator (default 7); the worst one counts
#   -t NAME   this program only (repeatable; misuse_ may be left out)
#
# The columns: the C library alone, MeMS as it comes, MeMS with MEMS_HARDEN=1, and each LIBRARY; without one, Debian's
# mimalloc, jemalloc and tcmalloc, those that are installed. What a run can be, from best to worst:
#
#   stopped      the allocator ended the program, by abort and with a message
#   harmless     the program went on; nothing was corrupted, nothing given out twice
#   faulted      the program died by a fault (a guard page, say)
#   silent       another block's bytes were changed or read, and nobody said so
#   hangs        no end within ten seconds
#   exploitable  a block was given out twice, or an address of the attacker's choice was
#
# The first three are safe. Fails when MeMS does worse on a program than c_tests/misuse.expected says.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
build=$root/build/misuse
CC=${CC:-cc}
CXX=${CXX:-c++}

# One program under every allocator: a line "NAME verdict verdict ...".
if [ "${1:-}" = --one ]; then
    name=$2
    shift 2
    source=$root/c_tests/$name.c
    compiler="$CC -std=gnu17"
    [ -f "$source" ] || { source=$root/c_tests/$name.cc && compiler="$CXX -std=gnu++17"; }
    exe=$build/$name
    fresh=yes
    for newer in "$source" "$root"/c_tests/*.h; do [ "$exe" -nt "$newer" ] || fresh=no; done
    if [ $fresh = no ]; then
        # shellcheck disable=SC2086
        $compiler -O1 -g -w -fno-builtin -pthread -I"$root/c_tests" "$source" -o "$exe" >&2 ||
            { echo "none $name"; exit 0; }
    fi
    line="row ${name#misuse_}"
    for library in "$@"; do
        harden="-u MEMS_HARDEN"
        case $library in harden:*) harden=MEMS_HARDEN=1 library=${library#harden:} ;; esac
        preload=$library
        [ "$library" = none ] && preload=
        worst=0
        run=0
        while [ $run -lt "$RUNS" ]; do
            run=$((run + 1))
            dir=$(mktemp -d)
            {
                (cd "$dir" && exec timeout -k 2 10 env $harden MEMS_STATS=off LD_PRELOAD="$preload" "$exe") \
                    </dev/null >"$dir/stdout" 2>"$dir/stderr"
                code=$?
            } 2>/dev/null
            word=$(cat "$dir/stdout")
            case $code:$word in
            0:HARMLESS) this=2 ;;
            0:SILENT) this=4 ;;
            0:EXPLOITABLE) this=6 ;;
            134: | 132: | 133: | 135: | 139:)
                # timeout says a line of its own on faults.
                grep -qv "^timeout:" "$dir/stderr" && this=1 || this=3
                ;;
            124:* | 137:*) this=5 ;;
            *) this=4 ;; # it ended in another way than it should: something of its own was broken
            esac
            [ $this -gt $worst ] && worst=$this
            rm -rf "$dir"
        done
        case $worst in
        1) line="$line stopped" ;;
        2) line="$line harmless" ;;
        3) line="$line faulted" ;;
        4) line="$line silent" ;;
        5) line="$line hangs" ;;
        6) line="$line exploitable" ;;
        esac
    done
    echo "$line"
    exit 0
fi

output=
only=
RUNS=7
. "$root/scripts/allocators.sh"
while [ $# -gt 0 ]; do
    case $1 in
    -o) output=$2 && shift ;;
    -n) RUNS=$2 && shift ;;
    -t) only="$only misuse_${2#misuse_}" && shift ;;
    -*) echo "usage: scripts/misuse.sh [-o FILE] [-n RUNS] [-t NAME]... [[LABEL=]LIBRARY.so]..." >&2 && exit 2 ;;
    *) given_library "$1" ;;
    esac
    shift
done
end_of_libraries
if [ -z "$only" ]; then
    for f in "$root"/c_tests/misuse_*.c "$root"/c_tests/misuse_*.cc; do
        f=${f##*/}
        # Those are about MEMS_GUARD, which is on in them alone.
        case $f in misuse_guard_*) continue ;; esac
        only="$only ${f%.*}"
    done
fi
mkdir -p "$build"
export LIBMEMS CC CXX RUNS
# shellcheck disable=SC2086
printf '%s\n' $only | xargs -P 2 -I '{}' "$0" --one '{}' $libraries | sort >"$build/rows"

table() {
    awk -v labels="$labels" -v runs="$RUNS" '
        BEGIN {
            n = split(labels, label, " ")
            rank["stopped"] = 1; rank["harmless"] = 2; rank["faulted"] = 3
            rank["silent"] = 4; rank["hangs"] = 5; rank["exploitable"] = 6
            printf "| misuse, worst of %d runs |", runs; for (i = 1; i <= n; i++) printf " %s |", label[i]
            printf "\n|---|"; for (i = 1; i <= n; i++) printf "---|"
            printf "\n"
        }
        NR == FNR { if ($1 !~ /^#/ && NF == 3) { want["MeMS", $1] = $2; want["hardened", $1] = $3 } next }
        $1 != "row" { print "| " $2 " does not compile |"; bad = 1; next }
        {
            rows++
            printf "| %s |", $2
            for (i = 1; i <= n; i++) {
                v = $(i + 2)
                count[i, v]++
                if (rank[v] <= 3) safe[i]++
                if ((label[i], $2) in want && rank[v] > rank[want[label[i], $2]])
                    worse = worse sprintf("%s: %s is %s, not %s\n", label[i], $2, v, want[label[i], $2])
                printf " %s |", rank[v] <= 3 ? v : "**" v "**"
            }
            printf "\n"
        }
        END {
            printf "| **safe** |"; for (i = 1; i <= n; i++) printf " **%d of %d** |", safe[i], rows
            printf "\n\n"
            for (i = 1; i <= n; i++)
                printf "%s: %d of %d safe (%d stopped, %d harmless, %d faulted), %d silent, %d hanging, %d exploitable\n", label[i],
                    safe[i], rows, count[i, "stopped"], count[i, "harmless"], count[i, "faulted"], count[i, "silent"],
                    count[i, "hangs"], count[i, "exploitable"]
            if (worse != "") printf "\nworse than expected:\n%s", worse
            exit bad || worse != ""
        }' "$root/c_tests/misuse.expected" "$build/rows"
}
table >"$build/table"
bad=$?
cat "$build/table"
[ -n "$output" ] && cp "$build/table" "$output"
exit $bad
