# SPDX-License-Identifier: Apache-2.0
"""Sessions, connections, runs and copies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from ._call import Handle, Options, ask, call
from .index import Embed, Index
from .results import CopyState, Run

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack


class Connection(Handle):
    """One backend, without an index; made by ``connect``."""

    __slots__ = ("backend",)

    def __init__(self, reply: Mapping[str, Any], owner: Handle) -> None:
        super().__init__(reply["connection"], owner)
        self.backend: str = reply["backend"]

    def health(self, **options: Unpack[Options]) -> dict[str, Any]:
        """Asks the backend, which answers with its version."""
        return call(self.handle, "health", None, options)

    def backend_call(
        self, method: str, body: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> dict[str, Any]:
        """Calls a method of the backend: those of docs/protocol.md's backend protocol, and ``native.*``."""
        return ask(self.handle, "backend.call", {"method": method, "body": body}, options)


class Copy(Handle):
    """The points of an index on their way into another: a loop of steps of about a second.

    Iterating makes the steps, and gives what each answers, until the copy is done. One that is left before is gone on
    with by the same ``open_copy``.
    """

    __slots__ = ("index", "losses", "options", "resumed", "state", "total")

    def __init__(self, reply: Mapping[str, Any], owner: Handle, options: Options) -> None:
        super().__init__(reply["copy"], owner)
        self.options = options
        self.index = Index(reply, owner)
        """The target; it stays open when the copy is closed."""
        self.total: int = reply["total"]
        self.resumed: int = reply["resumed"]
        """Points that an earlier copy had written."""
        self.losses: list[dict[str, Any]] = reply["losses"]
        """What cannot be kept."""
        self.state: CopyState | None = None
        """What the last step answered."""

    @property
    def done(self) -> bool:
        """Whether all is copied and compared."""
        return self.state is not None and self.state["phase"] == "done"

    def next(self, **options: Unpack[Options]) -> CopyState:
        """One step."""
        state: CopyState = call(self.handle, "copy.next", None, options)  # type: ignore[assignment]  # pyright: ignore
        self.state = state
        return state

    def __iter__(self) -> Iterator[CopyState]:
        with self:
            while not self.done:
                yield self.next(**self.options)


@dataclass(frozen=True)
class Copied:
    """What ``copy`` returns."""

    index: Index
    """The target."""
    state: CopyState
    """What the last step answered; its ``differences`` is 0 if both sides are the same."""


