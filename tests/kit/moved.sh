#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/kit/moved.sh DIRECTORY: R178, an installation that was moved as a whole is one to write backends with:
# new-backend, pkg-config, the headers, simplugin-conformance and its function find each other
# there. SIMPLUGIN_INSTALLED names the prefix of the installation, of which a copy is made.
set -e
umask 022
die() {
    printf 'tests/kit/moved.sh: %s\n' "$*" >&2
    exit 1
}
[ -n "$SIMPLUGIN_INSTALLED" ] || die "SIMPLUGIN_INSTALLED names no installation"
[ -n "$1" ] || die "no directory is named"
rm -rf "$1"
mkdir -p "$1"
work=$(cd "$1" && pwd -P)
moved=$work/moved
cp -a "$SIMPLUGIN_INSTALLED" "$moved"
unset SIMPLUGIN_PATH PKG_CONFIG_PATH FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND
export HOME="$work/home" PATH="$moved/bin:$PATH" LD_LIBRARY_PATH="$moved/lib"
mkdir "$HOME"
cd "$work"

# has TEXT FILE
has() { grep -qF -- "$1" "$2" || die "not in $2: $1: $(cat "$2")"; }

simplugin new-backend kit_moved >said
has "export PKG_CONFIG_PATH=$moved/lib/pkgconfig" said
eval "$(sed -n 's/^ *\(export PKG_CONFIG_PATH=.*\)/\1/p' said)"
for package in simplugin simplugin-conformance; do
    for flag in $(pkg-config --cflags-only-I --libs-only-L $package); do
        case $(realpath "${flag#-[IL]}") in
        "$moved/include" | "$moved/lib") ;;
        *) die "pkg-config says $flag of $package" ;;
        esac
    done
done
[ "$(realpath "$(pkg-config --variable=plugindir simplugin)")" = "$moved/lib/simplugin" ] || die "another plugindir"
[ "$(realpath "$(pkg-config --variable=bindir simplugin)")" = "$moved/bin" ] || die "another bindir"
echo "new-backend and pkg-config say where it is"

cd simplugin-kit_moved
flags="-std=c11 -D_GNU_SOURCE -O1 -fPIC -fvisibility=hidden -DBACKEND_VERSION=\"0\""
# the flags are words
# shellcheck disable=SC2046,SC2086
cc $flags -shared -o simplugin_kit_moved.so src/*.c $(pkg-config --cflags simplugin) -lm
tests/conformance simplugin_kit_moved.so --only abi/ --only semantics/empty --only corpus/calls/ >"$work/conformance" ||
    die "$(cat "$work/conformance")"
has "- semantics/empty" "$work/conformance"
has "- corpus/calls/" "$work/conformance"
! grep -q "# SKIP" "$work/conformance" || die "skipped: $(cat "$work/conformance")"
simplugin-conformance sklearn_flat --only semantics/empty >"$work/flat"
has "$moved/lib/simplugin/simplugin_sklearn_flat.so" "$work/flat"
echo "simplugin-conformance finds its data, and the flat backend"

cat >check.c <<'END'
#include <simplugin/conformance.h>

int main(int argc, char **argv)
{
    const simplugin_conformance_backend backends[] = {{"kit_moved", simplugin_backend_entry}, {NULL, NULL}};

    return simplugin_conformance_main(argc, argv, backends);
}
END
# shellcheck disable=SC2046,SC2086
cc $flags -o check check.c src/*.c $(pkg-config --cflags --libs simplugin-conformance) -lm
./check kit_moved --only methods/ --only semantics/empty >"$work/static" || die "$(cat "$work/static")"
has "# backend kit_moved 0, registered in this program" "$work/static"
has "- semantics/empty" "$work/static"
echo "and so does a program with a backend linked in"

cd "$work"
simplugin new-backend kit_moved_rust --lang rust --quiet
has "$moved/share/simplugin/bindings/rust/simplugin-backend" simplugin-kit_moved_rust/Cargo.toml
[ -f "$moved/share/simplugin/bindings/rust/simplugin-backend/Cargo.toml" ] || die "there is no crate"
echo "a project in Rust is made with the crates of it"
