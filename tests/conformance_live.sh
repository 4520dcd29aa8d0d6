#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# simplugin-conformance on a backend of a server that tests/servers started:
# conformance_live.sh qdrant|milvus DIRECTORY [OPTION...]. Its report is in DIRECTORY.
backend=$1 directory=$2
shift 2
case $backend in
qdrant) address=$SIMPLUGIN_TEST_QDRANT_URL parameters="\"url\": \"$SIMPLUGIN_TEST_QDRANT_URL\"" ;;
# exact answers: what HNSW finds of a few points is a matter of luck
milvus) address=$SIMPLUGIN_TEST_MILVUS_URI
    parameters="\"uri\": \"$SIMPLUGIN_TEST_MILVUS_URI\", \"index_type\": \"FLAT\"" ;;
*) echo "conformance_live.sh: no backend \"$backend\"" >&2; exit 2 ;;
esac
[ -n "$address" ] || { echo "there is no server: run this by tests/servers/$backend.py" >&2; exit 1; }
mkdir -p "$directory" || exit 2
printf '{"parameters": {%s}}\n' "$parameters" >"$directory/config"
"$TEST_TOP_BUILDDIR/simplugin-conformance" "$TEST_TOP_BUILDDIR/.libs/simplugin_$backend.so" \
    --config "$directory/config" "$@" >"$directory/conformance.tap"
status=$?
[ $status = 0 ] || grep -A8 '^not ok' "$directory/conformance.tap" >&2 || tail -n 5 "$directory/conformance.tap" >&2
printf '%-28s %s\n' "conformance $backend" "$(tail -n 1 "$directory/conformance.tap" | cut -c3-)"
exit $status
