# SPDX-License-Identifier: Apache-2.0
"""Where FiftyOne lives in these tests: what its processes have in their environment.

Call enter() before FiftyOne is imported; what the process then starts, such as the App's server, inherits
all of it. The database is the one of tests/servers/mongodb.py.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ADAPTERS = os.path.dirname(HERE)
DATABASE = "SIMPLUGIN_TEST_MONGODB_URI"
CAPTIONS = "SIMPLUGIN_TEST_CAPTIONS"


class NoDatabaseError(Exception):
    """No MongoDB was started for the tests."""


def environment(folder: str) -> dict[str, str]:
    """What FiftyOne needs to keep everything in `folder` and to leave the network alone."""
    if not os.environ.get(DATABASE):
        raise NoDatabaseError(f"{DATABASE} names no server: run this under tests/servers/mongodb.py")

    def inside(*names: str) -> str:
        return os.path.join(folder, *names)

    path = [HERE, ADAPTERS, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "FIFTYONE_DATABASE_URI": os.environ[DATABASE],
        # several runs may share a server
        "FIFTYONE_DATABASE_NAME": f"simplugin-{os.getpid()}",
        "FIFTYONE_DATABASE_DIR": inside("database"),
        # MongoDB 6.0 is supported; this is about a notice at each start that it will not be for ever
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_CONFIG_PATH": inside("config.json"),
        "FIFTYONE_APP_CONFIG_PATH": inside("app_config.json"),
        "FIFTYONE_ANNOTATION_CONFIG_PATH": inside("annotation_config.json"),
        "FIFTYONE_EVALUATION_CONFIG_PATH": inside("evaluation_config.json"),
        "FIFTYONE_BRAIN_CONFIG_PATH": inside("brain_config.json"),
        "FIFTYONE_DEFAULT_DATASET_DIR": inside("datasets"),
        "FIFTYONE_DATASET_ZOO_DIR": inside("zoo"),
        "FIFTYONE_MODEL_ZOO_DIR": inside("models"),
        "FIFTYONE_PLUGINS_DIR": inside("plugins"),
        "FIFTYONE_MODEL_ZOO_MANIFEST_PATHS": os.path.join(HERE, "zoo_manifest.json"),
        "FIFTYONE_MODULE_PATH": "zoo_precedence",
        "FIFTYONE_DO_NOT_TRACK": "1",
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "MPLCONFIGDIR": inside("matplotlib"),
        "HOME": inside("home"),
        "XDG_CACHE_HOME": inside("home", ".cache"),
        "XDG_CONFIG_HOME": inside("home", ".config"),
        "XDG_DATA_HOME": inside("home", ".local", "share"),
        "XDG_STATE_HOME": inside("home", ".local", "state"),
        "SIMPLUGIN_DATA": inside("simplugin"),
        CAPTIONS: inside("captions.json"),
    }


def enter(folder: str) -> None:
    """Makes this process, and those it starts, live in `folder`."""
    if "fiftyone" in sys.modules:
        raise RuntimeError("FiftyOne has read its environment already")
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        del os.environ[name]
    os.environ.update(environment(folder))
    os.makedirs(os.environ["HOME"], exist_ok=True)
    os.makedirs(os.environ["SIMPLUGIN_DATA"], mode=0o700, exist_ok=True)
    for entry in (ADAPTERS, HERE):
        if entry not in sys.path:
            sys.path.insert(0, entry)
