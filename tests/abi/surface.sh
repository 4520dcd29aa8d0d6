#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# surface.sh CC INCLUDE OUT.so: a library whose debugging information is what simplugin.h declares,
# every function and the types that these reach, and nothing of ours behind them.
set -e
cc=$1 include=$(cd "$2" && pwd) out=$(cd "$(dirname "$3")" && pwd)/$(basename "$3")
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cp -R "$include/simplugin.h" "$include/simplugin" "$directory"
{
    echo '#include "simplugin.h"'
    grep -v '^#' "$include/simplugin.h" | tr '\n' ' ' | grep -o 'SIMPLUGIN_EXPORT [^(;]*(' |
        grep -o 'simplugin_[a-z0-9_]*(' | tr -d '(' | sort -u |
        sed 's/.*/__typeof__(\&&) surface_of_& = \&&;/'
    echo 'simplugin_backend_entry_fn surface_of_entry = &simplugin_backend_entry;'
} >"$directory/surface.c"
# from inside, so that no path of this machine stays in it
cd "$directory"
"$cc" -std=c11 -g -O0 -fPIC -shared -I. surface.c -o "$out"
