#!/bin/sh
# Builds and runs the C tests: c_tests/NAME.c or NAME.cc, one behaviour a file.
#
#   scripts/c_tests.sh [-v] [-m MODE] [NAME ...]     (no NAME: all; -v: show the output; MODE as below)
#
# The first comment of a file is its expectation, lines of `key: value`:
#   what        one sentence: the behaviour
#   mode        preload (default) | linked | both
#   plain       yes | no: must it also pass under the C library's own malloc? Default: yes, unless the file speaks
#               of mems_ or MEMS_, or expects something on stderr
#   flags       more flags for the compiler (repeatable)
#   args        command line arguments
#   env         NAME=value in the environment (repeatable)
#   exit        exit code or signal name (SIGABRT); default 0 (repeatable: one of them)
#   stdout      extended regular expression that matches a line of stdout (repeatable); exact: a file NAME.out
#   stdout-not  must match no line of stdout (repeatable)
#   stderr      as stdout, of stderr
#   stderr-not  as stdout-not, of stderr
#   dump        yes | no: does the run leave a MeMS dump on stderr? Default: yes, unless it ends by a signal or
#               sets MEMS_STATS, MEMS_STATS_FILE or MEMS_STATS_FORMAT
#   plugin      builds c_tests/plugins/VALUE.c (or .cc) as build/c/VALUE.so (repeatable)
#               (its own first comment may have a line flags:)
#   links       the same, and the program is linked with it, so that it loads before libmems.so
#   before      the same, and it is preloaded in front of libmems.so
#   behind      the same, and it is preloaded behind libmems.so
#   needs       a program; the test is skipped where it is not installed (repeatable)
#   seconds     time limit, default 60
# A test runs in an empty directory of its own, stdin is empty, LIBMEMS names the library and PLUGINS the
# directory of the plugins. Under preload MeMS must really be in: the loader lists it, and its dump appears.

set -u
root=$(cd "$(dirname "$0")/.." && pwd)
LIBMEMS=${LIBMEMS:-$root/target/release/libmems.so}
build=$root/build/c
CC=${CC:-cc}
CXX=${CXX:-c++}
for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
unset LD_PRELOAD
ulimit -c 0
mkdir -p "$build"

verbose=no
only=
one=no
while [ $# -gt 0 ]; do
    case $1 in
    -v) verbose=yes ;;
    -m) only=$2 && shift ;;
    --one) one=yes ;;
    -*) echo "usage: scripts/c_tests.sh [-v] [-m plain|preload|linked] [NAME ...]" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done

if [ "$one" = no ]; then
    if [ ! -f "$LIBMEMS" ]; then
        echo "scripts/c_tests.sh: $LIBMEMS is not there; run make first" >&2
        exit 2
    fi
    if [ $# -eq 0 ]; then
        for f in "$root"/c_tests/*.c "$root"/c_tests/*.cc; do
            [ -f "$f" ] || continue
            f=${f##*/}
            set -- "$@" "${f%.*}"
        done
    fi
    jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    [ "$verbose" = yes ] && jobs=1
    log=$root/build/c_tests.log
    export LIBMEMS CC CXX
    flags=
    [ "$verbose" = yes ] && flags="$flags -v"
    [ -n "$only" ] && flags="$flags -m $only"
    # shellcheck disable=SC2086
    printf '%s\n' "$@" | xargs -P "$jobs" -n 1 "$0" $flags --one | tee "$log"
    awk '/^ok /{p++} /^FAIL /{f++} /^skip /{s++}
         END { printf "c_tests: %d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$log"
    exit
fi

name=$1
source=
for s in "$root/c_tests/$name.c" "$root/c_tests/$name.cc"; do [ -f "$s" ] && source=$s; done
if [ -z "$source" ]; then
    echo "FAIL $name: no c_tests/$name.c or .cc"
    exit 0
fi

# The expectation: one line a key, key and value parted by a tab.
spec=$(awk '
    { line = $0; last = index(line, "*/") > 0 }
    last { line = substr(line, 1, index(line, "*/") - 1) }
    { sub(/^[ \t]*(\/\*|\*)?[ \t]*/, "", line); sub(/[ \t]+$/, "", line) }
    match(line, /^[a-z][a-z-]*:/) {
        value = substr(line, RLENGTH + 1); sub(/^[ \t]+/, "", value)
        print substr(line, 1, RLENGTH - 1) "\t" value
    }
    last { exit }' "$source")
all() { printf '%s\n' "$spec" | awk -F '\t' -v key="$1" '$1 == key { print substr($0, length(key) + 2) }'; }
one() { value=$(all "$1" | head -n 1); echo "${value:-$2}"; }

bad=$(printf '%s\n' "$spec" | cut -f 1 |
    grep -Evx 'what|mode|plain|flags|args|env|exit|stdout|stdout-not|stderr|stderr-not|dump|plugin|links|before|behind|needs|seconds')
if [ -n "$bad" ] || [ -z "$(all what)" ]; then
    echo "FAIL $name: the first comment has ${bad:+an unknown key: $bad}${bad:-no line what:}"
    exit 0
fi
for program in $(all needs); do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "skip $name: $program is not installed"
        exit 0
    fi
done
compiler="$CC -std=gnu17"
case $source in *.cc) compiler="$CXX -std=gnu++17" ;; esac
if ! command -v "${compiler%% *}" >/dev/null 2>&1; then
    echo "skip $name: ${compiler%% *} is not installed"
    exit 0
fi

# compile OUT SOURCE FLAGS...: unless OUT is newer than all it is made from. Fails with the compiler's words.
compile() {
    out=$1 from=$2
    shift 2
    key="$compiler $* $LIBMEMS"
    if [ "$out" -nt "$from" ] && [ -z "$(find "$root/c_tests" -maxdepth 1 -name '*.h' -newer "$out")" ] && [ "$out" -nt "$root/scripts/c_tests.sh" ] &&
        { [ ! -f "$root/include/mems.h" ] || [ "$out" -nt "$root/include/mems.h" ]; } &&
        [ "$(cat "$out.flags" 2>/dev/null)" = "$key" ]; then
        return 0
    fi
    # shellcheck disable=SC2086
    $compiler -O1 -g -fno-builtin -Wall -Wextra -Wno-unused-result -Wno-use-after-free \
        -I"$root/include" -I"$root/c_tests" "$from" -o "$out.$$" "$@" >"$out.$$.log" 2>&1 ||
        { echo "the compiler says:"; cat "$out.$$.log"; rm -f "$out.$$" "$out.$$.log"; return 1; }
    mv "$out.$$" "$out"
    rm -f "$out.$$.log"
    printf '%s' "$key" >"$out.flags"
}

number_of() { # exit code as the shell reports it
    case $1 in
    SIGHUP) echo 129 ;; SIGINT) echo 130 ;; SIGQUIT) echo 131 ;; SIGILL) echo 132 ;; SIGTRAP) echo 133 ;;
    SIGABRT) echo 134 ;; SIGBUS) echo 135 ;; SIGFPE) echo 136 ;; SIGKILL) echo 137 ;; SIGUSR1) echo 138 ;;
    SIGSEGV) echo 139 ;; SIGUSR2) echo 140 ;; SIGPIPE) echo 141 ;; SIGALRM) echo 142 ;; SIGTERM) echo 143 ;;
    SIGXCPU) echo 152 ;; SIGXFSZ) echo 153 ;; SIGSYS) echo 159 ;;
    *) echo "$1" ;;
    esac
}

# each FILE KEY: fails with the first expression of KEY that FILE does not match.
each() {
    all "$2" | while IFS= read -r expression; do
        grep -Eq -e "$expression" "$1" || { echo "$2 has no line that matches: $expression"; break; }
    done
}

# verdict DIR CODE MODE: prints what is wrong, nothing when all is as expected.
verdict() {
    expected=$(all exit)
    expected=${expected:-0}
    for end in $expected; do
        [ "$2" = "$(number_of "$end")" ] && expected=
    done
    if [ -n "$expected" ] && [ "$2" = 124 ]; then
        echo "not done after $(one seconds 60) seconds"
    elif [ -n "$expected" ]; then
        echo "exit code $2, not" $expected
    fi
    for stream in stdout stderr; do
        each "$1/$stream" $stream
        all $stream-not | while IFS= read -r expression; do
            grep -E -e "$expression" "$1/$stream" | head -n 1 | sed "s/^/$stream must not say: /"
        done
    done
    if [ -f "$root/c_tests/$name.out" ] && ! cmp -s "$root/c_tests/$name.out" "$1/stdout"; then
        echo "stdout differs from $name.out:"
        diff "$root/c_tests/$name.out" "$1/stdout" | head -n 20
    fi
    [ "$3" = plain ] && return
    dump=yes
    for end in $(all exit); do
        case $end in SIG*) [ "$2" = "$(number_of "$end")" ] && dump=no ;; esac
    done
    all env | grep -Eq '^MEMS_STATS' && dump=no
    if [ "$(one dump $dump)" = yes ]; then
        grep -Eq '== mems [0-9]|^mems: [0-9]+ .*, peak |"schema":"mems/' "$1/stderr" || echo "no MeMS dump on stderr"
    fi
}

