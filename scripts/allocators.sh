#!/bin/sh
# Which allocators a table compares: sourced by the scripts that make one, with `given_library` for each argument that is none
# of their options and `end_of_libraries` behind the last. Sets `libraries` (paths; `none`: the C library; `harden:PATH`:
# with MEMS_HARDEN=1) and `labels`, a word each. LIBMEMS must be set.

libraries="none $LIBMEMS harden:$LIBMEMS"
labels="glibc MeMS hardened"
given=no

# given_library [LABEL=]LIBRARY.so
given_library() {
    given=yes
    path=${1#*=}
    label=${1%%=*}
    [ "$label" = "$1" ] && label=$(basename "$1" | sed 's/^lib//; s/\.so.*//')
    [ -f "$path" ] || { echo "$0: $path is not there" >&2; exit 2; }
    libraries="$libraries $path"
    labels="$labels $label"
}

# Without libraries of the caller's: those of Debian that are installed. Then an environment in which nothing is preloaded.
end_of_libraries() {
    [ -f "$LIBMEMS" ] || { echo "$0: $LIBMEMS is not there; run make first" >&2; exit 2; }
    if [ $given = no ]; then
        for pair in mimalloc=libmimalloc.so.2 jemalloc=libjemalloc.so.2 tcmalloc=libtcmalloc_minimal.so.4; do
            path=$({ ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | awk -v so="${pair#*=}" '$1 == so { print $NF; exit }')
            [ -n "$path" ] || { echo "not installed: ${pair#*=}" >&2; continue; }
            libraries="$libraries $path"
            labels="$labels ${pair%%=*}"
        done
    fi
    unset LD_PRELOAD
    for v in $(env | sed -n 's/^\(MEMS_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
    ulimit -c 0
}
