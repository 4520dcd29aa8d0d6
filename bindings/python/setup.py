# SPDX-License-Identifier: Apache-2.0
"""Builds simplugin._native, and with SIMPLUGIN_BUNDLE=1 puts the C library and its plugins into the package."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).resolve().parent))

import native_build


def bundle(package: Path) -> None:
    """Copies libsimplugin.so.1 and the plugins to where it looks for them: the directory simplugin beside it."""
    library = Path(native_build.pkg_config("--variable=libdir"))
    plugins = Path(native_build.pkg_config("--variable=plugindir"))
    target = package / "lib"
    shutil.rmtree(target, ignore_errors=True)
    (target / "simplugin").mkdir(parents=True)
    files = {target / "libsimplugin.so.1": library / "libsimplugin.so.1"}
    for file in sorted(plugins.glob("simplugin_*.so")):
        # Wheels have no links, and one backend as two files would be two backends with one store:
        # of a file with two names, the link's is kept, the one that configurations use.
        links = [
            link for link in plugins.glob("simplugin_*.so") if link.is_symlink() and link.resolve() == file.resolve()
        ]
        if file.is_symlink() or not links:
            files[target / "simplugin" / file.name] = file
    for copy, original in files.items():
        shutil.copyfile(original, copy)
        copy.chmod(0o755)


class Build(build_ext):
    """The extension, and what is bundled beside it."""

    def run(self) -> None:
        """Builds."""
        super().run()
        if native_build.is_bundled():
            package = Path(self.get_ext_fullpath("simplugin._native")).parent
            bundle(package)


# cffi keeps to the stable ABI where there is one: one wheel is for all later versions
abi3 = {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"bdist_wheel": {"py_limited_api": "cp39"}}
setup(cffi_modules=["native_build.py:make"], cmdclass={"build_ext": Build}, options=abi3)
