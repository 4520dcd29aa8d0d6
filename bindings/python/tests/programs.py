# SPDX-License-Identifier: Apache-2.0
"""Programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

# what a shell starts in the background is deaf to SIGINT
HEARING = """
import signal
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""

# what each begins with: a server that hangs, and a connection to it
HANGING = """
import os, signal, socket, sys, threading, time
import simplugin
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
connection = simplugin.connect("qdrant", {"url": "http://127.0.0.1:%d" % listener.getsockname()[1]})

def in_a_while(function, *arguments):
    thread = threading.Timer(0.2, function, arguments)
    thread.daemon = True
    thread.start()

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
"""


def run(program: str, begin: str = HANGING, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a program and returns what it printed."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", HEARING + begin + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def prints(program: str, begin: str = HANGING, **environment: str) -> str:
    """The same of one that must end well and say nothing on stderr."""
    done = run(program, begin, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout
