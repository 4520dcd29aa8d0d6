#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# package.sh PLUGIN.so VERSION: packs the plugin, without what only a debugger needs, the README
# and the licence into a file in the present directory.
set -e
umask 022
plugin=$1
version=$2
source=$(cd "$(dirname "$0")" && pwd)
name=simplugin-@NAME@-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/$name"
install -m 755 "$plugin" "$work/$name/simplugin_@NAME@.so"
strip --strip-unneeded "$work/$name/simplugin_@NAME@.so"
install -m 644 "$source/README.md" "$source/LICENSE" "$work/$name"
archive=$name-linux-$(uname -m).tar.gz
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -czf "$archive" "$name"
echo "$PWD/$archive"
