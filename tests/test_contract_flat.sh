#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the flat backend, under both of its names.
directory=$(mktemp -d) || exit 2
trap 'rm -rf "$directory"' EXIT
for name in sklearn_flat sklearn; do
    ln -s "$TEST_TOP_BUILDDIR/.libs/simplugin_sklearn_flat.so" "$directory/simplugin_$name.so"
done
printf '{"plugin_path": ["%s"]}\n' "$directory" >"$directory/config"
# what the cases are about does not need a disk, and each call to sync one takes its time
[ -n "$TMPDIR" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm && export TMPDIR; }
"$TEST_TOP_BUILDDIR/tests/contract/contract" sklearn_flat --config "$directory/config"
