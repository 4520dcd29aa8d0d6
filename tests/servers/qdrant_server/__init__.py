# SPDX-License-Identifier: Apache-2.0
"""The server that tests/servers/qdrant.py starts. See there for what it is and is not.

__main__ serves, over HTTP/1.1 or HTTP/2; app is the way of a request; endpoints has a function
for each; requests checks what comes in, answers what goes out; filters and queries turn requests
into those of the engine; catalog keeps the collections, shards their data; settings are their configurations; optimize is
the process that builds indexes; faults is what goes wrong on demand.
"""
