# SPDX-License-Identifier: Apache-2.0
# What check-fiftyone and check-langchain begin with: a Python with the packages of a list and the binding in it, which
# they read from the environment as ../check does:
#
#   SIMPLUGIN_INSTALLED          where the C library is installed (its prefix)
#   SIMPLUGIN_BUILD              a directory for everything that is made
#   SIMPLUGIN_RUN                a folder in it for this run, of several beside each other (.)
#   SIMPLUGIN_TEST_MILVUS_URI    servers
#   SIMPLUGIN_TEST_QDRANT_URL
#   PYTHON                       which interpreter (/usr/bin/python3)
#
# Wants Python 3.11 with venv and headers, a C compiler and pkg-config (Debian: python3-venv
# python3-dev gcc pkg-config). Sets $build and $work, puts the Python first in PATH.

die() {
    printf 'bindings/python/adapters/%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# run NAME COMMAND...: its output into a log, the end of that if it fails
run() {
    log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 60 "$log" >&2
        die "\"$*\" failed; all of its output is in $log"
    }
}

# prepared REQUIREMENTS
prepared() {
    [ -n "$SIMPLUGIN_INSTALLED" ] || die "SIMPLUGIN_INSTALLED is not set: the prefix of an installation of the C library"
    [ -n "$SIMPLUGIN_BUILD" ] || die "SIMPLUGIN_BUILD is not set: a directory for what is built"
    mkdir -p "$SIMPLUGIN_BUILD"
    build=$(cd "$SIMPLUGIN_BUILD" && pwd)
    work=$build/${SIMPLUGIN_RUN:-.}
    mkdir -p "$work"
    python=${PYTHON:-/usr/bin/python3}
    command -v "$python" >/dev/null 2>&1 || die "there is no $python: install python3, or name another in PYTHON"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$python is $("$python" --version 2>&1); the tools of this check need Python 3.11 or later"
    "$python" -c 'import ensurepip, venv' 2>/dev/null || die "$python has no venv (Debian: python3-venv)"

    PKG_CONFIG_PATH=$(find "$SIMPLUGIN_INSTALLED"/lib* -name pkgconfig -type d | head -n 1)
    [ -n "$PKG_CONFIG_PATH" ] || die "no pkgconfig/ in $SIMPLUGIN_INSTALLED"
    libdir=$(dirname "$PKG_CONFIG_PATH")
    LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    PYTHONDONTWRITEBYTECODE=1
    PIP_NO_CACHE_DIR=1
    PIP_DISABLE_PIP_VERSION_CHECK=1
    TMPDIR=$work/tmp
    export PKG_CONFIG_PATH LD_LIBRARY_PATH PYTHONDONTWRITEBYTECODE PIP_NO_CACHE_DIR PIP_DISABLE_PIP_VERSION_CHECK TMPDIR
    rm -rf "$TMPDIR"
    mkdir -p "$TMPDIR"

    PATH=$build/venv/bin:$PATH
    export PATH
    # once, for all that run beside each other
    (
        flock 8
        installed "$1"
    ) 8>"$build/lock" || exit 1
}

# installed REQUIREMENTS: the packages of the list, and the binding
installed() {
    if ! cmp -s "$1" "$build/venv/installed.txt"; then
        rm -rf "$build/venv" "$build/built.txt"
        run venv "$python" -m venv "$build/venv"
        run pip "$build/venv/bin/python" -m pip install --no-deps -r "$1"
        cp "$1" "$build/venv/installed.txt"
    fi

    # the binding, again where one of its sources or the library has changed
    sources="MANIFEST.in README.md native native_build.py pyproject.toml setup.py src"
    {
        find $sources -type f ! -name '*.pyc' -exec cksum {} + | sort
        cksum "$libdir"/libsimplugin.so.1
    } >"$build/sources.txt"
    if ! cmp -s "$build/sources.txt" "$build/built.txt"; then
        rm -rf "$build/source"
        mkdir "$build/source"
        tar -cf - $sources | tar -xf - -C "$build/source"
        run install pip install --no-deps --force-reinstall "$build/source"
        cp "$build/sources.txt" "$build/built.txt"
    fi
}
