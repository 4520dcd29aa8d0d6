# SPDX-License-Identifier: Apache-2.0
"""Vector-similarity search with the backend chosen at run time.

>>> import simplugin
>>> with simplugin.create_index(metric="cosine") as index:
...     _ = index.add(["apple", "pear", "plum"], [[1, 0], [0.9, 0.1], [0, 1]])
...     hits = index.search([[0.8, 0.2]], k=2)
...     for id, distance in zip(hits.ids, hits.distances):
...         print(f"{id} {distance:.3f}")
...     _ = index.cleanup()
pear 0.009
apple 0.030

The functions below are the methods of a default session, which follows the environment and the brain configuration
file; ``Session`` opens others. Every function takes the keywords of ``Options`` beside its own: timeout, cancel,
progress, trace_id. In the lists of arguments, what is in brackets is the default; None leaves it to the library.
``simplugin.aio`` has the same for asyncio.
"""

from __future__ import annotations

from . import _bundle  # noqa: F401  # pyright: ignore[reportUnusedImport]  # before the library is loaded

try:
    from . import _native  # noqa: F401  # pyright: ignore[reportUnusedImport]
except ImportError as _error:
    if "libsimplugin" not in str(_error):
        raise
    raise ImportError(
        f"the C library simplugin cannot be loaded: {_error}. Install it, in its source directory, with "
        "./configure && make && make install (or ./quickstart); where it is installed but not found, name its "
        "directory in LD_LIBRARY_PATH, or run ldconfig"
    ) from _error

from . import errors
from ._call import Handle, Options
from ._native import ffi as _ffi
from ._native import lib as _lib
from .cancel import Cancel
from .columns import Column, Ids
from .errors import (
    AlreadyExists,
    BackendUnknown,
    Busy,
    Cancelled,
    ConfigError,
    ConnectionError_,
    Corrupt,
    DeadlineExceeded,
    DimensionMismatch,
    Forked,
    Incompatible,
    InternalError,
    InvalidArgument,
    IOError_,
    LoaderError,
    Malformed,
    NoSpace,
    NotFound,
    OutOfMemory,
    PermissionDenied,
    PluginUnsafe,
    PromptUnsupported,
    ProtocolError,
    ReadOnly,
    ResourceExhausted,
    SimpluginError,
    StaleHandle,
    Unauthenticated,
    Unimplemented,
    UnknownMethod,
    UnknownParameter,
    VersionTooNew,
    VersionTooOld,
)
from .index import Index, Scan, View
from .log import set_log
from .results import (
    Added,
    CopyState,
    Duplicates,
    FieldsSet,
    Hit,
    Hits,
    Matches,
    Neighbors,
    Points,
    Removed,
    Row,
    Run,
)
from .session import Connection, Copied, Copy, Runs, Session, default_session

__version__ = "1.0.0"

create_index = default_session.create_index
open_index = default_session.open_index
connect = default_session.connect
copy = default_session.copy
open_copy = default_session.open_copy
copy_dry_run = default_session.copy_dry_run
resolve = default_session.resolve
explain = default_session.explain
backends = default_session.backends
describe = default_session.describe
metrics = default_session.metrics
call = default_session.call
runs = default_session.runs


def version() -> str:
    """The version of the C library in use."""
    return _ffi.string(_lib.simplugin_version()).decode("ascii")


__all__ = [
    "Added",
    "AlreadyExists",
    "BackendUnknown",
    "Busy",
    "Cancel",
    "Cancelled",
    "Column",
    "ConfigError",
    "Connection",
    "ConnectionError_",
    "Copied",
    "Copy",
    "CopyState",
    "Corrupt",
    "DeadlineExceeded",
    "DimensionMismatch",
    "Duplicates",
    "FieldsSet",
    "Forked",
    "Handle",
    "Hit",
    "Hits",
    "IOError_",
    "Ids",
    "Incompatible",
    "Index",
    "InternalError",
    "InvalidArgument",
    "LoaderError",
    "Malformed",
    "Matches",
    "Neighbors",
    "NoSpace",
    "NotFound",
    "Options",
    "OutOfMemory",
    "PermissionDenied",
    "PluginUnsafe",
    "Points",
    "PromptUnsupported",
    "ProtocolError",
    "ReadOnly",
    "Removed",
    "ResourceExhausted",
    "Row",
    "Run",
    "Runs",
    "Scan",
    "Session",
    "SimpluginError",
    "StaleHandle",
    "Unauthenticated",
    "Unimplemented",
    "UnknownMethod",
    "UnknownParameter",
    "VersionTooNew",
    "VersionTooOld",
    "View",
    "backends",
    "call",
    "connect",
    "copy",
    "copy_dry_run",
    "create_index",
    "default_session",
    "describe",
    "errors",
    "explain",
    "metrics",
    "open_copy",
    "open_index",
    "resolve",
    "runs",
    "set_log",
    "version",
]
