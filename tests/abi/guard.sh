#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# guard.sh BUILD: what docs/abi.md promises holds for every release in tests/abi/VERSION/, and for
# one to come: what headers declare is only added to, no symbol is gone, and programs, libraries
# and plugins of then and now work with each other. Needs abidiff (Debian package abigail-tools).
set -e
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
here=$PWD
include=$PWD/../../include
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
unset SIMPLUGIN_DATA SIMPLUGIN_PATH FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND
HOME=$directory
XDG_DATA_HOME=$directory/data
export HOME XDG_DATA_HOME
umask 022

# plugins DIRECTORY NAME=FILE...: a directory that is searched for them
plugins() {
    mkdir -p "$1"
    where=$1
    shift
    for pair; do
        ln -sf "${pair#*=}" "$where/simplugin_${pair%%=*}.so"
    done
}

# same WHAT PROGRAM LIBRARY-DIRECTORY PLUGIN-DIRECTORY BACKEND EXPECTED: what it prints is EXPECTED
same() {
    rm -rf "$XDG_DATA_HOME"
    if LD_LIBRARY_PATH=$3 SIMPLUGIN_PATH=$4 timeout 60 "$2" "$5" >"$directory/printed" 2>&1 &&
        diff "$6" "$directory/printed" >"$directory/diff"; then
        echo "ok: $1"
    else
        echo "not ok: $1, on the backend $5:"
        cat "$directory/diff" "$directory/printed"
        exit 1
    fi
}

# promised OLD-INCLUDE NEW-INCLUDE: the later one keeps what the earlier one promised
promised() {
    python3 headers.py "$1" "$2" >"$directory/headers"
}

# described WHAT LIBRARY-DIRECTORY: today's plugins of servers say to that library what they say to today's
described() {
    for backend in milvus qdrant; do
        same "$1, $backend" "$now/describe" "$2" "$now/plugins" $backend "$now/$backend.txt"
    done
}

# opened WHAT PROGRAM LIBRARY-DIRECTORY: a program gets as far with them as without a server it can
opened() {
    for backend in milvus qdrant; do
        rm -rf "$XDG_DATA_HOME"
        LD_LIBRARY_PATH=$3 SIMPLUGIN_PATH=$now/plugins timeout 120 "$2" $backend >"$directory/printed" 2>&1 || true
        grep -q "^create: UNAVAILABLE: $backend: " "$directory/printed" ||
            { echo "not ok: $1, on the backend $backend:"; cat "$directory/printed"; exit 1; }
        echo "ok: $1, $backend"
    done
}

# compiled SOURCE INCLUDE LIBRARY-DIRECTORY OUT
compiled() {
    cc -std=c99 -Wall -Werror -I"$2" "$1" "$3/libsimplugin.so.1" -o "$4"
}

# ---- what was released ---------------------------------------------------------------------

now=$directory/now
mkdir "$now"
plugins "$now/plugins" "sklearn=$build/.libs/simplugin_sklearn_flat.so" "minimal=$build/.libs/simplugin_minimal.so" \
    "milvus=$build/.libs/simplugin_milvus.so" "qdrant=$build/.libs/simplugin_qdrant.so"
compiled program.c "$include" "$build/.libs" "$now/program"
for backend in sklearn minimal; do
    same "today's program, library and plugin" "$now/program" "$build/.libs" "$now/plugins" $backend program.txt
done
# where no server is
cat >"$directory/brain_config.json" <<'END'
{"similarity_backends": {"milvus": {"uri": "http://127.0.0.1:1"}, "qdrant": {"url": "http://127.0.0.1:1"}}}
END
export FIFTYONE_BRAIN_CONFIG_PATH="$directory/brain_config.json"
compiled describe.c "$include" "$build/.libs" "$now/describe"
for backend in milvus qdrant; do
    LD_LIBRARY_PATH=$build/.libs SIMPLUGIN_PATH=$now/plugins "$now/describe" $backend >"$now/$backend.txt" ||
        { echo "not ok: today's plugin $backend:"; cat "$now/$backend.txt"; exit 1; }
    grep -q "^$backend: [1-9].* [1-9].* parameters" "$now/$backend.txt" || { cat "$now/$backend.txt"; exit 1; }
done
sh surface.sh cc "$include" "$now/surface.so"
nm -D --defined-only --with-symbol-versions "$build/.libs/libsimplugin.so" | awk '$2 == "T" { print $3 }' | sort >"$now/symbols"

