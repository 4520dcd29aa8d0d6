#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the milvus backend, against the server of tests/servers/milvus.py:
# milvus_contract.sh DIRECTORY FORM PARTS [approximate]. Several runs beside each other, as
# Milvus takes seconds to load a collection, however small; their logs are in DIRECTORY.
# "approximate": the cases that search, with the default index, HNSW, of whose hits 0.95 are to
# be right.
set -e
directory=$1 form=$2 parts=$3 approximate=$4
contract=$TEST_TOP_BUILDDIR/tests/contract/contract
[ -n "$SIMPLUGIN_TEST_MILVUS_URI" ] || {
    echo "SIMPLUGIN_TEST_MILVUS_URI names no server: run this by tests/servers/milvus.py" >&2
    exit 1
}
mkdir -p "$directory/plugins"
ln -sf "$TEST_TOP_BUILDDIR/.libs/simplugin_milvus.so" "$directory/plugins/simplugin_milvus.so"
# exact answers, as the corpus expects them
kind='"index_type": "FLAT"}' corpus=
if [ -n "$approximate" ]; then
    kind='"index_type": "HNSW"}, "approximate": true, "recall": 0.95'
    corpus="--corpus $directory/searches"
    mkdir -p "$directory/searches"
    for cases in filters index_search views walks; do
        ln -sf "$TEST_TOP_SRCDIR/tests/corpus/$cases.json" "$directory/searches/$cases.json"
    done
fi
printf '{"plugin_path": ["%s/plugins"], "parameters": {"uri": "%s", "metric": "cosine", %s}\n' \
    "$directory" "$SIMPLUGIN_TEST_MILVUS_URI" "$kind" >"$directory/config"
pids= part=1
while [ $part -le "$parts" ]; do
    "$contract" milvus --config "$directory/config" --form "$form" --part $part/"$parts" $corpus \
        >"$directory/contract-$part.log" 2>&1 &
    pids="$pids $!" part=$((part + 1))
done
if [ -z "$approximate" ]; then
    "$contract" milvus --config "$directory/config" --form plain --corpus "$TEST_TOP_SRCDIR/tests/cases/milvus" \
        >"$directory/contract-native.log" 2>&1 &
    pids="$pids $!"
fi
result=0
for pid in $pids; do
    wait "$pid" || result=1
done
for log in "$directory"/contract-*.log; do
    grep -A1 'FAILED' "$log" >&2 || true
    line=$(grep -E '^ +tests +[0-9]' "$log") || { result=1; tail -n 5 "$log" >&2; }
    printf '%-28s %s\n' "$(basename "$log" .log)" "$line"
done
exit $result
