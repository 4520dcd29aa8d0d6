#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs in bindings/README.md are the examples that each binding's own tests run.
set -e
page=$TEST_TOP_SRCDIR/bindings/README.md
compared=0
for program in go:go/examples/fruit/fruit.go rust:rust/examples/fruit.rs js:node/examples/fruit.mjs python:python/examples/fruit.py; do
    file=$TEST_TOP_SRCDIR/bindings/${program#*:}
    shown=$(sed -n "/^\`\`\`${program%%:*}\$/,/^\`\`\`\$/p" "$page" | sed '1d;$d')
    held=$(sed '1d' "$file" | sed '/./,$!d')
    [ "$shown" = "$held" ] || {
        echo "bindings/README.md and $file differ"
        exit 1
    }
    compared=$((compared + 1))
done
echo "$compared programs are as the examples"
