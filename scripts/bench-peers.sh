#!/bin/sh
# Builds the allocators that MeMS is measured against as preloadable .so files, from the sources that crates.io carries.
#
#   scripts/bench-peers.sh           builds what is missing into target/peers/, proves each by preloading it, lists them
#   scripts/bench-peers.sh --clean   forgets them first
#
# Nothing of theirs is kept in this repository: bench/peers/Cargo.toml pins the crates, `cargo vendor` fetches them.
# Each is built as its own documentation says for a preloaded library: -O3, initial-exec TLS, malloc overridden.
# Debian's peers (libmimalloc2.0, libjemalloc2, libtcmalloc-minimal4) are taken when they are installed.
# Output: target/peers/NAME.so, and target/peers/list with lines `NAME <tab> PATH <tab> VERSION <tab> BUILT HOW`.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
out=$root/target/peers
src=$out/src
[ "${1:-}" != --clean ] || rm -rf "$out"
mkdir -p "$out"
CC=${CC:-cc} CXX=${CXX:-c++}

fetch() {
    [ -f "$src/.whole" ] && return
    rm -rf "$src"
    cargo vendor --locked --quiet --versioned-dirs --manifest-path bench/peers/Cargo.toml "$src" >/dev/null
    : >"$src/.whole"
}

one() { # the only folder that matches
    for d in "$src/$1"*; do echo "$d"; return; done
}

built() { [ -f "$out/$1.so" ]; }

build_mimalloc() { # NAME v2|v3
    built "$1" && return
    d=$(one libmimalloc-sys-)/c_src/mimalloc/$2
    $CC -O3 -DNDEBUG -DMI_DEBUG=0 -DMI_BUILD_RELEASE -DMI_SHARED_LIB -DMI_SHARED_LIB_EXPORT -DMI_MALLOC_OVERRIDE \
        -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc -I"$d/include" -I"$d/src" \
        -shared -o "$out/$1.so" "$d/src/static.c" -pthread -ldl
}

build_snmalloc() {
    built snmalloc && return
    d=$(one snmalloc-sys-)/upstream/src
    $CXX -std=c++20 -O3 -DNDEBUG -mcx16 -fPIC -fvisibility=hidden -fomit-frame-pointer -ftls-model=initial-exec \
        -ffunction-sections -fno-rtti -DSNMALLOC_USE_PTHREAD_DESTRUCTORS -DSNMALLOC_USE_WAIT_ON_ADDRESS=1 \
        '-DSNMALLOC_EXPORT=__attribute__((visibility("default")))' -I"$d" \
        -shared -o "$out/snmalloc.so" "$d/snmalloc/override/new.cc" "$d/snmalloc/override/malloc.cc" -pthread -static-libgcc
}

build_rpmalloc() {
    built rpmalloc && return
    d=$(one rpmalloc-sys-)/rpmalloc/rpmalloc
    $CC -std=gnu11 -O3 -DNDEBUG -D_GNU_SOURCE=1 -DENABLE_PRELOAD=1 -DENABLE_OVERRIDE=1 -fPIC -fvisibility=hidden \
        -fomit-frame-pointer -fno-builtin-malloc -ftls-model=initial-exec -w \
        -shared -o "$out/rpmalloc.so" "$d/rpmalloc.c" -pthread -ldl
}

build_jemalloc() {
    built jemalloc && return
    d=$(one tikv-jemalloc-sys-)
    rm -rf "$out/jemalloc-build"
    cp -r "$d/jemalloc" "$out/jemalloc-build"
    cp "$d/configure/configure" "$out/jemalloc-build/configure"
    version=$(basename "$d" | sed 's/^[^+]*+//; s/-0-g/-0-g/')
    (
        cd "$out/jemalloc-build"
        ./configure --disable-doc --with-jemalloc-prefix= --with-version="$version" CC="$CC" CXX="$CXX" EXTRA_CFLAGS=-O3
        make -j"$(nproc)" lib/libjemalloc.so.2
    ) >"$out/jemalloc.log" 2>&1
    cp "$out/jemalloc-build/lib/libjemalloc.so.2" "$out/jemalloc.so"
    rm -rf "$out/jemalloc-build"
}

version_of() { basename "$(one "$1")" | sed "s/^$1//"; }

mi_version() { # v2|v3: 30302 -> 3.3.2
    sed -n 's/^#define MI_MALLOC_VERSION *\([0-9]*\).*/\1/p' "$(one libmimalloc-sys-)/c_src/mimalloc/$1/include/mimalloc.h" |
        sed 's/^\(.\)\(..\)\(..\)$/\1 \2 \3/' | awk '{ print $1 + 0 "." $2 + 0 "." $3 + 0 }'
}

fetch
build_mimalloc mimalloc3 v3
build_mimalloc mimalloc2 v2
build_snmalloc
build_rpmalloc
build_jemalloc
$CC -O2 -Wall -Wextra -o "$out/peer-check" bench/peer_check.c -ldl

tab=$(printf '\t')
{
    echo "mimalloc3${tab}$out/mimalloc3.so${tab}$(mi_version v3)${tab}libmimalloc-sys $(version_of libmimalloc-sys-)"
    echo "mimalloc2${tab}$out/mimalloc2.so${tab}$(mi_version v2)${tab}libmimalloc-sys $(version_of libmimalloc-sys-)"
    echo "snmalloc${tab}$out/snmalloc.so${tab}$(version_of snmalloc-sys-)${tab}snmalloc-sys $(version_of snmalloc-sys-)"
    echo "rpmalloc${tab}$out/rpmalloc.so${tab}$(head -1 "$(one rpmalloc-sys-)/rpmalloc/CHANGELOG")${tab}rpmalloc-sys $(version_of rpmalloc-sys-)"
    echo "jemalloc${tab}$out/jemalloc.so${tab}$(version_of tikv-jemalloc-sys- | sed 's/^[^+]*+//; s/-.*//')${tab}tikv-jemalloc-sys $(version_of tikv-jemalloc-sys- | sed 's/+.*//')"
    for peer in tcmalloc:libtcmalloc_minimal.so.4:libtcmalloc-minimal4 mimalloc-deb:libmimalloc.so.2:libmimalloc2.0 jemalloc-deb:libjemalloc.so.2:libjemalloc2; do
        name=${peer%%:*} rest=${peer#*:}
        lib=${rest%%:*} package=${rest#*:}
        path=$(ls /usr/lib/*/"$lib" /usr/lib/"$lib" 2>/dev/null | head -1)
        [ -n "$path" ] || { echo "bench-peers: $package is not installed, $name is left out" >&2; continue; }
        version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo unknown)
        echo "$name${tab}$path${tab}$version${tab}Debian $package"
    done
} >"$out/list.new"

# A library that the loader cannot take is only a warning to it: so each must prove that its malloc is the one that serves.
: >"$out/list.ok"
while IFS="$tab" read -r name path version how; do
    if LD_PRELOAD=$path "$out/peer-check" "$path"; then
        printf '%s\t%s\t%s\t%s\n' "$name" "$path" "$version" "$how" >>"$out/list.ok"
    else
        echo "bench-peers: $name does not serve malloc when preloaded: left out" >&2
    fi
done <"$out/list.new"
mv "$out/list.ok" "$out/list"
rm -f "$out/list.new"
cat "$out/list"
