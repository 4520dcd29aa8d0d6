# SPDX-License-Identifier: Apache-2.0
"""How relevant a distance is: from 1, the same, to 0, the opposite.

Vectors of length 1 have the same relevance under cosine, euclidean and dotproduct: (1 + cos) / 2. What longer vectors
have beyond that is 0 or 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Relevance:
    """A falling function of the distance, and the other way round."""

    of: Callable[[float], float]
    """Of a distance, before it is cut to 0..1."""
    farthest: Callable[[float], float]
    """The distance that has it; for what is above 0, and 1 at most."""

    def __call__(self, distance: float) -> float:
        """The relevance of a distance."""
        return min(max(self.of(distance), 0.0), 1.0)

    def limit(self, relevance: float) -> float:
        """A distance that no point of that relevance exceeds, with a little room for rounding."""
        if relevance <= 0:
            return math.inf
        distance = self.farthest(min(relevance, 1.0))
        return distance + 1e-6 * max(1.0, abs(distance))


_COSINE = Relevance(lambda d: 1 - d / 2, lambda r: 2 * (1 - r))
_METRICS = {
    "cosine": _COSINE,
    "correlation": _COSINE,
    "dotproduct": Relevance(lambda d: (1 - d) / 2, lambda r: 1 - 2 * r),
    "euclidean": Relevance(lambda d: 1 - d * d / 4, lambda r: 2 * math.sqrt(1 - r)),
    "sqeuclidean": Relevance(lambda d: 1 - d / 4, lambda r: 4 * (1 - r)),
}
_OTHER = Relevance(lambda d: 1 / (1 + d), lambda r: 1 / r - 1)


def for_metric(metric: str | None) -> Relevance:
    """That of a metric."""
    return _METRICS.get(metric or "cosine", _OTHER)
