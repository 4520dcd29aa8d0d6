# SPDX-License-Identifier: Apache-2.0
"""The program of docs/fiftyone.md, pasted as it stands."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[4] / "docs" / "fiftyone.md"
FENCE = re.compile(r"<!-- (runs|prints) -->\n```\w+\n(.*?)```", re.DOTALL)


def test_program(quickstart, backend):
    """R42 R242 R243 It prints what the page says, on every backend by the environment alone."""
    found = dict(FENCE.findall(PAGE.read_text(encoding="utf-8")))
    environment = {**os.environ, "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND": backend.name}
    for parameter, value in backend.connection.items():
        environment[f"FIFTYONE_BRAIN_SIMILARITY_{backend.name.upper()}_{parameter.upper()}"] = value
    quickstart.delete()
    done = subprocess.run(
        [sys.executable, "-c", found["runs"]], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = [line for line in done.stdout.splitlines() if line in found["prints"].splitlines()]
    assert printed == found["prints"].splitlines()


@pytest.mark.parametrize("backend", ["sklearn"], indirect=True)
def test_names(backend):
    """What the page calls by name is there."""
    import simplugin.fiftyone as sf

    for name in re.findall(r"simplugin\.fiftyone\.(\w+)", PAGE.read_text(encoding="utf-8")):
        assert hasattr(sf, name), name
