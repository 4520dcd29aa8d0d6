# SPDX-License-Identifier: Apache-2.0
"""Does what docs/backend-guide.md says: enters its commands, writes its files, applies its patches, and compares
what is printed. Run by tests/test_backend_guide.sh, in an empty directory, with an installed simplugin in PATH.

In the page stand, each before its block:

    ```console                     commands behind "$ ", and all that each prints; "..." is any text in a line or,
                                   alone, any lines. A command succeeds.
    <!-- file: PATH -->            a file to be written; a second block of one file goes to its end
    <!-- patch -->                 for patch -p1; the lines may have moved, but not changed
    <!-- excerpt: PATH -->         is in that file as it stands
"""
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import docs_page

PAGE = docs_page.Page(docs_page.SOURCE / "docs" / "backend-guide.md")
SECONDS = 540  # of the longest command
MARK = "that-was-%s-in-%s"


class Shell:
    """One bash, so that cd and export last."""

    def __init__(self):
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.directory = Path.cwd()

    def run(self, command):
        """Its status and what it prints; < /dev/null, so that nothing reads the commands behind it."""
        self.process.stdin.write(b"{ %s\n} </dev/null\nprintf '\\n%s\\n' \"$?\" \"$PWD\"\n" % (
            command.encode(), (MARK % ("%s", "%s")).encode()))
        self.process.stdin.flush()
        said, end = b"", time.monotonic() + SECONDS
        mark = re.compile((MARK % (r"(\d+)", "(.*)")).encode() + b"\n$")
        while not (found := mark.search(said)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.process.kill()
                raise AssertionError("not done in %d s: %s\n%s" % (SECONDS, command, said.decode(errors="replace")))
            more = self.process.stdout.read1(65536)
            assert more, "the shell ended in: %s\n%s" % (command, said.decode(errors="replace"))
            said += more
        self.directory = Path(found[2].decode())
        # the line end before the mark is ours
        return int(found[1]), said[: found.start() - 1].decode(errors="replace")


def matches(expected, said):
    """Whether lines are as a page shows them."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*".join(re.escape(part) for part in line.split("...")) + r"[ \t]*\n"
        for line in expected)
    text = "".join(line + "\n" for line in said.rstrip("\n").split("\n")) if said.strip() else ""
    return re.fullmatch(pattern, text) is not None


def console(shell, text):
    lines = text.splitlines()
    assert lines[0].startswith("$ "), lines[0]
    at = 0
    while at < len(lines):
        command = lines[at][2:]
        end = at + 1
        while end < len(lines) and not lines[end].startswith("$ "):
            end += 1
        began = time.monotonic()
        status, said = shell.run(command)
        assert status == 0, "status %d: %s\n%s" % (status, command, said)
        assert matches(lines[at + 1 : end], said), "%s\nprints\n%s\nand not\n%s" % (
            command, said, "\n".join(lines[at + 1 : end]))
        print("%6.1f s  %s" % (time.monotonic() - began, command), flush=True)
        at = end


def blocks():
    """(language, directive, text) of every block of code."""
    directive = ""
    lines = iter(PAGE.text().splitlines())
    for line in lines:
        marked = re.fullmatch(r"<!-- (.*) -->", line)
        if marked:
            directive = marked[1]
        elif line.startswith("```"):
            text = []
            for inside in lines:
                if inside == "```":
                    break
                text.append(inside)
            yield line[3:], directive, "\n".join(text) + "\n"
            directive = ""
        elif line:
            assert not directive, "no block behind <!-- %s -->" % directive


def main():
    shell, written, counts = Shell(), set(), {}
    for language, directive, text in blocks():
        what, _, name = directive.partition(": ")
        path = shell.directory / name
        if what == "file":
            with open(path, "a" if path in written else "x", encoding="utf-8") as file:
                file.write("\n" + text if path in written else text)
            written.add(path)
        elif what == "patch":
            done = subprocess.run(["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch"], cwd=shell.directory, input=text,
                                  capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        elif what == "excerpt":
            assert text in path.read_text(encoding="utf-8"), "not in %s:\n%s" % (name, text)
        else:
            assert not directive and language == "console", (language, directive)
            console(shell, text)
        counts[what or language] = counts.get(what or language, 0) + 1
    PAGE.check_links()
    print(", ".join("%s %d" % pair for pair in sorted(counts.items())))


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failed:
        sys.exit("docs/backend-guide.md: %s" % failed)
