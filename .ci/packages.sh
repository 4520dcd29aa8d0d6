# SPDX-License-Identifier: Apache-2.0
# Installing Debian packages, for ./quickstart and ./check.

BUILD_PACKAGES="gcc libc6-dev make autoconf automake libtool pkg-config \
libjansson-dev libsqlite3-dev liblmdb-dev libopenblas-dev \
libgrpc-dev libprotobuf-c-dev protobuf-c-compiler libcurl4-openssl-dev uuid-dev"

say() {
    printf '== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# not_installed PACKAGE...: those of them
not_installed() {
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf ' %s' "$package"
    done
}

# packages WHY PACKAGE...: says what is missing and why, and installs it
packages() {
    why=$1
    shift
    command -v dpkg-query >/dev/null 2>&1 || return 0 # not Debian: configure names what is missing
    [ -n "$(not_installed "$@")" ] || return 0
    mkdir -p "$BUILD"
    (
        flock 8 # what runs beside this may need packages too
        missing=$(not_installed "$@")
        [ -n "$missing" ] || exit 0
        as_root=
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null 2>&1 ||
                die "$why needs these packages, and without root or sudo they cannot be installed:$missing"
            as_root=sudo
        fi
        say "installing with apt-get, $why:$missing"
        # the lists of a fresh machine are empty or old
        if ! { $as_root apt-get update &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
            >"$BUILD/apt.log" 2>&1 8>&-; then
            tail -n 20 "$BUILD/apt.log" >&2
            die "apt-get failed; all of its output is in $BUILD/apt.log"
        fi
    ) 8>"$BUILD/apt.lock" || exit 1
}

# configure of a clone; a release brings it
bootstrap() {
    [ -x configure ] && [ -f Makefile.in ] && return 0
    say "making configure"
    mkdir -p "$BUILD"
    autoreconf -i >"$BUILD/autoreconf.log" 2>&1 || {
        tail -n 20 "$BUILD/autoreconf.log" >&2
        die "autoreconf failed"
    }
}
