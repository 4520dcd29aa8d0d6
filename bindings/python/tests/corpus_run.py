# SPDX-License-Identifier: Apache-2.0
"""Runs a case of tests/corpus, as its README says."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corpus_native
from corpus_match import MismatchError, match, match_error, match_hits
from corpus_values import Json, Scope, as_columns, expand, expand_expected, to_json

import simplugin
from simplugin import _call

_numbers = itertools.count(1)


@dataclass
class Backend:
    """What runs the cases."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    describe: dict[str, Any] = field(default_factory=dict[str, Any])

    def lacks(self, case: Json) -> str | None:
        """What the case needs and the backend does not offer."""
        for key, words in case.get("needs", {}).items():
            for word in words if isinstance(words, list) else [words]:
                offered = self.describe.get(key)
                is_there = word == offered or (isinstance(offered, (list, dict)) and word in offered)
                if not is_there and not (key == "backend" and word == self.name):
                    return f"{key} {word}"
        return None


class Runner:
    """One case under way."""

    def __init__(self, backend: Backend, case: Json, is_columns: bool) -> None:
        self.backend = backend
        self.case = case
        self.is_columns = is_columns
        self.objects: dict[int, simplugin.Handle] = {}
        self.scope = Scope(
            directory=tempfile.mkdtemp(prefix="simplugin-corpus-"),
            backend=backend.name,
            unique=f"{os.getpid()}_{next(_numbers)}",
            plugin_path=[os.path.dirname(backend.describe["file"])],
        )
        self.session: simplugin.Session

    # ---- what a step names ----

    def handle_of(self, target: Json) -> int:
        """The number that a step's target stands for."""
        if isinstance(target, int):
            return target & (2**64 - 1)
        if target in (None, "session"):
            return self.session.handle
        if target == "default":
            return 0
        return int(self.scope.variables[target.lstrip("$")])

    def object_of(self, handle: int) -> simplugin.Handle | None:
        """The object of that number, if the package made one."""
        return simplugin.default_session if handle == 0 else self.objects.get(handle)

    def keep(self, result: Any) -> None:
        """Remembers an object that a call made."""
        if isinstance(result, simplugin.Handle):
            self.objects[result.handle] = result
        if isinstance(result, simplugin.Copy):
            self.objects[result.index.handle] = result.index

    # ---- calls ----

    def body_of(self, body: Json) -> dict[str, Any]:
        """A step's body, in the form of this run, with the objects of the handles in it."""
        expanded: dict[str, Any] = expand(self.scope, body) if body else {}
        if self.is_columns:
            expanded = as_columns(expanded)
            if isinstance(expanded.get("body"), dict):
                expanded["body"] = as_columns(expanded["body"])
        for key in ("view", "source"):
            if isinstance(expanded.get(key), int):
                expanded[key] = self.objects.get(expanded[key], expanded[key])
        return expanded

    def send(
        self, method: str, handle: int, body: dict[str, Any], options: simplugin.Options, is_failing: bool
    ) -> dict[str, Any]:
        """Makes a call, through the function that the package has for it or through the generic one."""
        target = self.object_of(handle)
        found = corpus_native.find(method, target, body, is_failing)
        if found is None:
            corpus_native.used["call"] += 1
            reply = (
                target.call(method, body, **options)
                if target is not None
                else _call.call(handle, method, body, options)
            )
            if method in ("index.create", "index.open", "runs.load"):
                self.keep(simplugin.Index(reply))
            return reply
        name, function = found
        corpus_native.used[name] += 1
        result = function(target, **body, **options)
        self.keep(result)
        return corpus_native.reply_of(method, result)

    def options_of(self, step: Json) -> simplugin.Options:
        """The timeout and the token."""
        options: simplugin.Options = {}
        if "timeout_ms" in step:
            timeout = step["timeout_ms"]
            options["timeout"] = math.inf if timeout == -1 else timeout / 1000
        if step.get("cancelled"):
            options["cancel"] = cancel = simplugin.Cancel()
            cancel.fire()
        return options

    def call(self, step: Json) -> bool:
        """A step with a call; True if the case ends with it."""
        lacks = step.get("without_method")
        failure, is_last = step.get("error"), False
        if lacks and lacks["method"] not in self.backend.describe["methods"]:
            failure, is_last = lacks["error"], True
        method, handle = step["call"], self.handle_of(step.get("target"))
        body = self.body_of(step.get("body"))
        try:
            reply = to_json(self.send(method, handle, body, self.options_of(step), failure is not None))
        except simplugin.SimpluginError as error:
            if failure is None:
                raise
            match_error(expand_expected(self.scope, failure), error)
            return is_last
        if failure is not None:
            raise MismatchError(f"succeeded where an error was expected: {str(reply)[:300]}")
        for key, name in step.get("bind", {}).items():
            if key in reply:
                self.scope.variables[name] = reply[key]
        if "expect" in step:
            expected = expand_expected(self.scope, step["expect"])
            if method == "index.add":
                self.adapt_counts(expected, reply)
            match(expected, reply)
        if "hits" in step:
            match_hits(expand_expected(self.scope, step["hits"]), reply)
        return False

    def adapt_counts(self, expected: Json, reply: Json) -> None:
        """Where the backend cannot know how many points were replaced, an add counts all as added."""
        if (
            self.backend.describe.get("counts_replaced")
            or "updated" not in expected
            or reply.get("updated") is not None
        ):
            return
        if "added" in expected:
            expected["added"] += expected["updated"] or 0
        expected["updated"] = None

    # ---- other kinds of step ----

    def drain(self, step: Json) -> None:
        """Puts the pages of a scan behind each other."""
        scan = self.objects[self.handle_of(step["drain"])]
        assert isinstance(scan, simplugin.Scan)
        everything: dict[str, Any] = {"replies": 0}
        while not scan.done:
            corpus_native.used["scan.next Scan"] += 1
            page = to_json(corpus_native.reply_of("", scan.next()))
            everything["replies"] += 1
            if len(page["ids"]) > step.get("at_most", math.inf):
                raise MismatchError("a reply of scan.next has too many rows")
            for key, value in page.items():
                if isinstance(value, list):
                    everything.setdefault(key, []).extend(value)
                elif isinstance(value, dict):
                    for name, column in value.items():
                        everything.setdefault(key, {}).setdefault(name, []).extend(column)
        match(expand_expected(self.scope, step["expect"]), everything, "scan")

    def finish(self, step: Json) -> None:
        """Makes the steps of a copy until it is done."""
        copy = self.objects[self.handle_of(step["finish"])]
        assert isinstance(copy, simplugin.Copy)
        while not copy.done:
            corpus_native.used["copy.next Copy"] += 1
            copy.next()
        match(expand_expected(self.scope, step["expect"]), to_json(copy.state), "copy")

    def close(self, step: Json) -> None:
        """Closes a handle; what is closed already is an error of the library's that close() does not show."""
        handle = self.handle_of(step["close"])
        found = self.object_of(handle)
        if "error" not in step:
            assert found is not None
            found.close()
            return
        try:
            _call.close(handle)
        except simplugin.SimpluginError as error:
            match_error(expand_expected(self.scope, step["error"]), error)
        else:
            raise MismatchError("closed what could not be closed")

    # ---- the case ----

    def write_files(self) -> None:
        """The brain configuration that makes the backend the default, and the files of the case."""
        brain = {
            "default_similarity_backend": self.backend.name,
            "similarity_backends": {self.backend.name: self.backend.parameters},
        }
        for name, content in {"brain_config.json": brain, **self.case.get("files", {})}.items():
            expanded = expand(self.scope, content)
            text = expanded if isinstance(expanded, str) else json.dumps(expanded)
            (Path(self.scope.directory) / name).write_text(text)

    def run(self) -> None:
        """All steps, up to the first that fails."""
        try:
            self.write_files()
            more = expand(self.scope, self.case.get("session", {}))
            settings: dict[str, Any] = {
                "config_path": self.scope.directory + "/brain_config.json",
                "data_dir": self.scope.directory + "/data",
                "environment": {},
                "plugin_path": self.scope.plugin_path,
                **more,
            }
            with simplugin.Session(**settings) as self.session:
                self.objects[self.session.handle] = self.session
                try:
                    self.run_steps()
                finally:
                    self.clean_up()
        finally:
            shutil.rmtree(self.scope.directory, ignore_errors=True)

    def run_steps(self) -> None:
        """The steps themselves."""
        for number, step in enumerate(self.case["steps"], 1):
            try:
                if "drain" in step:
                    self.drain(step)
                elif "finish" in step:
                    self.finish(step)
                elif "close" in step:
                    self.close(step)
                elif self.call(step):
                    return
            except (AssertionError, simplugin.SimpluginError) as error:
                what = step.get("call", "close, drain or finish")
                raise MismatchError(
                    f"{self.backend.name}, step {number} ({what}): {type(error).__name__}: {error}"
                ) from error

    def clean_up(self) -> None:
        """Drops the collection of every index that the case made."""
        for handle in self.objects.values():
            if isinstance(handle, simplugin.Index):
                try:
                    handle.cleanup()
                except simplugin.SimpluginError:
                    continue
