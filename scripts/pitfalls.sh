#!/bin/sh
# Runs the pitfall programs c_tests/pit_* under several allocators and prints who passes which.
#
#   scripts/pitfalls.sh [-o FILE] [-t NAME]... [[LABEL=]LIBRARY.so]...
#
#   -o FILE   the table goes there as well
#   -t NAME   this program only (repeatable; pit_ may be left out)
#
# The columns: the C library alone, MeMS (LIBMEMS, or target/release/libmems.so), MeMS with MEMS_HARDEN=1, and each LIBRARY; without one,
# Debian's mimalloc, jemalloc and tcmalloc, those that are installed. A program passes when its exit code and its
# stdout are those that its first comment names (scripts/c_tests.sh lists the keys). "-": it is about MeMS alone.
# Fails when the C library or MeMS as it comes fails one.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
build=$root/build/pitfalls
CC=${CC:-cc}
CXX=${CXX:-c++}
limit=60

# all KEY FILE: the values of a key in the first comment, a line each.
all() {
    awk -v key="$1" '
        { line = $0; last = index(line, "*/") > 0 }
        last { line = substr(line, 1, index(line, "*/") - 1) }
        { sub(/^[ \t]*(\/\*|\*)?[ \t]*/, "", line); sub(/[ \t]+$/, "", line) }
        index(line, key ":") == 1 { value = substr(line, length(key) + 2); sub(/^[ \t]+/, "", value); print value }
        last { exit }' "$2"
}

# compile OUT SOURCE FLAGS...: unless OUT is newer than its sources.
compile() {
    out=$1 from=$2
    shift 2
    fresh=yes
    for newer in "$from" "$root"/c_tests/*.h; do [ "$out" -nt "$newer" ] || fresh=no; done
    [ $fresh = yes ] && return 0
    compiler="$CC -std=gnu17"
    case $from in *.cc) compiler="$CXX -std=gnu++17" ;; esac
    # shellcheck disable=SC2046,SC2086
    $compiler -O1 -g -fno-builtin -Wno-unused-result -I"$root/include" -I"$root/c_tests" "$from" -o "$out.$$" "$@" \
        $(all flags "$from") >"$out.log.$$" 2>&1 || { cat "$out.log.$$" >&2; rm -f "$out.log.$$"; return 1; }
    rm -f "$out.log.$$"
    mv "$out.$$" "$out"
}

number_of() {
    case $1 in
    SIGABRT) echo 134 ;; SIGSEGV) echo 139 ;; SIGKILL) echo 137 ;; SIGPIPE) echo 141 ;; SIGSYS) echo 159 ;;
    *) echo "${1:-0}" ;;
    esac
}

# One program under every allocator: a line "NAME verdict verdict ...".
if [ "${1:-}" = --one ]; then
    name=$2
    shift 2
    source=$root/c_tests/$name.c
    [ -f "$source" ] || source=$root/c_tests/$name.cc
    for program in $(all needs "$source"); do
        command -v "$program" >/dev/null 2>&1 || { echo "skip $name $program"; exit 0; }
    done
    libraries=
    front=
    behind=
    for key in plugin links before behind; do
        for p in $(all $key "$source"); do
            from=$root/c_tests/plugins/$p.c
            [ -f "$from" ] || from=$root/c_tests/plugins/$p.cc
            compile "$build/$p.so" "$from" -shared -fPIC -pthread -Wl,-soname,"$p.so" || exit 1
            case $key in
            links) libraries="$libraries $build/$p.so -Wl,-rpath,$build" ;;
            before) front="$front $build/$p.so" ;;
            behind) behind="$behind $build/$p.so" ;;
            esac
        done
    done
    # shellcheck disable=SC2086
    compile "$build/$name" "$source" $libraries || { echo "none $name does not compile"; exit 0; }
    expected=$(number_of "$(all exit "$source")")
    line="row $name"
    for library in "$@"; do
        harden="-u MEMS_HARDEN"
        case $library in harden:*) harden=MEMS_HARDEN=1 library=${library#harden:} ;; esac
        if [ "$(all plain "$source")" = no ] && [ "$library" != "$LIBMEMS" ]; then
            line="$line -"
            continue
        fi
        dir=$(mktemp -d)
        preload=$front
        [ "$library" != none ] && preload="$preload $library"
        preload="$preload$behind"
        set --
        while IFS= read -r e; do [ -n "$e" ] && set -- "$@" "$e"; done <<END
$(all env "$source")
END
        {
            # shellcheck disable=SC2046,SC2086
            (cd "$dir" && exec timeout -k 2 $limit env $harden LIBMEMS="$LIBMEMS" PLUGINS="$build" LD_PRELOAD="$preload" "$@" \
                "$build/$name" $(all args "$source")) </dev/null >"$dir/stdout" 2>"$dir/stderr"
            code=$?
        } 2>/dev/null
        verdict=ok
        if [ $code = 124 ] || [ $code = 137 ]; then
            verdict=hangs
        elif [ $code != "$expected" ]; then
            case $code in
            132 | 134 | 135 | 136 | 139 | 141 | 159) verdict=dies ;;
            *) verdict=fails ;;
            esac
        fi
        all stdout "$source" >"$dir/expressions"
        while IFS= read -r e; do
            grep -Eq -e "$e" "$dir/stdout" || verdict=fails
        done <"$dir/expressions"
        line="$line $verdict"
        rm -rf "$dir"
    done
    echo "$line"
    exit 0
fi

output=
only=
. "$root/scripts/allocators.sh"
while [ $# -gt 0 ]; do
    case $1 in
    -o) output=$2 && shift ;;
    -t) only="$only pit_${2#pit_}" && shift ;;
    -*) echo "usage: scripts/pitfalls.sh [-o FILE] [-t NAME]... [[LABEL=]LIBRARY.so]..." >&2 && exit 2 ;;
    *) given_library "$1" ;;
    esac
    shift
done
end_of_libraries
if [ -z "$only" ]; then
    for f in "$root"/c_tests/pit_*.c "$root"/c_tests/pit_*.cc; do
        f=${f##*/}
        only="$only ${f%.*}"
    done
