# SPDX-License-Identifier: Apache-2.0
"""What a case expects of a value, and the matchers that say it less strictly."""

from __future__ import annotations

from typing import Any

from corpus_values import Json, is_close, notation

import simplugin


class MismatchError(AssertionError):
    """Something is not as the case says."""


def _fail(path: str, expected: Json, actual: Json) -> None:
    raise MismatchError(f"{path or 'reply'}: expected {str(expected)[:300]}, got {str(actual)[:500]}")


def matches(expected: Json, actual: Json) -> bool:
    """Whether it is as expected."""
    try:
        match(expected, actual)
    except MismatchError:
        return False
    return True


def _is_set(expected: list[Json], actual: list[Json]) -> bool:
    left = list(actual)
    for one in expected:
        at = next((i for i, other in enumerate(left) if matches(one, other)), None)
        if at is None:
            return False
        del left[at]
    return not left


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _matcher(name: str, argument: Json, actual: Json) -> bool | None:
    if name == "$absent":
        return actual is None
    if actual is None:
        return False
    if name == "$any":
        return True
    if name == "$set":
        return isinstance(actual, list) and _is_set(argument, actual)
    if name == "$count":
        return isinstance(actual, list) and len(actual) == argument
    if name == "$between":
        return _is_number(actual) and argument[0] <= actual <= argument[1]
    if name == "$containing":
        return isinstance(actual, str) and argument in actual
    if name == "$not":
        return bool(argument != actual)
    if name in ("$contains", "$lacks"):
        return isinstance(actual, list) and all(
            any(matches(one, other) for other in actual) == (name == "$contains") for one in argument
        )
    return None


def match(expected: Json, actual: Json, path: str = "") -> None:
    """Raises MismatchError where it is not as expected. None stands for what is absent."""
    name = notation(expected)
    result = None if name is None else _matcher(name, expected[name], actual)
    if result is not None:
        if not result:
            _fail(path, expected, actual)
    elif expected is None:
        if actual is not None:
            _fail(path, expected, actual)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict):
            _fail(path, expected, actual)
        for key, one in expected.items():
            match(one, actual.get(key), f"{path}.{key}" if path else key)
    elif isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            _fail(path, expected, actual)
        for i, one in enumerate(expected):
            match(one, actual[i], f"{path}[{i}]")
    elif _is_number(expected) and _is_number(actual) and (isinstance(expected, float) or isinstance(actual, float)):
        if not is_close(expected, actual):
            _fail(path, expected, actual)
    elif type(expected) is not type(actual) or expected != actual:
        _fail(path, expected, actual)


def match_hits(expected: list[Json], reply: Json) -> None:
    """One list for each query, of [id, distance] or ids, in order."""
    offsets = reply["offsets"]
    if len(offsets) != len(expected) + 1:
        _fail("hits", expected, reply)
    for query, hits in enumerate(expected):
        part = slice(offsets[query], offsets[query + 1])
        ids, distances = reply["ids"][part], reply["distances"][part]
        wanted = [hit[0] if isinstance(hit, list) else hit for hit in hits]
        if wanted != ids:
            _fail("hits", hits, ids)
        for hit, distance in zip(hits, distances):
            if isinstance(hit, list):
                match(hit[1], distance, "hits.distances")


def match_error(expected: Json, error: simplugin.SimpluginError) -> None:
    """The code, the details, and what the message says or does not say."""
    codes: Any = expected["code"] if isinstance(expected["code"], list) else [expected["code"]]
    if error.name not in codes:
        raise MismatchError(f"expected the error {codes}, got {error.name} {error.message}")
    if not error.message or "\n" in error.message:
        raise MismatchError(f"the message of {error.name} is not one line: {error.message!r}")
    if not error.domain:
        raise MismatchError(f"the error {error.name} has no domain")
    for key, value in expected.get("details", {}).items():
        if not any(name == key and matches(value, given) for name, given in error.details):
            raise MismatchError(f"{error.name} has no such detail {key!r}: {error.details} ({error.message})")
    for text in expected.get("message_contains", []):
        if text not in error.message:
            raise MismatchError(f"the message {error.message!r} does not say {text!r}")
    for text in expected.get("message_lacks", []):
        if text in error.message:
            raise MismatchError(f"the message {error.message!r} says {text!r}")
    if "retryable" in expected and expected["retryable"] != error.retryable:
        raise MismatchError(f"{error.name} has the wrong retryable")
