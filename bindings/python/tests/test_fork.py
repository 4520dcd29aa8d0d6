# SPDX-License-Identifier: Apache-2.0
"""Forked children: handles of the parent answer FORKED or reopen what they need; never a hang."""

from __future__ import annotations

from programs import HANGING, prints

BEGIN = (
    HANGING
    + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of fork in a process with threads
index = simplugin.create_index(metric="euclidean")
index.add(["a", "b"], [[1, 0], [0, 1]])

def in_child(function):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            print(function())
            sys.stdout.flush()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0

def outcome(function):
    try:
        return function()
    except simplugin.Forked as error:
        return error.name
"""
)


def test_os_fork() -> None:
    """R275: a new index works in the child, an old one works or says FORKED, and the parent's go on."""
    out = prints(
        """
def child():
    old = outcome(lambda: index.search([[1, 0]], k=1).ids.tolist())
    assert old in (["a"], "FORKED"), old
    with simplugin.create_index(metric="euclidean") as new:
        new.add(["x"], [[1]])
        found = new.search([[1]], k=1).ids.tolist()
        new.cleanup()
    return found
in_child(child)
print(index.search([[1, 0]], k=1).ids.tolist())
index.cleanup()
""",
        BEGIN,
    )
    assert out == "['x']\n['a']\n"


def test_while_threads_call() -> None:
    """R275: whatever the parent's other threads are in."""
    out = prints(
        """
stop = threading.Event()
def search():
    while not stop.is_set():
        index.search([[1, 0]], k=1)
messages = []
simplugin.set_log(lambda level, text: messages.append(text), "debug")
threads = [threading.Thread(target=search) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(20):
    in_child(lambda: len(simplugin.backends()["backends"]) > 0)
stop.set()
for thread in threads:
    thread.join()
assert messages
simplugin.set_log(None)
index.cleanup()
""",
        BEGIN,
    )
    assert out == "True\n" * 20


def test_ctrl_c_in_the_child() -> None:
    """R274, R275: forked from another thread during a call of the main thread, which has Ctrl-C's handler installed."""
    out = prints(
        """
def child():
    new = simplugin.connect("qdrant", {"url": "http://127.0.0.1:%d" % listener.getsockname()[1]})
    in_a_while(interrupt)
    begin = time.monotonic()
    try:
        new.health()
    except KeyboardInterrupt:
        return "interrupted", time.monotonic() - begin < 5
in_child(child)
forker = threading.Timer(0.2, in_child, (child,))
forker.start()
end = None
try:
    connection.health(timeout=1.5)
except TimeoutError:
    end = "timeout"
forker.join()
print(end)
index.cleanup()
""",
        BEGIN,
    )
    assert out == "('interrupted', True)\n('interrupted', True)\ntimeout\n"


def test_log_and_asyncio_in_the_child() -> None:
    """Their threads are made anew."""
    out = prints(
        """
import asyncio
from simplugin import aio
messages = []
simplugin.set_log(lambda level, text: messages.append(text), "debug")
async def main():
    return len((await aio.backends())["backends"]) > 0
print(asyncio.run(main()))
def child():
    messages.clear()
    with simplugin.create_index(metric="euclidean") as new:
        new.add(["x"], [[1]])
        new.cleanup()
    return asyncio.run(main()), len(messages) > 0
in_child(child)
simplugin.set_log(None)
index.cleanup()
""",
        BEGIN,
    )
    assert out == "True\n(True, True)\n"


def test_multiprocessing() -> None:
    """R275: a pool that forks."""
    out = prints(
        """
import multiprocessing
def work(i):
    with simplugin.create_index(metric="euclidean") as new:
        new.add([f"p{i}"], [[float(i)]])
        found = new.search([[float(i)]], k=1).ids[0]
        new.cleanup()
    return found
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, range(8)))
index.cleanup()
""",
        BEGIN,
    )
    assert out == f"{[f'p{i}' for i in range(8)]}\n"
