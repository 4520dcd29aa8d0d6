#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each requirement that docs/requirements.md claims names a test that exists and carries its
# number; the table is in order, without a number twice.
awk -v top="$TEST_TOP_SRCDIR" '
function holds(file, number,    line, found) {
    while ((getline line < file) > 0) {
        opened = 1
        if (line ~ ("(^|[^A-Za-z0-9])" number "([^0-9]|$)")) found = 1
    }
    close(file)
    return found
}
/^\| R[0-9]+ \|/ {
    split($0, cells, "|")
    number = cells[2]; where = cells[3]; tests = cells[4]
    gsub(/ /, "", number)
    n = substr(number, 2) + 0
    if (n <= last) { print number ": out of order or twice"; bad = 1 }
    last = n
    if (where ~ /^ *$/) { print number ": does not say where it is met"; bad = 1 }
    count = split(tests, names, /[ ,`]+/)
    seen = 0
    for (i = 1; i <= count; i++) {
        if (names[i] == "") continue
        opened = 0
        ok = holds(top "/" names[i], number)
        if (!opened) { print number ": no file " names[i]; bad = 1 }
        else if (!ok) { print number ": " names[i] " does not mention it"; bad = 1 }
        seen = 1
    }
    if (!seen) { print number ": no test"; bad = 1 }
    claimed++
}
END {
    print claimed + 0 " requirements claimed, each with its tests"
    exit bad || !claimed
}' "$TEST_TOP_SRCDIR/docs/requirements.md"