class Runs:
    """The records of brain runs, by dataset (``"default"``) and brain key."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self, dataset: str | None = None, *, where: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> list[Any]:
        """All of a dataset, or of all; where: configuration values that must be equal."""
        runs: list[Any] = ask(self._session.handle, "runs.list", {"dataset": dataset, "where": where}, options)["runs"]
        return runs

    def info(self, brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]) -> Run:
        """What was recorded."""
        body = {"dataset": dataset, "brain_key": brain_key}
        return ask(self._session.handle, "runs.info", body, options)  # type: ignore[return-value]  # pyright: ignore

    def load(
        self,
        brain_key: str,
        *,
        dataset: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        embed: Embed | None = None,
        **options: Unpack[Options],
    ) -> Index:
        """Opens the index of a run."""
        body = {"dataset": dataset, "brain_key": brain_key, "parameters": parameters}
        return Index(ask(self._session.handle, "runs.load", body, options), self._session, embed)

    def rename(
        self, brain_key: str, new_brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]
    ) -> None:
        """Gives a run another key."""
        body = {"dataset": dataset, "brain_key": brain_key, "new_brain_key": new_brain_key}
        ask(self._session.handle, "runs.rename", body, options)

    def delete(self, brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]) -> None:
        """Deletes the record; its collection stays."""
        ask(self._session.handle, "runs.delete", {"dataset": dataset, "brain_key": brain_key}, options)


class Session(Handle):
    """A configuration of its own; what it opened closes with it.

    The functions of the package are the methods of a default session, which follows the environment and the brain
    configuration file.
    """

    __slots__ = ("runs",)

    def __init__(
        self,
        *,
        config_path: str | os.PathLike[str] | None = None,
        plugin_path: Sequence[str | os.PathLike[str]] | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> None:
        """config_path: instead of the brain configuration file; environment: instead of the process's."""
        body = {
            "config_path": None if config_path is None else os.fspath(config_path),
            "plugin_path": None if plugin_path is None else [os.fspath(path) for path in plugin_path],
            "data_dir": None if data_dir is None else os.fspath(data_dir),
            "environment": environment,
        }
        super().__init__(ask(0, "session.open", body, options)["session"])
        self.runs = Runs(self)
        """The records of brain runs."""

    # ---- indexes ----

    def create_index(
        self,
        *,
        backend: str | None = None,
        brain_key: str | None = None,
        dataset: str | None = None,
        collection_name: str | None = None,
        metric: str | None = None,
        dimension: int | None = None,
        patches_field: str | None = None,
        model: str | None = None,
        supports_prompts: bool | None = None,
        fields: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        overwrite: bool | None = None,
        embed: Embed | None = None,
        **options: Unpack[Options],
    ) -> Index:
        """Makes a collection, or connects to that of ``collection_name``; recorded as a run under ``brain_key``.

        fields: column types by name, for backends that want them declared. parameters: the backend's own. embed: makes
        vectors of texts for ``search(text=...)``.
        """
        body = {
            "backend": backend,
            "brain_key": brain_key,
            "dataset": dataset,
            "collection_name": collection_name,
            "metric": metric,
            "dimension": dimension,
            "patches_field": patches_field,
            "model": model,
            "supports_prompts": supports_prompts,
            "fields": fields,
            "parameters": parameters,
            "overwrite": overwrite,
        }
        return Index(ask(self.handle, "index.create", body, options), self, embed)

    def open_index(
        self,
        brain_key: str | None = None,
        *,
        dataset: str | None = None,
        backend: str | None = None,
        collection_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        embed: Embed | None = None,
        **options: Unpack[Options],
    ) -> Index:
        """Opens a recorded run by its brain key, or any collection by its backend and name."""
        body = {
            "brain_key": brain_key,
            "dataset": dataset,
            "backend": backend,
            "collection_name": collection_name,
            "parameters": parameters,
        }
        return Index(ask(self.handle, "index.open", body, options), self, embed)

    def connect(
        self, backend: str | None = None, parameters: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> Connection:
        """Connects to a backend, without an index."""
        return Connection(
            ask(self.handle, "connection.open", {"backend": backend, "parameters": parameters}, options), self
        )

    # ---- copies ----

    def open_copy(
        self,
        source: Index,
        target: Mapping[str, Any],
        *,
        verify: str | None = None,
        sample_size: int | None = None,
        resume: bool | None = None,
        batch_bytes: int | None = None,
        mixed_fields: str | None = None,
        **options: Unpack[Options],
    ) -> Copy:
        """A copy whose steps the caller makes. target: the keys of ``create_index``, and ``merge``."""
        body = {
            "source": source,
            "target": target,
            "verify": verify,
            "sample_size": sample_size,
            "resume": resume,
            "batch_bytes": batch_bytes,
            "mixed_fields": mixed_fields,
        }
        return Copy(ask(self.handle, "copy.open", body, options), self, options)

    def copy_dry_run(
        self,
        source: Index,
        target: Mapping[str, Any],
        *,
        mixed_fields: str | None = None,
        **options: Unpack[Options],
    ) -> dict[str, Any]:
        """What the copy would do and lose; nothing is made or written."""
        body = {"source": source, "target": target, "dry_run": True, "mixed_fields": mixed_fields}
        return ask(self.handle, "copy.open", body, options)

    def copy(
        self,
        source: Index,
        target: Mapping[str, Any],
        *,
        each: Callable[[CopyState], object] | None = None,
        verify: str | None = None,
        sample_size: int | None = None,
        resume: bool | None = None,
        batch_bytes: int | None = None,
        mixed_fields: str | None = None,
        **options: Unpack[Options],
    ) -> Copied:
        """Copies every point of an index into a collection of any backend, and compares them.

        target: keys of ``create_index``, and ``merge``. each: called with the state after each step, of about a second;
        what it raises ends the copy, as do ``cancel`` and Ctrl-C. The same call goes on where one ended. The timeout is
        that of each step.
        """
        with self.open_copy(
            source,
            target,
            verify=verify,
            sample_size=sample_size,
            resume=resume,
            batch_bytes=batch_bytes,
            mixed_fields=mixed_fields,
            **options,
        ) as work:
            try:
                while True:
                    state = work.next(**options)
                    if each is not None:
                        each(state)
                    if work.done:
                        return Copied(work.index, state)
            except BaseException:
                work.index.close()
                raise

    # ---- configuration ----

    def resolve(
        self, backend: str | None = None, parameters: Mapping[str, Any] | None = None, **options: Unpack[Options]
    ) -> dict[str, Any]:
        """The backend and the parameters that are in effect, secrets masked."""
        return ask(self.handle, "config.resolve", {"backend": backend, "parameters": parameters}, options)

    def explain(
        self,
        backend: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        load: bool | None = None,
        **options: Unpack[Options],
    ) -> dict[str, Any]:
        """Every value of the configuration with where it comes from, and the plugin's file. Connects nowhere."""
        body = {"backend": backend, "parameters": parameters, "load": load}
        return ask(self.handle, "config.explain", body, options)

    def backends(self, **options: Unpack[Options]) -> dict[str, Any]:
        """The backends that are installed, and the default one's name."""
        return call(self.handle, "backends.list", None, options)

    def describe(self, backend: str, **options: Unpack[Options]) -> dict[str, Any]:
        """What a backend is and can do."""
        return ask(self.handle, "backends.describe", {"backend": backend}, options)

    def metrics(self, **options: Unpack[Options]) -> str:
        """Calls, errors, latencies and bytes by backend and method, in Prometheus' text format."""
        text: str = call(self.handle, "metrics.render", None, options)["text"]
        return text

    def __enter__(self) -> Self:
        return self


class DefaultSession(Session):
    """Handle 0, which is always open."""

    __slots__ = ()

    def __init__(self) -> None:
        self.handle = 0
        self._owner = None
        self.runs = Runs(self)

    def close(self) -> None:
        """Does nothing."""

    @property
    def closed(self) -> bool:
        """False."""
        return False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        pass


default_session = DefaultSession()
"""The session of the package's functions."""
