# SPDX-License-Identifier: Apache-2.0
"""The server that tests/servers/qdrant.py starts. See there for what it is and is not.

__main__   serves, over HTTP/1.1 or HTTP/2
faults     what goes wrong on demand, around all else
app        the way of a request: authorization, route, body, endpoint, envelope
endpoints  a function for every endpoint
requests   what comes in, checked by models, the official client's
queries    queries and filters, from JSON to the engine's, and points from it to JSON
catalog    the collections and aliases
settings   a collection's configuration
shards     a collection's data
optimize   the process that builds its indexes
errors     as Qdrant words them
"""
