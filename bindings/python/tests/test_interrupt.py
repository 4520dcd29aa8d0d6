# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends the main thread's call, at once."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from interrupting import at_every_line
from programs import HANGING, prints, run

import simplugin
from simplugin import _call

TIMED = """
begin = time.monotonic()
def ended(what):
    assert 0.1 < time.monotonic() - begin < 5, time.monotonic() - begin
    print(what)
"""


def test_during_a_call_that_hangs() -> None:
    """R274: KeyboardInterrupt, and the next call is not affected."""
    out = prints(
        TIMED
        + """
for _ in range(2):
    in_a_while(interrupt)
    begin = time.monotonic()
    try:
        connection.health()
    except KeyboardInterrupt:
        ended("interrupted")
print(len(simplugin.backends()["backends"]) > 0)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
    )
    assert out == "interrupted\ninterrupted\nTrue\n"


def test_unhandled() -> None:
    """The program ends as any other."""
    done = run("in_a_while(interrupt)\nconnection.health()\n")
    assert done.returncode == -2
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_with_options_of_its_own() -> None:
    """A token of the user's is not fired by it; progress and trace ids change nothing."""
    out = prints(
        TIMED
        + """
cancel = simplugin.Cancel()
in_a_while(interrupt)
try:
    connection.health(cancel=cancel, progress=print, trace_id="t")
except KeyboardInterrupt:
    ended("interrupted")
print(cancel.fired, len(simplugin.backends(cancel=cancel)) > 0)
"""
    )
    assert out == "interrupted\nFalse True\n"


def test_a_handler_of_the_users_that_raises() -> None:
    """It runs while the call hangs, and ends it with what it raises."""
    out = prints(
        TIMED
        + """
def handler(number, frame):
    print("handler", threading.current_thread() is threading.main_thread())
    raise RuntimeError("mine")
signal.signal(signal.SIGINT, handler)
in_a_while(interrupt)
try:
    connection.health()
except RuntimeError as error:
    ended(error)
assert signal.getsignal(signal.SIGINT) is handler
"""
    )
    assert out == "handler True\nmine\n"


def test_a_handler_of_the_users_that_returns() -> None:
    """It runs while the call goes on, as with Python's own blocking calls."""
    out = prints(
        TIMED
        + """
signal.signal(signal.SIGINT, lambda number, frame: ended("handler"))
in_a_while(interrupt)
try:
    connection.health(timeout=0.6)
except TimeoutError:
    ended("timeout")
    assert time.monotonic() - begin > 0.5
"""
    )
    assert out == "handler\ntimeout\n"


def test_a_handler_of_the_users_at_exit() -> None:
    """When there are no more threads to be had."""
    out = prints(
        """
import atexit
signal.signal(signal.SIGINT, lambda number, frame: None)
index = simplugin.create_index(metric="euclidean")
index.add(["a"], [[1]])
def clean_up():
    print(index.size())
    index.cleanup()
atexit.register(clean_up)
"""
    )
    assert out == "1\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_handlers_of_other_signals(name: str) -> None:
    """They run while the call hangs, and end it with what they raise; Ctrl-C does beside them."""
    out = prints(
        TIMED
        + f"""
number = signal.{name}
"""
        + """
signal.signal(number, lambda number, frame: ended("handler"))
in_a_while(os.kill, os.getpid(), number)
try:
    connection.health(timeout=0.6)
except TimeoutError:
    ended("timeout")
def handler(number, frame):
    raise RuntimeError("mine")
signal.signal(number, handler)
in_a_while(os.kill, os.getpid(), number)
try:
    connection.health()
except RuntimeError as error:
    ended(error)
in_a_while(interrupt)
try:
    connection.health()
except KeyboardInterrupt:
    ended("interrupted")
"""
    )
    assert out == "handler\ntimeout\nmine\ninterrupted\n"


def test_no_call_goes_on(
    hanging_connection: simplugin.Connection, own_handler: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a handler raises, the call is over when its exception comes, and nobody reads the arguments."""
    run_ = _call._run
    going = [0, 0]

    def spy(*arguments: Any) -> Any:
        going[0] += 1
        going[1] += 1
        try:
            return run_(*arguments)
        finally:
            going[0] -= 1

    def hang() -> None:
        with contextlib.suppress(simplugin.DeadlineExceeded):
            hanging_connection.health(timeout=0.05)

    def none_goes_on() -> None:
        assert going[0] == 0

    monkeypatch.setattr(_call, "_run", spy)
    assert at_every_line(hang, none_goes_on) > 50
    assert going[1] > 20


def test_ignored() -> None:
    """SIGINT that is ignored ends nothing."""
    out = prints(
        TIMED
        + """
signal.signal(signal.SIGINT, signal.SIG_IGN)
in_a_while(interrupt)
try:
    connection.health(timeout=0.5)
except TimeoutError:
    ended("timeout")
"""
    )
    assert out == "timeout\n"


@pytest.mark.parametrize("handler", ["SIG_IGN", "SIG_DFL"])
def test_handlers_that_come_later(handler: str) -> None:
    """Imported under another disposition, as in the background of a shell."""
    begin = f"import signal\nsignal.signal(signal.SIGINT, signal.{handler})\n" + HANGING
    out = prints(
        TIMED
        + """
signal.signal(signal.SIGINT, signal.default_int_handler)
in_a_while(interrupt)
try:
    connection.health()
except KeyboardInterrupt:
    ended("interrupted")
""",
        begin,
    )
    assert out == "interrupted\n"


def test_in_another_thread() -> None:
    """A thread's call goes on; the main thread is interrupted where it waits."""
    out = prints(
        TIMED
        + """
cancel = simplugin.Cancel()
def hang():
    try:
        connection.health(cancel=cancel)
    except simplugin.Cancelled:
        ended("cancelled")
thread = threading.Thread(target=hang)
thread.start()
in_a_while(interrupt)
try:
    threading.Event().wait()
except KeyboardInterrupt:
    ended("interrupted")
time.sleep(0.1)
assert thread.is_alive()
cancel.fire()
thread.join()
"""
    )
    assert out == "interrupted\ncancelled\n"


def test_while_a_thread_calls() -> None:
    """Only the main thread's call ends."""
    out = prints(
        TIMED
        + """
results = []
def hang():
    try:
        connection.health(timeout=1)
    except simplugin.SimpluginError as error:
        results.append(error.name)
thread = threading.Thread(target=hang)
thread.start()
in_a_while(interrupt)
try:
    connection.health()
except KeyboardInterrupt:
    ended("interrupted")
thread.join()
print(results)
"""
    )
    assert out == "interrupted\n['DEADLINE_EXCEEDED']\n"


def test_in_loops_of_calls() -> None:
    """What they opened is closed."""
    out = prints(
        """
import itertools
import numpy as np
with simplugin.create_index(metric="euclidean") as index:
    index.add([str(i) for i in range(1000)], np.ones((1000, 4), np.float32))
    in_a_while(interrupt)
    try:
        for _ in itertools.count():
            for page in index.scan(max_rows=10):
                pass
            index.view(["1"])
    except KeyboardInterrupt:
        print("interrupted", index.size())
    index.cleanup()
"""
    )
    assert out == "interrupted 1000\n"


def test_storm() -> None:
    """Interrupts at any moment of short calls: each is a KeyboardInterrupt, and nothing else happens."""
    out = prints(
        """
import numpy as np
index = simplugin.create_index(metric="euclidean")
index.add([str(i) for i in range(100)], np.random.default_rng(1).random((100, 8), np.float32))
query = np.ones((1, 8), np.float32)
sent = []
def storm():
    for i in range(300):
        time.sleep(0.002)
        interrupt()
        sent.append(i)
thread = threading.Thread(target=storm)
caught = calls = 0
try:
    thread.start()
except KeyboardInterrupt:
    caught += 1
def work():
    global caught, calls
    while True:
        try:
            while thread.is_alive():
                assert len(index.search(query, k=3).ids) == 3
                index.view(["1"])
                index.health()
                calls += 3
            time.sleep(0.1)
            return
        except KeyboardInterrupt:
            caught += 1
while True:
    try:
        work()
        break
    except KeyboardInterrupt: # between the try blocks
        caught += 1
assert calls > 100 and 10 < caught <= len(sent), (calls, caught, len(sent))
assert index.size() == 100
index.cleanup()
print("calm")
"""
    )
    assert out == "calm\n"


def test_under_asyncio() -> None:
    """asyncio.run cancels the main task, whose call ends, and raises KeyboardInterrupt."""
    out = prints(
        TIMED
        + """
import asyncio
from simplugin import aio
async def main():
    try:
        await aio.run(connection.health)
    except asyncio.CancelledError:
        ended("cancelled")
        raise
in_a_while(interrupt)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    ended("interrupted")
"""
    )
    assert out == "cancelled\ninterrupted\n"


def test_a_blocking_call_under_asyncio() -> None:
    """A call that blocks the loop is ended by the second Ctrl-C, as everything that blocks it."""
    out = prints(
        TIMED
        + """
import asyncio
async def main():
    in_a_while(interrupt)
    if sys.version_info >= (3, 11):
        threading.Timer(0.4, interrupt).start()
    connection.health()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    ended("interrupted")
"""
    )
    assert out == "interrupted\n"
