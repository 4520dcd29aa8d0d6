# SPDX-License-Identifier: Apache-2.0
"""Interrupts at every moment of a call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import simplugin

PACKAGE = simplugin.__path__[0]
BESIDE = ("concurrent/futures/_base.py", "contextlib.py", "queue.py")


def at_every_line(work: Callable[[], object], each: Callable[[], object] = lambda: None) -> int:
    """Runs it again and again, with KeyboardInterrupt at its first line in the package, its second ... its last.

    each: called after every time. Returns how many there were.
    """
    number = 0
    while True:
        number += 1
        if not _interrupted(work, number):
            return number - 1
        each()


def _interrupted(work: Callable[[], object], number: int) -> bool:
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE) and not frame.f_code.co_filename.endswith(BESIDE):
            return None
        if event in ("line", "return"):
            count += 1
            if count == number:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return count >= number
