# SPDX-License-Identifier: Apache-2.0
"""The library and plugins inside a self-contained wheel (SIMPLUGIN_BUNDLE=1)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def protect(package: Path) -> None:
    """Takes away the group's right to write what pip installs under umask 002: the library loads no such plugin.

    Only of the package's own directories and of what is bundled, and where they are the user's.
    """
    bundled = package / "lib"
    if not bundled.is_dir():
        return
    for path in (package, bundled, *bundled.rglob("*")):
        try:
            status = path.lstat()
            if status.st_uid == os.geteuid() and status.st_mode & _OTHERS and not stat.S_ISLNK(status.st_mode):
                path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
        except OSError:
            continue  # the library says what is wrong when it is asked for the plugin


protect(Path(__file__).resolve().parent)
