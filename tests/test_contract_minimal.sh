#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on a backend that has only what is required: the core makes up for the rest, and
# the answers are those of the flat backend.
config=$(mktemp) || exit 2
trap 'rm -f "$config"' EXIT
# see test_contract_flat.sh
[ -n "$TMPDIR" ] || { [ -w /dev/shm ] && TMPDIR=/dev/shm && export TMPDIR; }
printf '{"plugin_path": ["%s/.libs"], "compare_with_flat": true}\n' "$TEST_TOP_BUILDDIR" >"$config"
"$TEST_TOP_BUILDDIR/tests/contract/contract" minimal --config "$config"
