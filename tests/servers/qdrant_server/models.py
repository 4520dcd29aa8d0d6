# SPDX-License-Identifier: Apache-2.0
"""The models of the official client, without the client: a server that is restarted is waited for.

Importing qdrant_client loads gRPC and httpx first, which takes longer than all else here.
"""

import importlib
import importlib.util
import os
import sys
import types


def load():
    root = os.path.dirname(importlib.util.find_spec("qdrant_client").origin)
    for name in ("qdrant_client", "qdrant_client.http"):
        package = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = package
    return importlib.import_module("qdrant_client.http.models.models")


models = load()
