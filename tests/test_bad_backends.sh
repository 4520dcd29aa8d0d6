#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each of tests/bad_backends has one defect. The checks that its first comment names find it, and no
# other check fails: of those that talk to a plugin's own table, and for one that is made of the
# flat backend those that compare it with flat as well. (The corpus through the core stumbles over
# some of them too, and is not asked here.) The good ones that they are made of pass all of that,
# and every check outside the corpus has a bad backend that it finds.
here=$TEST_TOP_BUILDDIR/tests/bad_backends
sources=$TEST_TOP_SRCDIR/tests/bad_backends
program=$TEST_TOP_BUILDDIR/simplugin-conformance

# expected FILE: the checks that find it, in the order in which they run
expected() { sed -n 's|^/\* fails: \([a-z/ -]*\) \*/$|\1|p' "$1"; }

if [ "$1" = one ]; then
    # one BACKEND DIRECTORY: what is wrong, if something is, goes to DIRECTORY/BACKEND.wrong
    name=$2 directory=$3 label=$(echo "$2" | tr / _) without="--except corpus/"
    expected=$(expected "$sources/$name.c")
    if grep -q '^#define BAD_BASE flat_entry$' "$sources/$name.c"; then
        least=80
        # the good one alone is asked for leaks: that takes as long as all the rest
        [ "$name" = good/flat ] || without="$without --except memory/failing-calls --except memory/succeeding-calls"
    else
        least=60 without="$without --except semantics/ --except filters/"
    fi
    # where nothing is to be shown of time, nothing is waited for
    case $expected in
    time/*-amid)
        # of what interrupts calls that one, as they take their time
        for other in $("$program" "$here/$name.so" --list --only -amid | sed 's/:.*//'); do
            [ "$other" = "$expected" ] || without="$without --except $other"
        done
        least=60 without="$without --except semantics/ --except filters/"
        ;;
    *) without="$without --except -amid" ;;
    esac
    status_expected=1
    [ "$expected" != nothing ] || status_expected=0 expected=
    "$program" "$here/$name.so" --seed 1 -j 2 $without >"$directory/$label.log" 2>&1
    status=$?
    found=$(sed -n 's|^not ok [0-9]* - \([a-z/-]*\):.*|\1|p' "$directory/$label.log" | xargs)
    ran=$(grep -c '^ok ' "$directory/$label.log")
    if [ $status != $status_expected ] || [ "$found" != "$expected" ] || [ "$ran" -lt $least ]; then
        {
            echo "$name: expected ${expected:-nothing} to fail, got: ${found:-none} (status $status, $ran passed)"
            grep -A4 '^not ok' "$directory/$label.log" || tail -n 5 "$directory/$label.log"
        } >"$directory/$label.wrong"
    fi
    exit 0
fi

# each check is a process of its own, in which none multiplies much
export OPENBLAS_NUM_THREADS=1
# what they store is thrown away: it does not wait for a disk
[ -n "$TMPDIR" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
directory=$(mktemp -d) || exit 2
trap 'rm -rf "$directory"' EXIT
# those that take longest first
(cd "$sources" && grep -l '^#define BAD_BASE flat_entry$' good/*.c [a-z]*.c && grep -L '^#define BAD_BASE flat_entry$' good/*.c [a-z]*.c) |
    sed 's/\.c$//' | grep -vx on_flat >"$directory/names"
count=$(wc -l <"$directory/names")
xargs -P 3 -I '{}' sh "$0" one '{}' "$directory" <"$directory/names"
cat "$directory"/*.wrong 2>/dev/null
wrong=$(find "$directory" -name '*.wrong' | wc -l)
logs=$(find "$directory" -name '*.log' | wc -l)

"$program" "$here/good/flat.so" --list --except corpus/ | sed 's/:.*//' | sort >"$directory/checks"
for source in "$sources"/*.c; do
    expected "$source"
done | xargs -n 1 | sort -u >"$directory/shown"
comm -23 "$directory/checks" "$directory/shown" >"$directory/without"
comm -13 "$directory/checks" "$directory/shown" >"$directory/unknown"
sed 's/$/: no backend in tests\/bad_backends shows that it finds anything/' "$directory/without"
sed 's/$/: named in tests\/bad_backends, but no check of that name/' "$directory/unknown"

echo "$((logs - 2)) backends with one defect each, $wrong not found as they should be; $(wc -l <"$directory/checks") checks"
[ "$wrong" = 0 ] && [ "$logs" = "$count" ] && [ "$logs" -ge 90 ] && [ -s "$directory/checks" ] &&
    [ ! -s "$directory/without" ] && [ ! -s "$directory/unknown" ]