fi
mkdir -p "$build"
export LIBMEMS CC CXX
# Each library must really serve malloc: the loader only warns when it cannot load one.
cat >"$build/probe.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
    Dl_info who;
    return !(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &who) && puts(who.dli_fname) > 0);
}
END
compile "$build/probe" "$build/probe.c" || exit 2
for library in $libraries; do
    case $library in none | harden:*) continue ;; esac
    serves=$(LD_PRELOAD=$library "$build/probe" 2>/dev/null)
    if [ "$(readlink -f "$serves")" != "$(readlink -f "$library")" ]; then
        echo "scripts/pitfalls.sh: malloc does not come from $library but from ${serves:-nowhere}" >&2
        exit 2
    fi
done
# shellcheck disable=SC2086
printf '%s\n' $only | xargs -P 2 -I '{}' "$0" --one '{}' $libraries | sort >"$build/rows"

table() {
    awk -v labels="$labels" '
        BEGIN {
            n = split(labels, label, " ")
            printf "| program |"; for (i = 1; i <= n; i++) printf " %s |", label[i]
            printf "\n|---|"; for (i = 1; i <= n; i++) printf "---|"
            printf "\n"
        }
        $1 == "skip" { skipped = skipped " " substr($2, 5) " (" $3 ")"; next }
        $1 != "row" { print "| " $0 " |"; bad = 1; next }
        {
            printf "| %s |", substr($2, 5)
            for (i = 1; i <= n; i++) {
                v = $(i + 2)
                if (v == "ok") passed[i]++
                if (v != "-") ran[i]++
                if (v != "ok" && v != "-") failed[i] = failed[i] " " substr($2, 5)
                printf " %s |", v == "ok" || v == "-" ? v : "**" v "**"
            }
            printf "\n"
        }
        END {
            printf "| **passed** |"; for (i = 1; i <= n; i++) printf " **%d of %d** |", passed[i], ran[i]
            printf "\n\n"
            for (i = 1; i <= n; i++) printf "%s: %d of %d passed%s%s\n", label[i], passed[i], ran[i],
                failed[i] == "" ? "" : "; failed:", failed[i]
            if (skipped != "") print "skipped, not installed:" skipped
            exit bad || failed[1] != "" || failed[2] != ""
        }' "$build/rows"
}
table >"$build/table"
bad=$?
cat "$build/table"
[ -n "$output" ] && cp "$build/table" "$output"
exit $bad
