#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each of tests/bad_backends has one defect. The check that its first comment names finds it, and
# no other check fails: of those that talk to a plugin's own table. (The corpus through the core
# stumbles over some of them too, and is not asked here.)
here=$TEST_TOP_BUILDDIR/tests/bad_backends
directory=$(mktemp -d) || exit 2
trap 'rm -rf "$directory"' EXIT
groups="abi describe methods optional points memory time threads malformed cycles fork"

if [ "$1" = one ]; then
    # one BACKEND DIRECTORY: what is wrong, if something is, goes to DIRECTORY/BACKEND.wrong
    name=$2 directory=$3
    trap - EXIT
    expected=$(sed -n 's|^/\* fails: \([a-z/-]*\) \*/$|\1|p' "$TEST_TOP_SRCDIR/tests/bad_backends/$name.c")
    only=
    for group in $groups; do
        only="$only --only $group/"
    done
    # where nothing is to be shown of time, nothing is waited for
    case $expected in
    time/*-amid) ;;
    *) only="$only --except -amid" ;;
    esac
    "$TEST_TOP_BUILDDIR/simplugin-conformance" "$here/$name.so" --seed 1 -j 2 $only >"$directory/$name.log" 2>&1
    status=$?
    found=$(sed -n 's|^not ok [0-9]* - \([a-z/-]*\):.*|\1|p' "$directory/$name.log" | tr '\n' ' ')
    ran=$(grep -c '^ok ' "$directory/$name.log")
    if [ $status != 1 ] || [ "$found" != "$expected " ] || [ "$ran" -lt 60 ]; then
        {
            echo "$name: expected $expected to fail, got: ${found:-none} (status $status, $ran passed)"
            grep -A4 '^not ok' "$directory/$name.log" || tail -n 5 "$directory/$name.log"
        } >"$directory/$name.wrong"
    fi
    exit 0
fi

count=0
for file in "$here"/*.so; do
    basename "$file" .so
    count=$((count + 1))
done >"$directory/names"
xargs -P 3 -I '{}' sh "$0" one '{}' "$directory" <"$directory/names"
cat "$directory"/*.wrong 2>/dev/null
wrong=$(find "$directory" -name '*.wrong' | wc -l)
logs=$(find "$directory" -name '*.log' | wc -l)
echo "$logs backends with one defect each, $wrong not found as they should be"
[ "$wrong" = 0 ] && [ "$logs" = "$count" ] && [ "$logs" -ge 25 ]
