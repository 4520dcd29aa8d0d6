# SPDX-License-Identifier: Apache-2.0
"""Lets a model of FIFTYONE_MODEL_ZOO_MANIFEST_PATHS stand in for one of FiftyOne's own zoo.

FiftyOne keeps the first model of a name and warns of others. It imports this by FIFTYONE_MODULE_PATH, before
its zoo: in every process that has our environment, the App's server too.
"""

from eta.core.models import ModelsManifest


def merge(self: ModelsManifest, other: ModelsManifest, error_level: int = 0) -> None:
    """As ModelsManifest.merge, but the later model of a name is kept."""
    names = {model.name for model in other}
    self.models = [model for model in self.models if model.name not in names]
    for model in other:
        self.add_model(model, error_level=error_level)


ModelsManifest.merge = merge
