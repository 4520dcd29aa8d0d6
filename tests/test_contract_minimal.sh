#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on a backend that has only what is required: the core makes up for the rest, and
# the answers are those of the flat backend.
# see test_contract_flat.sh
[ -n "$TMPDIR" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm && export TMPDIR; }
exec "$TEST_TOP_BUILDDIR/simplugin-conformance" "$TEST_TOP_BUILDDIR/.libs/simplugin_minimal.so" --only corpus/ \
    --form "${TEST_CORPUS_FORM:-both}"
