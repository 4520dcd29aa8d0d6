#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each library exports what its header declares, a plugin its entry, and nothing else.
# $TEST_PLUGINS: those that are built only where their libraries are.
directory=$(mktemp -d) || exit 2
trap 'rm -rf "$directory"' EXIT
failed=0

# exported FILE: names of defined symbols; those of sanitizers and the map's version aside
exported() {
    [ -f "$1" ] || echo "no file $1"
    $TEST_NM -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
        grep -v '^__' | sort -u
}

same() {
    if diff "$2" "$3" >"$directory/diff"; then
        echo "$1: $(wc -l <"$2") symbols"
    else
        echo "$1: expected (<) and exported (>) symbols differ:"
        cat "$directory/diff"
        failed=1
    fi
}

# library NAME HEADER
library() {
    grep -v '^#' "$TEST_TOP_SRCDIR/include/$2" | tr '\n' ' ' |
        grep -o 'SIMPLUGIN_EXPORT [^(;]*(' | grep -o 'simplugin_[a-z0-9_]*(' | tr -d '(' | sort -u >"$directory/declared"
    exported "$TEST_TOP_BUILDDIR/.libs/$1" >"$directory/library"
    same "$1" "$directory/declared" "$directory/library"
}
library libsimplugin.so simplugin.h
library libsimplugin-conformance.so simplugin/conformance.h

echo simplugin_backend_entry >"$directory/entry"
for plugin in sklearn_flat minimal $TEST_PLUGINS; do
    exported "$TEST_TOP_BUILDDIR/.libs/simplugin_$plugin.so" >"$directory/plugin"
    same "simplugin_$plugin.so" "$directory/entry" "$directory/plugin"
done

# two copies of one message's description end the process: neither gRPC C++ nor libprotobuf
for plugin in $TEST_PLUGINS; do
    readelf -d "$TEST_TOP_BUILDDIR/.libs/simplugin_$plugin.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$directory/needed"
    if [ ! -s "$directory/needed" ]; then
        echo "simplugin_$plugin.so: nothing is known of its libraries"
        failed=1
    elif grep -E '^lib(grpc\+\+|protobuf(-lite)?\.so|protoc)' "$directory/needed"; then
        echo "simplugin_$plugin.so: must not link these"
        failed=1
    else
        echo "simplugin_$plugin.so: $(wc -l <"$directory/needed") libraries"
    fi
done

# the map lets out no more than that prefix
grep -q '^ *local: *$' "$TEST_TOP_SRCDIR/core/simplugin.map" &&
    grep -q '^ *\*;$' "$TEST_TOP_SRCDIR/core/simplugin.map" || { echo "simplugin.map hides nothing"; failed=1; }
exit $failed
