#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/kit/templates.sh DIRECTORY [FORM...]: what `simplugin new-backend` makes is built with the
# commands it prints, without warnings, passes its tests, is installed as one file and packed. FORM is
# autotools, meson, cmake or rust; all of them without one. DIRECTORY is for all that is made here.
# SIMPLUGIN_INSTALLED names the prefix of an installation, which is left as it was. Of the checks of
# simplugin-conformance every sixth is run, as tests/test_backend_guide.sh runs all of them on the same
# sources; SIMPLUGIN_KIT_PART=1/1 runs all here too.
set -e
umask 022
die() {
    printf 'tests/kit/templates.sh: %s\n' "$*" >&2
    exit 1
}
[ -n "$SIMPLUGIN_INSTALLED" ] || die "SIMPLUGIN_INSTALLED names no installation"
[ -n "$1" ] || die "no directory is named"
rm -rf "$1"
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift
PATH=$SIMPLUGIN_INSTALLED/bin:$PATH
unset SIMPLUGIN_PATH PKG_CONFIG_PATH FIFTYONE_BRAIN_CONFIG_PATH FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND
export CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
export HOME="$work/home" # nobody's configuration
mkdir "$HOME"
# what the printed commands build has to stand these
export CFLAGS="-O2 -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes" RUSTFLAGS="-D warnings"
export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 # takes half the time to compile

cat >"$work/conformance" <<END
#!/bin/sh
exec simplugin-conformance "\$@" --part ${SIMPLUGIN_KIT_PART:-1/6}
END
chmod +x "$work/conformance"
export SIMPLUGIN_CONFORMANCE="$work/conformance"

# run NAME COMMAND...: its output into a log, the end of that if it fails
run() {
    log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        grep -A6 '^not ok' "$log" | cut -c1-400 | head -n 40 >&2 || true
        tail -n 40 "$log" >&2
        die "\"$*\" failed; all of its output is in $log"
    }
    ! grep -i -E '(^|[^a-z-])warning: ' "$log" | grep -v '^simplugin' >&2 || die "there are warnings in $log"
}

# only_entry FILE: it exports the entry, and links nothing of simplugin's
only_entry() {
    exported=$(nm -D --defined-only --format=posix "$1" | cut -d ' ' -f 1)
    [ "$exported" = simplugin_backend_entry ] || die "$1 exports $exported"
    ! readelf -d "$1" | grep NEEDED | grep simplugin || die "$1 is linked with simplugin"
}

