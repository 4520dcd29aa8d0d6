#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# next.sh INCLUDE: makes the headers there those of a version to come: its ABI has one more minor
# number, and each struct that may grow has more at its end.
set -e
cd "$1"
minor=$(sed -n 's/^#define SIMPLUGIN_ABI_VERSION SIMPLUGIN_ABI_1_\([0-9]*\).*/\1/p' simplugin/plugin.h)
[ -n "$minor" ]
sed -i "s/^#define SIMPLUGIN_ABI_VERSION .*/#define SIMPLUGIN_ABI_VERSION (SIMPLUGIN_ABI_1_0 + $minor + 1)/" simplugin/plugin.h
for struct in request reply call_info host backend; do
    sed -i "s/^} simplugin_$struct;/    void (*appended_function)(void);\n    uint64_t appended[7];\n&/" simplugin/plugin.h
done
for struct in options index_spec hits copy_state copy_spec; do
    sed -i "s/^} simplugin_$struct;/    uint64_t appended[8];\n&/" simplugin.h
done
[ "$(grep -c 'appended\[' simplugin/plugin.h simplugin.h | cut -d: -f2 | tr '\n' ' ')" = "5 5 " ]
