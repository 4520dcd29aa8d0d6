# SPDX-License-Identifier: Apache-2.0
# What this package uses of msgpack, which has no types of its own.
from collections.abc import Callable
from typing import Any, NamedTuple

class ExtType(NamedTuple):
    code: int
    data: bytes

def packb(o: object, *, default: Callable[[Any], object] | None = ..., unicode_errors: str | None = ...) -> bytes: ...
def unpackb(
    packed: Any,
    *,
    ext_hook: Callable[[int, bytes], object] = ...,
    object_hook: Callable[[dict[Any, Any]], object] | None = ...,
) -> Any: ...
