#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the backend, and checks it as it will be used: test.sh PREFIX, where simplugin is installed.
# In the environment:
#
#   SIMPLUGIN_BUILD   a directory for all that is made here (default: target/test); the logs are in it
#   PYTHON            one that has numpy and scikit-learn (default: python3)
set -e

die() {
    printf 'backend-usearch/test.sh: %s\n' "$*" >&2
    exit 1
}

[ $# = 1 ] || die "usage: test.sh PREFIX"
PREFIX=$(cd "$1" && pwd)
cd "$(dirname "$0")"
PYTHON=${PYTHON:-python3}
for program in simplugin simplugin-conformance; do
    [ -x "$PREFIX/bin/$program" ] || die "there is no $PREFIX/bin/$program"
done
for tool in cargo c++ pkg-config; do
    command -v $tool >/dev/null 2>&1 || die "there is no $tool"
done
cargo clippy --version >/dev/null 2>&1 || die "there is no clippy"
cargo fmt --version >/dev/null 2>&1 || die "there is no rustfmt"
pkg-config --exists sqlite3 || die "there is no libsqlite3-dev"
"$PYTHON" -c 'import numpy, sklearn' || die "$PYTHON has no numpy or no scikit-learn"

mkdir -p "${SIMPLUGIN_BUILD:=target/test}"
BUILD=$(cd "$SIMPLUGIN_BUILD" && pwd)
rm -rf "$BUILD/tmp" "$BUILD/plugins" "$BUILD/logs"
mkdir -m 700 "$BUILD/tmp"
mkdir -m 755 "$BUILD/plugins" "$BUILD/logs"
export CARGO_TARGET_DIR="$BUILD/target" TMPDIR="$BUILD/tmp"

# run NAME COMMAND...: its output into a log, the end of that if it fails
run() {
    log=$BUILD/logs/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        grep -E -A12 '^(error|not ok|---- )|panicked at' "$log" | head -n 60 >&2
        tail -n 20 "$log" >&2
        die "\"$*\" failed; all of its output is in $log"
    }
}

# as a project of its own, on the crates that were installed with the library
rm -rf "$BUILD/source"
mkdir "$BUILD/source"
cp -R Cargo.toml Cargo.lock build.rs rustfmt.toml src test.py "$BUILD/source"
cd "$BUILD/source"
crates=$PREFIX/share/simplugin/bindings/rust
[ -d "$crates/simplugin-backend" ] || die "there are no crates in $crates"
sed -i "s|path = \"[^\"]*/simplugin-backend\"|path = \"$crates/simplugin-backend\"|" Cargo.toml

# one profile for everything: USearch is compiled once
run fetch cargo fetch --locked
run fmt cargo fmt --check
run build cargo build --locked --release
run clippy cargo clippy --locked --release --all-targets -- -D warnings
run test cargo test --locked --release
grep '^test result' "$BUILD/logs/test.log"

# the plugin needs nothing of ours, and of the system what it says
install -m 755 "$BUILD/target/release/libsimplugin_usearch.so" "$BUILD/plugins/simplugin_usearch.so"
plugin=$BUILD/plugins/simplugin_usearch.so
exported=$(nm -D --defined-only "$plugin" | sed 's/.* //; s/@.*//')
[ "$exported" = simplugin_backend_entry ] || die "$plugin exports $exported"
if ldd "$plugin" | grep -E 'simplugin|not found' >&2; then
    die "$plugin needs these"
fi

export PATH="$PREFIX/bin:$PATH" LD_LIBRARY_PATH="$PREFIX/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
cat >"$BUILD/conformance.json" <<EOF
{"approximate": true, "recall": 0.9, "parameters": {"directory": "$BUILD/tmp/conformance"}}
EOF
run conformance simplugin-conformance "$plugin" --config "$BUILD/conformance.json"
tail -n 1 "$BUILD/logs/conformance.log"

SIMPLUGIN_PATH=$BUILD/plugins run program "$PYTHON" test.py
cat "$BUILD/logs/program.log"
