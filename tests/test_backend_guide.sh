#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/backend-guide.md, done as it says, from an installed simplugin to a backend that is shipped: R178.
# SIMPLUGIN_INSTALLED names the prefix of the installation, into which the page installs a backend that
# is removed afterwards; TEST_TOP_SRCDIR the source, TEST_TOP_BUILDDIR a build of it. It needs the
# autotools, a C compiler, cargo, python3 and patch.
set -e
umask 022
[ -n "$SIMPLUGIN_INSTALLED" ] || {
    echo "test_backend_guide.sh: SIMPLUGIN_INSTALLED names no installation" >&2
    exit 1
}
directory=$(mktemp -d)
trap 'rm -rf "$directory"; rm -f "$SIMPLUGIN_INSTALLED/lib/simplugin/simplugin_fruit.so"' EXIT
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
# nobody's configuration; warnings end the build
export HOME="$directory" SIMPLUGIN_DATA="$directory/data" CFLAGS="-O1 -g -Werror -Wconversion -Wshadow"
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 # takes half the time to compile
export PATH="$SIMPLUGIN_INSTALLED/bin:$PATH" PKG_CONFIG_PATH="$SIMPLUGIN_INSTALLED/lib/pkgconfig"
export SIMPLUGIN_BUILDDIR="$TEST_TOP_BUILDDIR" PYTHONPATH="$TEST_TOP_SRCDIR/tests" PYTHONDONTWRITEBYTECODE=1
unset SIMPLUGIN_PATH SIMPLUGIN_LOG FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND
cd "$directory"
python3 "$TEST_TOP_SRCDIR/tests/backend_guide.py"
