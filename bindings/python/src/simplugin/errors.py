# SPDX-License-Identifier: Apache-2.0
"""Exceptions: one class for each code of the library, all under SimpluginError."""

from __future__ import annotations

from typing import Any

from ._native import ffi, lib


class SimpluginError(Exception):
    """What the library answered instead of a result.

    >>> import simplugin
    >>> try:
    ...     simplugin.open_index("nothing")
    ... except simplugin.NotFound as error:
    ...     print(error.name, error.domain, error.retryable)
    NOT_FOUND runs False
    """

    code: int
    """The number of the code: ``SIMPLUGIN_NOT_FOUND`` is 2."""
    name: str
    """Its name, such as ``"NOT_FOUND"``."""
    message: str
    """One line, without any secret."""
    domain: str
    """Where it comes from: ``"config"``, ``"loader"``, ``"index"``, ``"runs"``, a backend."""
    backend_code: int
    """The server's own code; 0 if it gave none."""
    backend_message: str
    """The server's own words; empty if there were none."""
    retryable: bool
    """Whether the same call may succeed later."""
    details: tuple[tuple[str, str], ...]
    """Pairs such as ``("argument", "k")``; a key may come more than once."""

    def __init__(
        self,
        message: str = "",
        *,
        code: int = 0,
        name: str = "UNKNOWN",
        domain: str = "",
        backend_code: int = 0,
        backend_message: str = "",
        retryable: bool = False,
        details: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.name = name
        self.domain = domain
        self.backend_code = backend_code
        self.backend_message = backend_message
        self.retryable = retryable
        self.details = details

    def detail(self, key: str) -> str | None:
        """The first detail of that key, such as ``"argument"``, ``"id"`` or ``"collection"``."""
        return next((value for name, value in self.details if name == key), None)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # the attributes are in __dict__, which pickle and copy restore
        return (type(self), (self.message,), self.__dict__)


class InvalidArgument(SimpluginError, ValueError):
    """A value is wrong; the detail "argument" names it."""


class NotFound(SimpluginError, LookupError):
    """No such collection, id, run, key."""


class AlreadyExists(SimpluginError):
    """It is there, and was not to be replaced."""


class Unimplemented(SimpluginError, NotImplementedError):
    """This backend cannot, and the core cannot instead."""


class DeadlineExceeded(SimpluginError, TimeoutError):
    """The call's timeout ran out."""


class Cancelled(SimpluginError):
    """The call was cancelled."""


class Busy(SimpluginError):
    """Somebody else holds what is needed."""


class ConnectionError_(SimpluginError, ConnectionError):  # noqa: N801
    """UNAVAILABLE: the server does not answer."""


class Unauthenticated(SimpluginError, PermissionError):
    """Credentials are missing or were refused."""


class PermissionDenied(SimpluginError, PermissionError):
    """Known, but not allowed to."""


class ResourceExhausted(SimpluginError):
    """A limit of the server's, or of the library's."""


class OutOfMemory(SimpluginError, MemoryError):
    """There was no memory."""


class IOError_(SimpluginError, OSError):  # noqa: N801
    """Reading or writing failed."""


class Corrupt(SimpluginError):
    """Stored data is damaged, or a copy is not the same."""


class ReadOnly(SimpluginError):
    """It cannot be written."""


class NoSpace(SimpluginError, OSError):
    """The disk or the quota is full."""


class VersionTooOld(SimpluginError):
    """The version of a server or a store is too old."""


class VersionTooNew(SimpluginError):
    """The version of a server or a store is too new."""


class StaleHandle(SimpluginError):
    """It is closed, or was never open."""


class Forked(SimpluginError):
    """It was opened by the parent process."""


class PromptUnsupported(SimpluginError):
    """A text query needs an embedding function: give ``embed=``."""


class DimensionMismatch(SimpluginError, ValueError):
    """The vectors have another dimension than the index."""


class Malformed(SimpluginError, ValueError):
    """A request that is too deep or too large, text that is not UTF-8."""


class ConfigError(SimpluginError):
    """A configuration file or value cannot be used."""


class UnknownMethod(SimpluginError):
    """No method of that name."""


class UnknownParameter(SimpluginError, ValueError):
    """The backend has no parameter of that name."""


class InternalError(SimpluginError):
    """A bug of the library's or of a backend's."""


class ProtocolError(SimpluginError):
    """A backend or server answered with nonsense."""


class LoaderError(SimpluginError):
    """A backend's plugin cannot be used; the code says which way."""


class Incompatible(LoaderError):
    """Library and plugin have no ABI version in common."""


class BackendUnknown(LoaderError):
    """There is no plugin of that name anywhere."""


class PluginUnsafe(LoaderError):
    """Others may write the plugin's file or one of its directories."""


_CLASSES: dict[str, type[SimpluginError]] = {
    "INVALID_ARGUMENT": InvalidArgument,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "UNIMPLEMENTED": Unimplemented,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "CANCELLED": Cancelled,
    "BUSY": Busy,
    "UNAVAILABLE": ConnectionError_,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "RESOURCE_EXHAUSTED": ResourceExhausted,
    "OUT_OF_MEMORY": OutOfMemory,
    "IO": IOError_,
    "CORRUPT": Corrupt,
    "READ_ONLY": ReadOnly,
    "NO_SPACE": NoSpace,
    "VERSION_TOO_OLD": VersionTooOld,
    "VERSION_TOO_NEW": VersionTooNew,
    "INCOMPATIBLE": Incompatible,
    "STALE_HANDLE": StaleHandle,
    "FORKED": Forked,
    "PROMPT_UNSUPPORTED": PromptUnsupported,
    "DIMENSION_MISMATCH": DimensionMismatch,
    "MALFORMED": Malformed,
    "CONFIG": ConfigError,
    "UNKNOWN_METHOD": UnknownMethod,
    "UNKNOWN_PARAMETER": UnknownParameter,
    "INTERNAL": InternalError,
    "PROTOCOL": ProtocolError,
    "BACKEND_UNKNOWN": BackendUnknown,
    "BACKEND_NAME": LoaderError,
    "PLUGIN_PATH": LoaderError,
    "PLUGIN_UNSAFE": PluginUnsafe,
    "PLUGIN_UNLOADABLE": LoaderError,
    "PLUGIN_NO_ENTRY": LoaderError,
    "PLUGIN_FOREIGN_ENTRY": LoaderError,
    "PLUGIN_BAD_TABLE": LoaderError,
    "PLUGIN_ENTRY_FAILED": LoaderError,
}


def _text(pointer: Any) -> str:
    return ffi.string(pointer).decode("utf-8", "replace")


def slot() -> Any:
    """Where the library may put an error, which is freed with this."""
    return ffi.gc(ffi.new("simplugin_error **"), lib.simplugin_error_free)


def from_library(code: int, error: Any) -> SimpluginError:
    """The exception for a code and the library's error, which stays the caller's."""
    name = _text(lib.simplugin_code_name(code))
    count = lib.simplugin_error_detail_count(error)
    return _CLASSES.get(name, SimpluginError)(
        _text(lib.simplugin_error_message(error, ffi.NULL)) or name,
        code=code,
        name=name,
        domain=_text(lib.simplugin_error_domain(error)),
        backend_code=lib.simplugin_error_backend_code(error),
        backend_message=_text(lib.simplugin_error_backend_message(error, ffi.NULL)),
        retryable=lib.simplugin_error_retryable(error) != 0,
        details=tuple(
            (_text(lib.simplugin_error_detail_key(error, i)), _text(lib.simplugin_error_detail_value(error, i)))
            for i in range(count)
        ),
    )
