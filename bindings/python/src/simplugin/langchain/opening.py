# SPDX-License-Identifier: Apache-2.0
"""How the index of a store is opened, or made where it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._call import Options
    from ..index import Index
    from ..session import Session


@dataclass(frozen=True)
class Opening:
    """Which index it is, and what it is made with."""

    backend: str | None = None
    brain_key: str | None = None
    dataset: str | None = None
    collection_name: str | None = None
    metric: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])

    def index(self, session: Session, parameters: Mapping[str, Any], **options: Unpack[Options]) -> Index:
        """The run of the brain key, the collection of that name, or a new one."""
        if self.brain_key is None:
            return self._make(session, parameters, **options)
        try:
            return self._run(session, parameters, **options)
        except NotFound:
            pass
        try:
            return self._make(session, parameters, **options)
        except AlreadyExists:  # made meanwhile, or its collection is gone, which opening it says
            return self._run(session, parameters, **options)

    def _make(self, session: Session, parameters: Mapping[str, Any], **options: Unpack[Options]) -> Index:
        return session.create_index(
            backend=self.backend,
            brain_key=self.brain_key,
            dataset=self.dataset,
            collection_name=self.collection_name,
            metric=self.metric,
            fields=self.fields or None,
            parameters=parameters or None,
            **options,
        )

    def _run(self, session: Session, parameters: Mapping[str, Any], **options: Unpack[Options]) -> Index:
        index = session.open_index(self.brain_key, dataset=self.dataset, parameters=parameters or None, **options)
        try:
            self._compare(session, index, **options)
        except BaseException:
            index.close()
            raise
        return index

    def _compare(self, session: Session, index: Index, **options: Unpack[Options]) -> None:
        """Refuses a run that is not as it was asked for; its collection is the one that counts."""
        described = session.describe(index.backend, **options)
        if self.backend is not None and session.describe(self.backend, **options)["name"] != described["name"]:
            raise ValueError(f"the run {self.brain_key!r} is on {index.backend}, not on {self.backend}")
        metric = described.get("metric_aliases", {}).get(self.metric, self.metric)
        if metric not in (None, index.metric):
            raise ValueError(f"the run {self.brain_key!r} has the metric {index.metric}, not {self.metric}")
