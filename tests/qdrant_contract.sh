#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus on the qdrant backend, and its own cases, against the server of tests/servers/qdrant.py:
# qdrant_contract.sh DIRECTORY FORM PARTS. Several runs beside each other; their logs are in
# DIRECTORY. The collections are so small that the server compares everything: exact answers.
set -e
directory=$1 form=$2 parts=$3
contract=$TEST_TOP_BUILDDIR/tests/contract/contract
[ -n "$SIMPLUGIN_TEST_QDRANT_URL" ] || {
    echo "SIMPLUGIN_TEST_QDRANT_URL names no server: run this by tests/servers/qdrant.py" >&2
    exit 1
}
mkdir -p "$directory/plugins"
ln -sf "$TEST_TOP_BUILDDIR/.libs/simplugin_qdrant.so" "$directory/plugins/simplugin_qdrant.so"
printf '{"plugin_path": ["%s/plugins"], "parameters": {"url": "%s"}}\n' \
    "$directory" "$SIMPLUGIN_TEST_QDRANT_URL" >"$directory/config"
pids= part=1
while [ $part -le "$parts" ]; do
    "$contract" qdrant --config "$directory/config" --form "$form" --part $part/"$parts" \
        >"$directory/contract-$part.log" 2>&1 &
    pids="$pids $!" part=$((part + 1))
done
"$contract" qdrant --config "$directory/config" --form plain --corpus "$TEST_TOP_SRCDIR/tests/cases/qdrant" \
    >"$directory/contract-native.log" 2>&1 &
pids="$pids $!"
result=0
for pid in $pids; do
    wait "$pid" || result=1
done
for log in "$directory"/contract-*.log; do
    [ $result = 0 ] || grep -E -B1 -A4 'FAILED|ERROR' "$log" >&2 || true
    printf '%-28s %s\n' "$(basename "$log" .log)" "$(grep -E '^ +tests +[0-9]' "$log" | tail -n 1)"
done
exit $result