# A program that calls mems_ functions and is to find them under preload is linked against a library that has the
# names and nothing else, and whose loader name is a part of the C library: so nothing but the preload brings them.
stub() {
    [ "$build/stub.so" -nt "$root/tests/exports.txt" ] && return
    sed -n 's/^\(mems_[a-z_]*\)$/void \1(void) {}/p' "$root/tests/exports.txt" >"$build/stub.$$.c"
    $CC -shared -fPIC -Wl,-soname,libutil.so.1 "$build/stub.$$.c" -o "$build/stub.$$.so" && mv "$build/stub.$$.so" "$build/stub.so"
    rm -f "$build/stub.$$.c"
}

# try MODE: one run, its one result line.
try() {
    how=$1
    [ -n "$only" ] && [ "$how" != "$only" ] && return
    preload=
    libraries=
    for kind in plugin links before behind; do
        for p in $(all $kind); do
            case $kind in
            links) libraries="$libraries $build/$p.so -Wl,-rpath,$build" ;;
            before) preload="$build/$p.so${preload:+ $preload}" ;;
            esac
        done
    done
    [ "$how" = preload ] && preload="$preload $LIBMEMS"
    for p in $(all behind); do preload="$preload $build/$p.so"; done
    exe=$build/$name
    if [ "$how" = linked ]; then
        exe=$build/$name.linked
        libraries="$libraries -Wl,--no-as-needed -L${LIBMEMS%/*} -lmems -Wl,-rpath,${LIBMEMS%/*}"
    fi
    if [ "$how" != linked ] && grep -q 'mems_' "$source"; then
        stub
        libraries="$libraries $build/stub.so"
    fi
    # shellcheck disable=SC2046,SC2086
    wrong=$(compile "$exe" "$source" $(all flags) $libraries) || { echo "FAIL $name ($how): $wrong"; return; }
    if [ "$how" != plain ] &&
        ! LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD="$preload" "$exe" 2>/dev/null | grep -q 'libmems\.so'; then
        echo "FAIL $name ($how): the loader does not load libmems.so"
        return
    fi
    dir=$(mktemp -d)
    mkdir "$dir/cwd"
    set -- "LIBMEMS=$LIBMEMS" "PLUGINS=$build"
    [ -n "$preload" ] && set -- "$@" "LD_PRELOAD=$preload"
    while IFS= read -r e; do
        [ -n "$e" ] && set -- "$@" "$e"
    done <<END
$(all env)
END
    # shellcheck disable=SC2046
    set -- "$@" "$exe" $(one args '')
    # The shell's own word on a signal (Aborted) goes nowhere.
    {
        (cd "$dir/cwd" && exec timeout -k 5 "$(one seconds 60)" env "$@") \
            </dev/null >"$dir/stdout" 2>"$dir/stderr"
        code=$?
    } 2>/dev/null
    wrong=$(verdict "$dir" "$code" "$how")
    if [ "$verbose" = yes ]; then
        echo "--- $name ($how): $(one what '')"
        cat "$dir/stdout"
        cat "$dir/stderr" >&2
    fi
    if [ -z "$wrong" ]; then
        echo "ok $name ($how)"
    elif [ "$verbose" = yes ]; then
        echo "FAIL $name ($how): $wrong"
    else
        echo "FAIL $name ($how): $wrong"
        head -c 2000 "$dir/stderr" | sed "s/^/    /"
    fi
    rm -rf "$dir"
}

for kind in plugin links before behind; do
    for p in $(all $kind); do
        from=$root/c_tests/plugins/$p.c
        save=$compiler
        compiler="$CC -std=gnu17"
        [ -f "$from" ] || { from=$root/c_tests/plugins/$p.cc && compiler="$CXX -std=gnu++17"; }
        # shellcheck disable=SC2046
        wrong=$(compile "$build/$p.so" "$from" -shared -fPIC -pthread -Wl,-soname,"$p.so" \
            $(sed -n '1,/\*\//s/^ \* flags: *//p' "$from")) ||
            { echo "FAIL $name: $wrong"; exit 0; }
        compiler=$save
    done
done

plain=yes
grep -Eq 'mems_|MEMS_|mems\.h' "$source" && plain=no
printf '%s\n' "$spec" | grep -q '^stderr' && plain=no
mode=$(one mode preload)
case $mode in preload | linked | both) ;; *) echo "FAIL $name: mode $mode is none" && exit 0 ;; esac
{
    [ "$(one plain $plain)" = yes ] && try plain
    [ "$mode" != linked ] && try preload
    [ "$mode" != preload ] && try linked
} >"$build/$name.result.$$" 2>&1
cat "$build/$name.result.$$"
rm -f "$build/$name.result.$$"
exit 0
