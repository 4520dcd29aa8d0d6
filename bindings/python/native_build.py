# SPDX-License-Identifier: Apache-2.0
"""Tells cffi what simplugin._native is made of: the C files of native/, and the library that pkg-config finds."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent

MISSING = """
simplugin (the Python package) is built against the C library simplugin, which was not found:
{reason}

Build and install the library first, in its source directory:

    ./configure && make && make install      (or ./quickstart, which installs what that needs)

and if it is not installed where pkg-config looks, say where its file simplugin.pc is:

    PKG_CONFIG_PATH=PREFIX/lib/pkgconfig pip install ...
"""


def pkg_config(*arguments: str) -> str:
    """What pkg-config says of the library."""
    program = os.environ.get("PKG_CONFIG", "pkg-config")
    if not shutil.which(program):
        raise SystemExit(
            MISSING.format(reason=f"there is no program {program!r} (Debian: apt-get install pkg-config).")
        )
    answer = subprocess.run([program, *arguments, "simplugin"], capture_output=True, text=True, check=False)
    if answer.returncode:
        where = os.environ.get("PKG_CONFIG_PATH") or "not set"
        raise SystemExit(
            MISSING.format(
                reason=f"pkg-config finds no simplugin.pc (PKG_CONFIG_PATH is {where}): {answer.stderr.strip()}"
            )
        )
    return answer.stdout.strip()


def flags(*arguments: str) -> list[str]:
    """The same, as arguments of a compiler."""
    return shlex.split(pkg_config(*arguments))


def is_bundled() -> bool:
    """Whether library and plugins go into the package: SIMPLUGIN_BUNDLE=1."""
    return os.environ.get("SIMPLUGIN_BUNDLE", "0") not in ("", "0")


def make() -> FFI:
    """The description; compiled by setuptools."""
    link = flags("--libs")
    if is_bundled():
        # no RUNPATH, which any LD_LIBRARY_PATH would come before
        link += ["-Wl,-rpath,$ORIGIN/lib", "-Wl,--disable-new-dtags"]
    ffi = FFI()
    ffi.cdef((HERE / "native" / "cdef.h").read_text())
    ffi.set_source(
        "simplugin._native",
        '#include "native.h"\n',
        sources=[f"native/{name}.c" for name in ("call", "interrupt", "log")],
        depends=["native/native.h", "native/cdef.h"],
        include_dirs=["native"],
        extra_compile_args=["-D_GNU_SOURCE", "-std=c11", "-fvisibility=hidden", *flags("--cflags")],
        extra_link_args=[*link, "-pthread"],
    )
    return ffi