releases=0
for release in "$here"/[0-9]*/; do
    release=${release%/}
    version=${release##*/}
    archive=$release/$(uname -m).tar.xz
    releases=$((releases + 1))
    promised "$release/include" "$include" || { echo "not ok: the headers of $version have changed:"; cat "$directory/headers"; exit 1; }
    # what it calls incompatible is bit 8, any change bit 4, which headers.py looks at more closely
    result=0
    abidiff --no-added-syms "$release/surface.abi" "$now/surface.so" >"$directory/abidiff" 2>&1 || result=$?
    case $result in
    0 | 4) ;;
    *) echo "not ok: the ABI of $version has changed:"; cat "$directory/abidiff"; exit 1 ;;
    esac
    gone=$(comm -23 "$release/symbols" "$now/symbols")
    [ -z "$gone" ] || { echo "not ok: symbols of $version are gone: $gone"; exit 1; }
    echo "ok: headers and symbols of $version"
    compiled "$release/program.c" "$include" "$build/.libs" "$directory/recompiled"
    same "a program of $version, compiled today" "$directory/recompiled" "$build/.libs" "$now/plugins" sklearn "$release/program.txt"
    [ -f "$archive" ] || { echo "nothing of $version was kept for $(uname -m)"; continue; }
    then=$directory/$version
    mkdir "$then"
    tar -xJf "$archive" -C "$then"
    plugins "$then/plugins" "minimal=$then/simplugin_minimal.so" "sklearn=$then/simplugin_sklearn_flat.so"
    same "program of $version, today's library and plugin" "$then/program" "$build/.libs" "$now/plugins" sklearn "$release/program.txt"
    same "program and plugin of $version, today's library" "$then/program" "$build/.libs" "$then/plugins" minimal "$release/program.txt"
    same "program and plugin of $version, today's library" "$then/program" "$build/.libs" "$then/plugins" sklearn "$release/program.txt"
    same "plugin of $version, today's program and library" "$now/program" "$build/.libs" "$then/plugins" sklearn program.txt
    same "library of $version, today's plugins" "$then/program" "$then" "$now/plugins" sklearn "$release/program.txt"
    same "library of $version, today's plugins" "$then/program" "$then" "$now/plugins" minimal "$release/program.txt"
    same "library of $version, today's program and plugin" "$now/program" "$then" "$now/plugins" sklearn program.txt
    described "library of $version, today's plugins" "$then"
    opened "program of $version, today's library and plugins" "$then/program" "$build/.libs"
    opened "program and library of $version, today's plugins" "$then/program" "$then"
done
[ "$releases" -gt 0 ] || { echo "not ok: no release is kept in $here"; exit 1; }

# ---- what is to come: the same sources with more at the end of each struct that may grow -----

next=$directory/next
make -C "$build" -s distdir distdir="$next" >"$directory/log" 2>&1 || { cat "$directory/log"; exit 1; }
chmod -R u+w "$next"
sh next.sh "$next/include"
promised "$include" "$next/include" || { echo "not ok: what may be added may not:"; cat "$directory/headers"; exit 1; }
cp -R "$include" "$directory/broken"
sed -i 's/^    const uint8_t \*body; .*/    uint64_t inserted;\n&/' "$directory/broken/simplugin/plugin.h"
! promised "$include" "$directory/broken" || { echo "not ok: a member that comes before others goes unseen"; exit 1; }
cp "$include/simplugin/plugin.h" "$directory/broken/simplugin"
sed -i 's/^#define SIMPLUGIN_BUSY 7/#define SIMPLUGIN_BUSY 9/' "$directory/broken/simplugin/plugin.h"
! promised "$include" "$directory/broken" || { echo "not ok: a code that means something else goes unseen"; exit 1; }
echo "ok: what may change in the headers, and what may not"
mkdir "$next/build"
(cd "$next/build" && ../configure -q --disable-tests --disable-milvus --disable-qdrant CFLAGS=-O0 &&
    make -s -j"$(nproc)" libsimplugin.la simplugin_sklearn_flat.la) >"$directory/log" 2>&1 ||
    { tail -n 40 "$directory/log"; exit 1; }
plugins "$next/plugins" "sklearn=$next/build/.libs/simplugin_sklearn_flat.so"
compiled program.c "$next/include" "$build/.libs" "$next/program"
same "program of the next version, today's library and plugin" "$next/program" "$build/.libs" "$now/plugins" sklearn program.txt
same "plugin of the next version, today's program and library" "$now/program" "$build/.libs" "$next/plugins" sklearn program.txt
same "library of the next version, today's program and plugins" "$now/program" "$next/build/.libs" "$now/plugins" sklearn program.txt
same "library of the next version, today's program and plugins" "$now/program" "$next/build/.libs" "$now/plugins" minimal program.txt
same "program and library of the next version, today's plugin" "$next/program" "$next/build/.libs" "$now/plugins" minimal program.txt
described "library of the next version, today's plugins" "$next/build/.libs"
opened "program and library of the next version, today's plugins" "$next/program" "$next/build/.libs"
# a plugin that needs what only the next version has says so, and is told who is too old
cc -std=c99 -shared -fPIC -I"$next/include" needs_next.c -o "$next/plugins/simplugin_needs_next.so"
rm -rf "$XDG_DATA_HOME"
LD_LIBRARY_PATH=$build/.libs SIMPLUGIN_PATH=$next/plugins "$now/program" needs_next >"$directory/printed" 2>&1 || true
grep -q 'INCOMPATIBLE: .*ABI 1\.[1-9][0-9]*.*1\.0' "$directory/printed" ||
    { echo "not ok: a plugin that needs the next version:"; cat "$directory/printed"; exit 1; }
echo "ok: a plugin that needs the next version is refused by today's library"
