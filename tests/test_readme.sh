#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# R178 The README leads to what it names: every link of it and of the pages in docs/ is a file or a
# heading that is there, and among its own are the licence, the API, the examples and how to contribute.
set -e
cd "$TEST_TOP_SRCDIR"
failed=0

# links FILE: the targets in it that are no addresses, without those in code
links() {
    sed '/^ *```/,/^ *```$/d' "$1" | sed 's/`[^`]*`//g' | grep -o '](\([^)]*\))' | sed 's/^](//; s/)$//' | grep -v -e '^[a-z]*://' -e '^mailto:' || true
}

# heading FILE ANCHOR
heading() {
    grep '^#' "$1" | sed 's/^#* *//' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' | grep -qx -e "$2"
}

for page in README.md CONTRIBUTING.md CHANGELOG.md docs/*.md bindings/README.md bindings/*/README.md examples/*/README.md tests/*/README.md; do
    [ -f "$page" ] || continue
    for link in $(links "$page"); do
        file=${link%%#*}
        path=$page
        [ -z "$file" ] || path=$(dirname "$page")/$file
        if [ ! -e "$path" ]; then
            echo "$page: no $link"
            failed=1
        elif [ "$file" != "$link" ] && ! heading "$path" "${link#*#}"; then
            echo "$page: no heading for $link"
            failed=1
        fi
    done
done

links README.md >"${TMPDIR:-/tmp}/links.$$"
trap 'rm -f "${TMPDIR:-/tmp}/links.$$"' EXIT
for wanted in docs/license.svg LICENSE CONTRIBUTING.md docs/protocol.md docs/backend-guide.md docs/abi.md examples/c/digits.c \
    bindings/go/examples/fruit/fruit.go bindings/rust/examples/fruit.rs bindings/node/examples/fruit.mjs bindings/python/examples/fruit.py \
    examples/backend-pgvector/README.md examples/backend-usearch/README.md; do
    grep -qx "$wanted" "${TMPDIR:-/tmp}/links.$$" || {
        echo "README.md does not link $wanted"
        failed=1
    }
done
grep -q 'Apache License' LICENSE && grep -q '>Apache-2.0<' docs/license.svg || failed=1
for header in include/simplugin.h include/simplugin/plugin.h; do
    grep -q "$header" README.md || failed=1
done
[ $failed = 1 ] || echo "$(wc -l <"${TMPDIR:-/tmp}/links.$$") links of README.md, and those of the other pages"
exit $failed
