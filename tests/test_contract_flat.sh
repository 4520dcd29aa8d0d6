#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the flat backend.
# TEST_CORPUS_FORM: how arrays are sent, of both ways.
# what the cases are about does not need a disk, and each call to sync one takes its time
[ -n "$TMPDIR" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm && export TMPDIR; }
exec "$TEST_TOP_BUILDDIR/simplugin-conformance" "$TEST_TOP_BUILDDIR/.libs/simplugin_sklearn_flat.so" --only corpus/ \
    --form "${TEST_CORPUS_FORM:-both}"
