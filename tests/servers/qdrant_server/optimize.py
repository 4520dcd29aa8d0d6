# SPDX-License-Identifier: Apache-2.0
"""Builds the indexes of a shard that nobody else has open: a process of its own.

The engine holds Python's lock while it does so, and would keep the server from answering.
"""

import os
import sys

import qdrant_edge

if __name__ == "__main__":
    os.nice(5)
    shard = qdrant_edge.EdgeShard.load(sys.argv[1])
    print(int(shard.optimize()))
    shard.flush()
    shard.close()
