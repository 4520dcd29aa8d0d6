# SPDX-License-Identifier: Apache-2.0
"""Building and installing: what is missing is said, and a self-contained wheel works where nothing is installed."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]

PROGRAM = """
import simplugin
library = next(line.split()[-1] for line in open("/proc/self/maps") if "libsimplugin" in line)
with simplugin.create_index(metric="cosine") as index:
    index.add(["a", "b"], [[1, 0], [0, 1]])
    print(index.search([[1, 0]], k=1).ids.tolist())
    index.cleanup()
print(library)
for one in simplugin.backends()["backends"]:
    print(one["file"])
"""


def source(tmp_path: Path) -> Path:
    """A copy of the package's source: building writes into it."""
    copy = tmp_path / "source"
    shutil.copytree(TOP, copy, ignore=shutil.ignore_patterns("build", "*.egg-info", "_native.*so", "lib", "tests"))
    return copy


def environment(**more: str) -> dict[str, str]:
    """The process's, without what says where the library is."""
    kept = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "SIMPLUGIN_PATH")}
    return {**kept, **more}


def pip(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(**variables))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-contained wheel: the one that SIMPLUGIN_TEST_WHEEL names, or one that is built here."""
    if "SIMPLUGIN_TEST_WHEEL" in os.environ:
        return Path(os.environ["SIMPLUGIN_TEST_WHEEL"])
    work = tmp_path_factory.mktemp("wheel")
    where = os.environ.get("PKG_CONFIG_PATH", "")
    done = pip(
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(work),
        str(source(work)),
        SIMPLUGIN_BUNDLE="1",
        PKG_CONFIG_PATH=where,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(work.glob("*.whl"))


def installed(wheel: Path, target: Path, umask: int) -> None:
    """Installs the wheel into a directory, as pip does under that umask."""
    target.mkdir(mode=0o755)
    before = os.umask(umask)
    try:
        done = pip("install", "--no-deps", "--no-compile", "--target", str(target), str(wheel))
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077], ids=oct)
def test_wheel(wheel: Path, tmp_path: Path, umask: int) -> None:
    """R277: in an empty venv, with the library hidden or another found first, whatever the umask."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    target = tmp_path / "site"
    installed(wheel, target, umask)
    needed = {str(Path(module.__file__ or "").parents[1]) for module in map(__import__, ("numpy", "msgpack", "cffi"))}
    others = {"LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")} if umask == 0o022 else {}
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env=environment(PYTHONPATH=os.pathsep.join([str(target), *needed]), **others),
    )
    assert done.returncode == 0, done.stderr
    found, library, *plugins = done.stdout.splitlines()
    assert found == "['a']"
    bundled = target / "simplugin" / "lib"
    assert library == str(bundled / "libsimplugin.so.1")
    # the library also looks where it was installed first, if that is there
    for name in ("milvus", "qdrant", "sklearn"):
        assert str(bundled / "simplugin" / f"simplugin_{name}.so") in plugins


def renumbered(wheel: Path, version: str, directory: Path) -> None:
    """The same wheel as another version of the package."""
    old = wheel.name.split("-")[1]
    with zipfile.ZipFile(wheel) as read, zipfile.ZipFile(directory / wheel.name.replace(old, version), "w") as write:
        for entry in read.infolist():
            content = read.read(entry)
            if entry.filename.endswith(".dist-info/METADATA"):
                content = content.replace(f"Version: {old}\n".encode(), f"Version: {version}\n".encode())
            entry.filename = entry.filename.replace(f"simplugin-{old}.", f"simplugin-{version}.")
            write.writestr(entry, content)


def test_versions(wheel: Path, tmp_path: Path) -> None:
    """R176: the newest, a given version, and the upgrade of that one."""
    for version in ("1.0.0", "1.0.1"):
        renumbered(wheel, version, tmp_path)
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")

    def after(command: str, *arguments: str) -> str:
        done = pip("--python", python, command, *arguments)
        assert done.returncode == 0, done.stderr
        ask = "import importlib.metadata; print(importlib.metadata.version('simplugin'), end='')"
        return subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False).stdout

    offline = ("--no-deps", "--no-compile", "--no-index", "--find-links", str(tmp_path))
    assert after("install", *offline, "simplugin") == "1.0.1"
    assert after("uninstall", "-y", "simplugin") == ""
    assert after("install", *offline, "simplugin==1.0.0") == "1.0.0"
    assert after("install", *offline, "simplugin") == "1.0.0"
    assert after("install", *offline, "--upgrade", "simplugin") == "1.0.1"


def test_python_version() -> None:
    """R175: the metadata names the oldest Python, and no source uses the grammar of a later one."""
    declared = re.search(r'requires-python = ">=(\d+)\.(\d+)"', (TOP / "pyproject.toml").read_text())
    assert declared
    oldest = (int(declared[1]), int(declared[2]))
    assert oldest <= sys.version_info[:2]
    sources = sorted((TOP / "src").rglob("*.py"))
    assert len(sources) > 10
    for path in sources:
        ast.parse(path.read_text(), str(path), feature_version=oldest)


def test_directories_above(wheel: Path, tmp_path: Path) -> None:
    """One that others may write is refused by the library, which says what to do."""
    target = tmp_path / "site"
    installed(wheel, target, 0o022)
    target.chmod(0o777)
    program = (
        "import simplugin\ntry:\n simplugin.create_index()\nexcept simplugin.PluginUnsafe as error:\n print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment(PYTHONPATH=str(target)),
    )
    assert str(target) in done.stdout
    assert "chmod go-w" in done.stdout


def test_directories_with_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are written by pkg-config as by a shell."""
    program = tmp_path / "pkg-config"
    program.write_text("#!/bin/sh\necho '-L/sp\\ ace/lib -lsimplugin'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PKG_CONFIG", str(program))
    monkeypatch.syspath_prepend(str(TOP))
    assert importlib.import_module("native_build").flags("--libs") == ["-L/sp ace/lib", "-lsimplugin"]


def test_without_the_library(tmp_path: Path) -> None:
    """The build says what was looked for, and how to install it."""
    copy = source(tmp_path)
    for variables, words in (
        (
            {"PKG_CONFIG_PATH": "/nowhere", "PKG_CONFIG_LIBDIR": "/nowhere"},
            "no simplugin.pc (PKG_CONFIG_PATH is /nowhere)",
        ),
        ({"PKG_CONFIG": "no-such-program"}, "there is no program 'no-such-program'"),
    ):
        done = pip(
            "install", "--no-deps", "--no-build-isolation", "--target", str(tmp_path / "x"), str(copy), **variables
        )
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert words in said
        assert "./configure && make && make install" in said
        assert "./quickstart" in said


def test_without_the_library_at_run_time() -> None:
    """So does the import."""
    done = subprocess.run(
        [sys.executable, "-c", "import simplugin"], capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode == 0:
        pytest.skip("the library is installed in the system")
    said = done.stderr.splitlines()[-1]
    assert said.startswith("ImportError: the C library simplugin cannot be loaded: libsimplugin.so.1")
    assert "./quickstart" in said
    assert "LD_LIBRARY_PATH" in said


def test_without_langchain() -> None:
    """The adapter that is asked for without what it needs says how to get that; the package needs none of it."""
    done = subprocess.run(
        [sys.executable, "-c", "import simplugin.langchain"], capture_output=True, text=True, check=False
    )
    assert "ImportError" in done.stderr
    assert "pip install simplugin[langchain]" in done.stderr
