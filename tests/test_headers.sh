#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every installed header compiles by itself, as strict C99, C11 and, where there is a compiler, C++.
directory=$(mktemp -d) || exit 2
trap 'rm -rf "$directory"' EXIT
failed=0
languages="C99 and C11"
command -v c++ >/dev/null 2>&1 && languages="C99, C11 and C++11"
headers="simplugin.h simplugin/plugin.h simplugin/envelope.h simplugin/conformance.h"
for header in $headers; do
    printf '#include <%s>\nint main(void) { return 0; }\n' "$header" >"$directory/one.c"
    cp "$directory/one.c" "$directory/one.cc"
    for standard in c99 c11; do
        $TEST_CC -std=$standard -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only \
            -I"$TEST_TOP_SRCDIR/include" "$directory/one.c" || { echo "$header: not $standard"; failed=1; }
    done
    if [ "$languages" = "C99, C11 and C++11" ]; then
        c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only \
            -I"$TEST_TOP_SRCDIR/include" "$directory/one.cc" || { echo "$header: not C++11"; failed=1; }
    fi
done
[ $failed = 0 ] && echo "$(echo $headers | wc -w) headers compile as $languages"
exit $failed
