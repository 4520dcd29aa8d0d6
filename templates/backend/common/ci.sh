#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ./ci.sh: builds, tests and packs the backend. What is missing is installed, on Debian. Where
# simplugin is not installed, SIMPLUGIN_SOURCE=DIRECTORY, its source, is built and installed
# below this directory first.
set -e
cd "$(dirname "$0")"
umask 022 # a plugin that others may write is not loaded

die() {
    printf 'ci.sh: %s\n' "$*" >&2
    exit 1
}

missing=
for tool in @TOOLS@; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || die "these programs are needed:$missing"
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends @PACKAGES@
fi
@READY@
if ! pkg-config --exists simplugin; then
    [ -n "$SIMPLUGIN_SOURCE" ] || die "simplugin is not installed, or PKG_CONFIG_PATH does not name it;" \
        "SIMPLUGIN_SOURCE=DIRECTORY names its source"
    here=$PWD
    (cd "$SIMPLUGIN_SOURCE" && ./quickstart)
    PKG_CONFIG_PATH=$(cd "$SIMPLUGIN_SOURCE" && pwd)/build/quickstart/installed/lib/pkgconfig
    export PKG_CONFIG_PATH
    cd "$here"
fi

@BUILD@
@CHECK@
@TARBALL@
