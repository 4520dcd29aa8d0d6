#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the qdrant backend, and its own cases, against the server of tests/servers/qdrant.py:
# qdrant_contract.sh DIRECTORY FORM JOBS. The logs are in DIRECTORY. The collections are so small that
# the server compares everything: exact answers.
set -e
directory=$1 form=$2 jobs=$3
[ -n "$SIMPLUGIN_TEST_QDRANT_URL" ] || {
    echo "SIMPLUGIN_TEST_QDRANT_URL names no server: run this by tests/servers/qdrant.py" >&2
    exit 1
}
mkdir -p "$directory"
printf '{"parameters": {"url": "%s"}}\n' "$SIMPLUGIN_TEST_QDRANT_URL" >"$directory/config"
# run NAME OPTION...: prints how it ended, and what failed
run() {
    log=$directory/contract-$1.log
    shift
    status=0
    "$TEST_TOP_BUILDDIR/simplugin-conformance" "$TEST_TOP_BUILDDIR/.libs/simplugin_qdrant.so" \
        --config "$directory/config" "$@" >"$log" 2>&1 || status=1
    [ $status = 0 ] || grep -A6 '^not ok' "$log" >&2 || true
    printf '%-28s %s\n' "$(basename "$log" .log)" "$(tail -n 1 "$log")"
    return $status
}
result=0
run native --form plain -j 1 --corpus "$TEST_TOP_SRCDIR/tests/cases/qdrant" &
run corpus --form "$form" -j "$jobs" --only corpus/ || result=1
wait $! || result=1
exit $result
