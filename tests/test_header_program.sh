#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program in the comment that opens simplugin.h, and the one in the README, compile and
# print what they say. SIMPLUGIN_INSTALLED=PREFIX compiles against an installed library.
set -e
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
include=$TEST_TOP_SRCDIR/include
libs="-L$TEST_TOP_BUILDDIR/.libs -lsimplugin"
LD_LIBRARY_PATH=$TEST_TOP_BUILDDIR/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if [ -n "$SIMPLUGIN_INSTALLED" ]; then
    PKG_CONFIG_PATH=$SIMPLUGIN_INSTALLED/lib/pkgconfig
    export PKG_CONFIG_PATH
    include=$(pkg-config --variable=includedir simplugin)
    libs=$(pkg-config --libs simplugin)
    LD_LIBRARY_PATH=$SIMPLUGIN_INSTALLED/lib
else
    # the backend by its FiftyOne name, which only make install makes
    mkdir -m 700 "$directory/plugins"
    ln -s "$TEST_TOP_BUILDDIR/.libs/simplugin_sklearn_flat.so" "$directory/plugins/simplugin_sklearn.so"
    SIMPLUGIN_PATH=$directory/plugins
    export SIMPLUGIN_PATH
fi
export LD_LIBRARY_PATH
HOME=$directory
XDG_DATA_HOME=$directory/data
export HOME XDG_DATA_HOME
unset FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND SIMPLUGIN_DATA

# program SOURCE EXPECTED
program() {
    $TEST_CC -std=c99 $TEST_CFLAGS -Wall -Werror -I"$include" "$1" -o "$directory/program" $libs
    "$directory/program" >"$directory/output"
    printf '%s\n' "$2" | diff - "$directory/output"
}

sed -n 's/^ \*     \(.*\)$/\1/p' "$include/simplugin.h" | sed -n '/^#include/,/^ *return simplugin_close/p' >"$directory/header.c"
lines=$(wc -l <"$directory/header.c")
[ "$lines" -ge 10 ] && [ "$lines" -le 15 ] || { echo "the program in simplugin.h has $lines lines"; exit 1; }
program "$directory/header.c" "pear apple"
echo "simplugin.h: $lines lines, prints what it says"

sed -n '/^```c$/,/^```$/p' "$TEST_TOP_SRCDIR/README.md" | grep -v '^```' >"$directory/readme.c"
expected=$(sed -n '/<!-- prints -->/,/^```$/p' "$TEST_TOP_SRCDIR/README.md" | grep -v -e '^```' -e '^<!--')
[ -s "$directory/readme.c" ] && [ -n "$expected" ]
program "$directory/readme.c" "$expected"
echo "README.md: prints what it says"
