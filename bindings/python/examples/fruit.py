# SPDX-License-Identifier: Apache-2.0
"""Which fruit is most like a pear, and is not purple?"""

import simplugin

with simplugin.create_index(metric="cosine") as index:
    index.add(
        ["apple", "pear", "plum"],
        [[1, 0], [0.9, 0.1], [0, 1]],
        fields={"color": ["red", "green", "purple"]},
    )
    hits = index.search([[0.9, 0.1]], k=2, filter='color != "purple"')
    for id, distance in zip(hits.ids, hits.distances):
        print(f"{id} {distance:.3f}")
    index.cleanup()
