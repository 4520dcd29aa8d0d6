# SPDX-License-Identifier: Apache-2.0
"""Sessions, connections, runs and copies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Callable, Union

from ._call import Handle, Options, ask, call
from ._typing import Self, Unpack
from ._wire import Handled
from .index import Embed, Index
from .results import CopyState, Run

Path = Union[str, "os.PathLike[str]"]


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
        """Calls a method of the backend: those of docs/protocol.md's backend protocol, and ``native.*``.

        Args:
            method: its name
            body (None): of the request; may hold numpy arrays, ``Column`` and ``Ids``
        """
        return ask(self.handle, "backend.call", {"method": method, "body": body}, options)


class Copy(Handle):
    """The points of an index on their way into another: an iterator of steps of about a second.

    Each gives what it answers, the last that the copy is done; then it closes. A loop that is left before may be gone
    on with by another, and a copy that was closed before by the same ``open_copy``.
    """

    __slots__ = ("index", "losses", "options", "resumed", "state", "total")

    def __init__(self, reply: Mapping[str, Any], owner: Handle, options: Options) -> None:
        super().__init__(reply["copy"], owner)
        self.options = options
        """Those of each step of a loop."""
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
        """One step, with options of its own."""
        state: CopyState = call(self.handle, "copy.next", None, options)  # type: ignore[assignment]  # pyright: ignore
        self.state = state
        return state

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> CopyState:
        if self.done:
            self.close()
            raise StopIteration
        return self.next(**self.options)


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
        """The records.

        Args:
            dataset (None): of this one only
            where (None): configuration values that must be equal, such as ``{"supports_prompts": True}``
        """
        runs: list[Any] = ask(self._session.handle, "runs.list", {"dataset": dataset, "where": where}, options)["runs"]
        return runs

    def info(self, brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]) -> Run:
        """What was recorded.

        Args:
            brain_key: of the run
            dataset ("default"): of the run
        """
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
        """Opens the index of a run.

        Args:
            brain_key: of the run
            dataset ("default"): of the run
            parameters (None): credentials, and settings for this session
            embed (None): makes vectors of texts, for ``search(text=...)``
        """
        body = {"dataset": dataset, "brain_key": brain_key, "parameters": parameters}
        return Index(ask(self._session.handle, "runs.load", body, options), self._session, embed)

    def rename(
        self, brain_key: str, new_brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]
    ) -> None:
        """Gives a run another key.

        Args:
            brain_key: of the run
            new_brain_key: the other
            dataset ("default"): of the run
        """
        body = {"dataset": dataset, "brain_key": brain_key, "new_brain_key": new_brain_key}
        ask(self._session.handle, "runs.rename", body, options)

    def delete(self, brain_key: str, *, dataset: str | None = None, **options: Unpack[Options]) -> None:
        """Deletes the record; its collection stays.

        Args:
            brain_key: of the run
            dataset ("default"): of the run
        """
        ask(self._session.handle, "runs.delete", {"dataset": dataset, "brain_key": brain_key}, options)


class Session(Handle):
    """A configuration of its own; what it opened closes with it: calls in that go on to their end.

    The functions of the package are the methods of a default session, which follows the environment and the brain
    configuration file.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        config_path: Path | None = None,
        plugin_path: Path | Sequence[Path] | None = None,
        data_dir: Path | None = None,
        environment: Mapping[str, str] | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Opens it.

        Args:
            config_path (None): a file that is read instead of the brain configuration file
            plugin_path (None): a directory or several, absolute, that are searched for backends before any other
            data_dir (None): an absolute directory instead of ``$SIMPLUGIN_DATA``
            environment (None): variables that are read instead of the process's
        """
        if isinstance(plugin_path, (str, bytes, os.PathLike)):
            plugin_path = [plugin_path]
        body = {
            "config_path": None if config_path is None else os.fsdecode(config_path),
            "plugin_path": None if plugin_path is None else [os.fsdecode(path) for path in plugin_path],
            "data_dir": None if data_dir is None else os.fsdecode(data_dir),
            "environment": environment,
        }
        super().__init__(ask(0, "session.open", body, options)["session"])

    @property
    def runs(self) -> Runs:
        """The records of brain runs."""
        return Runs(self)

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

        Args:
            backend (None): its name; None: the configured one
            brain_key (None): of the run; None: none is recorded
            dataset ("default"): of the run
            collection_name (None): the collection; None: a new name
            metric (None): one of the backend's, such as ``cosine``, ``dotproduct`` or ``euclidean``
            dimension (None): numbers in a vector; None: that of the first ``add``
            patches_field (None): the points are labels of that field, and each has a sample id
            model (None): what makes the vectors; for those who ask
            supports_prompts (None): whether it takes texts; for those who ask
            fields (None): column types by name, for backends that want them declared
            parameters (None): the backend's own
            overwrite (False): replaces the record of a run of that key; its collection stays
            embed (None): makes vectors of texts, for ``search(text=...)``
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
        """Opens a recorded run by its brain key, or any collection by its backend and name.

        Args:
            brain_key (None): of the run
            dataset ("default"): of the run
            backend (None): or the name of a backend
            collection_name (None): and its collection
            parameters (None): credentials, and settings for this session
            embed (None): makes vectors of texts, for ``search(text=...)``
        """
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
        """Connects to a backend, without an index.

        Args:
            backend (None): its name; None: the configured one
            parameters (None): the backend's own
        """
        return Connection(
            ask(self.handle, "connection.open", {"backend": backend, "parameters": parameters}, options), self
        )

    # ---- copies ----

    def open_copy(
        self,
        source: Handled,
        target: Mapping[str, Any],
        *,
        verify: str | None = None,
        sample_size: int | None = None,
        resume: bool | None = None,
        batch_bytes: int | None = None,
        mixed_fields: str | None = None,
        **options: Unpack[Options],
    ) -> Copy:
        """A copy whose steps the caller makes; the options are those of each step as well.

        Args:
            source: an open index
            target: keywords of ``create_index`` but ``dimension``, and ``merge``: whether points go beside those there
            verify ("sample"): what is read again and compared: ``none``, ``sample`` or ``all``
            sample_size (1000): points of the sample
            resume (True): False begins anew what an earlier copy has begun
            batch_bytes (32 MiB): bytes that are read at a time
            mixed_fields ("fail"): what a value of another type than its field's means: ``fail``, or ``skip`` it
        """
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
        source: Handled,
        target: Mapping[str, Any],
        *,
        mixed_fields: str | None = None,
        **options: Unpack[Options],
    ) -> dict[str, Any]:
        """What the copy would do and lose; nothing is made or written.

        Args:
            source: an open index
            target: as for ``open_copy``
            mixed_fields ("fail"): as for ``open_copy``
        """
        body = {"source": source, "target": target, "dry_run": True, "mixed_fields": mixed_fields}
        return ask(self.handle, "copy.open", body, options)

    def copy(
        self,
        source: Handled,
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

        What ``each`` raises ends the copy, as do ``cancel`` and Ctrl-C; the same call goes on where one ended. The
        timeout is that of each step.

        Args:
            source: an open index
            target: keywords of ``create_index`` but ``dimension``, and ``merge``: whether points go beside those there
            each (None): called with the state after each step, of about a second
            verify ("sample"): what is read again and compared: ``none``, ``sample`` or ``all``
            sample_size (1000): points of the sample
            resume (True): False begins anew what an earlier copy has begun
            batch_bytes (32 MiB): bytes that are read at a time
            mixed_fields ("fail"): what a value of another type than its field's means: ``fail``, or ``skip`` it
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
        """The backend and the parameters that are in effect, secrets masked.

        Args:
            backend (None): its name; None: the configured one
            parameters (None): as a call would give them
        """
        return ask(self.handle, "config.resolve", {"backend": backend, "parameters": parameters}, options)

    def explain(
        self,
        backend: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        load: bool | None = None,
        **options: Unpack[Options],
    ) -> dict[str, Any]:
        """Every value of the configuration with where it comes from, and the plugin's file. Connects nowhere.

        Args:
            backend (None): its name; None: the configured one
            parameters (None): as a call would give them
            load (True): whether the plugin may be loaded, to ask what it declares
        """
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
