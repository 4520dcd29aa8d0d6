#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the milvus backend, against the server of tests/servers/milvus.py:
# milvus_contract.sh DIRECTORY FORM JOBS [approximate]. Several cases beside each other, as
# Milvus takes seconds to load a collection, however small; the logs are in DIRECTORY.
# "approximate": the cases that search, with the default index, HNSW, of whose hits 0.95 are to
# be right.
set -e
directory=$1 form=$2 jobs=$3 approximate=$4
plugin=$TEST_TOP_BUILDDIR/.libs/simplugin_milvus.so
[ -n "$SIMPLUGIN_TEST_MILVUS_URI" ] || {
    echo "SIMPLUGIN_TEST_MILVUS_URI names no server: run this by tests/servers/milvus.py" >&2
    exit 1
}
mkdir -p "$directory"
# exact answers, as the corpus expects them
kind='"index_type": "FLAT"}' only='--only corpus/'
if [ -n "$approximate" ]; then
    kind='"index_type": "HNSW"}, "approximate": true, "recall": 0.95'
    only='--only corpus/filters/ --only corpus/index_search/ --only corpus/views/ --only corpus/walks/'
fi
printf '{"parameters": {"uri": "%s", "metric": "cosine", %s}\n' "$SIMPLUGIN_TEST_MILVUS_URI" "$kind" \
    >"$directory/config"
# run NAME OPTION...: prints how it ended, and what failed
run() {
    log=$directory/contract-$1.log
    shift
    status=0
    "$TEST_TOP_BUILDDIR/simplugin-conformance" "$plugin" --config "$directory/config" "$@" >"$log" 2>&1 || status=1
    [ $status = 0 ] || grep -A6 '^not ok' "$log" >&2 || true
    printf '%-28s %s\n' "$(basename "$log" .log)" "$(tail -n 1 "$log")"
    return $status
}
native=
if [ -z "$approximate" ]; then
    run native --form plain -j 1 --corpus "$TEST_TOP_SRCDIR/tests/cases/milvus" &
    native=$!
fi
result=0
# $only is several words
# shellcheck disable=SC2086
run corpus --form "$form" -j "$jobs" $only || result=1
[ -z "$native" ] || wait "$native" || result=1
exit $result