# form NAME FILE COMMAND-OF-INSTALLING PACKED OPTION...
form() {
    name=$1 file=$2 install=$3 tarball=$4
    shift 4
    cd "$work"
    simplugin new-backend "$name" "$@" >"$work/$name.said"
    sed -n 's/^    //p' "$work/$name.said" >"$work/$name.sh"
    [ -s "$work/$name.sh" ] || die "new-backend prints no commands"
    run "$name-build" sh -ex "$work/$name.sh"
    cd "$work/simplugin-$name"
    only_entry "$file"
    grep -h -E '^# [0-9]+ passed' "$work/$name-build.log" tests/*.log build/meson-logs/testlog.txt \
        build/Testing/Temporary/LastTest.log 2>/dev/null | tail -n 1 | sed "s/^#/$name:/" || true

    # the commands of its README, with pkg-config told as the first ones say it
    for command in "$install" "$tarball"; do
        grep -qxF "    $command" README.md || die "the README of $name does not say: $command"
    done
    sed -n '/^export /p' "$work/$name.sh" >"$work/$name-install.sh"
    printf '%s\n' "$install" >>"$work/$name-install.sh"
    find "$SIMPLUGIN_INSTALLED" | sort >"$work/before"
    run "$name-install" sh -ex "$work/$name-install.sh"
    find "$SIMPLUGIN_INSTALLED" | sort | comm -13 "$work/before" - >"$work/new"
    plugin=$SIMPLUGIN_INSTALLED/lib/simplugin/simplugin_$name.so
    [ "$(cat "$work/new")" = "$plugin" ] || die "installed: $(cat "$work/new")"
    simplugin backends | grep -q "$plugin" || {
        rm -f "$plugin"
        die "simplugin backends does not list $plugin"
    }
    simplugin call health --connection --backend "$name" >"$work/$name.health"
    rm -f "$plugin"
    grep -q '"version": "0.1.0"' "$work/$name.health" || die "health says $(cat "$work/$name.health")"

    { sed -n '/^export /p' "$work/$name.sh" && printf '%s\n' "$tarball"; } >"$work/$name-tarball.sh"
    run "$name-tarball" sh -ex "$work/$name-tarball.sh"
    archive=$(find . -name "simplugin-$name-0.1.0-linux-*.tar.gz")
    [ -n "$archive" ] || die "nothing was packed"
    packed=$(tar -tf "$archive" | grep -v '/$' | sort | tr '\n' ' ')
    top=simplugin-$name-0.1.0
    [ "$packed" = "$top/LICENSE $top/README.md $top/simplugin_$name.so " ] || die "packed: $packed"
}

[ $# -gt 0 ] || set -- autotools meson cmake rust
for which; do
    case $which in
    autotools)
        form kit_autotools simplugin_kit_autotools.so "make install" "make tarball"
        # the default, and all of it again as a machine does it
        cd "$work"
        mkdir again
        (cd again && simplugin new-backend kit_autotools --quiet)
        ! grep -iE 'rust|cargo|@[A-Z]' again/simplugin-kit_autotools/README.md again/simplugin-kit_autotools/ci.sh ||
            die "that is for Rust, or was not filled in"
        sed -n '/^export /p' "$work/kit_autotools.sh" >"$work/ci.sh"
        echo "exec again/simplugin-kit_autotools/ci.sh" >>"$work/ci.sh"
        run kit_autotools-ci sh -e "$work/ci.sh"
        ls again/simplugin-kit_autotools/simplugin-kit_autotools-0.1.0-linux-*.tar.gz >/dev/null
        ;;
    meson)
        form kit_meson build/simplugin_kit_meson.so "meson install -C build" "meson compile -C build tarball" --meson
        ;;
    cmake)
        form kit_cmake build/simplugin_kit_cmake.so "cmake --install build" "cmake --build build --target tarball" --cmake
        ;;
    rust)
        lib=target/release/libsimplugin_kit_rust.so
        form kit_rust target/plugin/simplugin_kit_rust.so \
            "install -m 755 $lib \"\$(pkg-config --variable=plugindir simplugin)/simplugin_kit_rust.so\"" \
            "./package.sh $lib 0.1.0" --lang rust
        cd "$work/simplugin-kit_rust"
        # on a machine whose Rust is older
        mkdir "$work/old"
        printf '#!/bin/sh\necho "cargo 1.63.0 (fd9c4297c 2022-07-01)"\n' >"$work/old/cargo"
        chmod +x "$work/old/cargo"
        ! PATH=$work/old:$PATH ./ci.sh >"$work/old.log" 2>&1 || die "an old cargo passes"
        grep -q '^ci.sh: Rust 1.85 or later is needed, this is cargo 1.63.0 .*rustup' "$work/old.log" ||
            die "of an old cargo is said: $(cat "$work/old.log")"
        run kit_rust-fmt cargo fmt --check
        run kit_rust-clippy cargo clippy --release --all-targets -- -D warnings
        ;;
    *) die "no form \"$which\"" ;;
    esac
    echo "$which: built, tested, installed, packed"
done
# what clang has to say as well
command -v clang >/dev/null 2>&1 || die "there is no clang"
cd "$work"
[ -d simplugin-kit_clang ] || simplugin new-backend kit_clang --quiet
for source in simplugin-kit_clang/src/*.c; do
    run clang clang -std=c11 -D_GNU_SOURCE -DBACKEND_VERSION='"0"' -Wall -Wextra $CFLAGS -fsyntax-only \
        -I"$SIMPLUGIN_INSTALLED/include" "$source"
done
echo "clang: nothing to say"
