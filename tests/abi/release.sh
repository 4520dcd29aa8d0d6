#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# release.sh BUILD: keeps the ABI of a release, built there with --prefix=/usr, in
# tests/abi/VERSION/: what its headers declare, its symbols, and for this machine's architecture
# the library, two plugins and a program of that day. Needs abidw (Debian package abigail-tools).
set -e
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
here=$PWD
version=$(sed -n 's/^#define SIMPLUGIN_VERSION "\(.*\)"/\1/p' ../../include/simplugin.h)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
mkdir -p "$version" "$directory/kept"
sh surface.sh cc ../../include "$directory/surface.so"
abidw --no-corpus-path --no-show-locs --no-comp-dir-path --out-file "$version/surface.abi" "$directory/surface.so"
nm -D --defined-only --with-symbol-versions "$build/.libs/libsimplugin.so" |
    awk '$2 == "T" { print $3 }' | sort >"$version/symbols"
cp program.c program.txt "$version"
rm -rf "$version/include"
cp -R ../../include "$version"
cc -std=c99 -O2 -I../../include program.c "$build/.libs/libsimplugin.so" -o "$directory/kept/program"
cp -L "$build/.libs/libsimplugin.so.1" "$build/.libs/simplugin_minimal.so" "$build/.libs/simplugin_sklearn_flat.so" "$directory/kept"
strip "$directory"/kept/*
# the same bytes whenever it is made
(cd "$directory/kept" && tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go-w -cf - ./*) |
    xz -9e >"$version/$(uname -m).tar.xz"
ls -l "$here/$version"
