#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the flat backend.
exec "$TEST_TOP_BUILDDIR/tests/contract/contract" "$TEST_TOP_BUILDDIR/.libs/simplugin_sklearn_flat.so"
