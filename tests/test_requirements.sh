#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each requirement that docs/requirements.md claims names tests that exist and carry its
# number, alone or in a range; every number is claimed or listed below the table, once.
awk -v top="$TEST_TOP_SRCDIR" '
function holds(file, number,    line, found) {
    while ((getline line < file) > 0) {
        opened = 1
        if (line ~ ("(^|[^A-Za-z0-9])" number "([^0-9]|$)")) found = 1
        while (match(line, /R[0-9]+-R[0-9]+/)) {
            split(substr(line, RSTART, RLENGTH), ends, /[R-]+/)
            if (ends[2] + 0 <= substr(number, 2) + 0 && substr(number, 2) + 0 <= ends[3] + 0) found = 1
            line = substr(line, RSTART + RLENGTH)
        }
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
    known[n]++
}
/^Not claimed yet/ { below = 1 }
below {
    count = split($0, names, /[ ,.]+/)
    for (i = 1; i <= count; i++) {
        if (names[i] !~ /^R[0-9]+(-R[0-9]+)?$/) continue
        parts = split(names[i], ends, /[R-]+/)
        for (n = ends[2] + 0; n <= ends[parts] + 0; n++) known[n]++
    }
}
END {
    for (n = 1; n <= 283; n++)
        if (known[n] != 1) { print "R" n ": in neither list, or in both"; bad = 1 }
    print claimed + 0 " requirements claimed, each with its tests"
    exit bad || !claimed
}' "$TEST_TOP_SRCDIR/docs/requirements.md"
