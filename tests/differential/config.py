# SPDX-License-Identifier: Apache-2.0
"""Runs the same configurations through FiftyOne's BrainConfig and through simplugin.

    config.py DRIVER [--cases N] [--seed N]

DRIVER is the program built from config_driver.c; the packages of requirements.txt are
installed. Every answer must be the same, or differ in one of the ways that DIFFERENCES
names, and then exactly as it says. Exits with 1 if one does not.
"""

import argparse
import collections
import copy
import importlib
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import types
from unittest import mock

DIFFERENCES = {
    "text": "a value that the backend declares as text stays text",
    "default": "an unknown default backend is an error, never another backend",
    "sklearn": "sklearn and sklearn_flat are one backend",
    "strict": "strict JSON: what it cannot write is refused, with its place",
}

# What eta imports beside the configuration: archives, pickles and arrays.
UNUSED = (
    "dateutil dateutil.parser dill glob2 jsonlines numpy packaging packaging.requirements "
    "py7zr pytz rarfile"
).split()


def import_brain_config():
    """The real fiftyone.brain.config on eta's real EnvConfig, without the rest of FiftyOne."""
    for name in UNUSED:
        sys.modules[name] = mock.MagicMock(name=name)
    import eta.core.config as eta_config

    root = os.path.join(sysconfig.get_paths()["purelib"], "fiftyone")
    paths = {"fiftyone": [root], "fiftyone.core": [], "fiftyone.brain": [root + "/brain"]}
    for name, path in paths.items():
        module = types.ModuleType(name)
        module.__path__ = path
        sys.modules[name] = module
    # fiftyone.core.config adds a __repr__ to this class, and imports a database client.
    core_config = types.ModuleType("fiftyone.core.config")
    core_config.EnvConfig = type("EnvConfig", (eta_config.EnvConfig,), {})
    sys.modules["fiftyone.core.config"] = core_config
    return importlib.import_module("fiftyone.brain.config")


# ---- cases ---------------------------------------------------------------------------

PREFIX = "FIFTYONE_BRAIN_SIMILARITY_"
BACKENDS = "FIFTYONE_BRAIN_SIMILARITY_BACKENDS"
DEFAULT = "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND"
UNSUPPORTED = "unsupported backend"
BUILTIN = (
    "elasticsearch lancedb milvus mongodb mosaic pgvector pinecone qdrant redis sklearn"
).split()
CUSTOM = ["mine", "qdrant_cloud", "milvus_lite", "x", "sklearn_flat", "b_2"]
PARAMETERS = (
    "uri user password url api_key metric collection_name consistency_level shard_number "
    "replication_factor on_disk hnsw_config timeout index cloud_url"
).split()

NUMBERS = """0 7 -3 +5 0042 1_000 1__0 _1 1_ 0x10 1e5 1E-3 .5 5. . -.5e+2 1_0.2_5 1_.5 1._5 -0 -0.0
00.10 9223372036854775807 -9223372036854775808 1e400 -1e999 1e-400 9223372036854775808
18446744073709551616 -9223372036854775809 nan -NaN inf +Infinity infinit 1e 1e+ e5 1.2.3 --1 +-1
0b1 1L 1j 12345678901234567890123456789012345678901234567890 3.141592653589793 0.1 1e22 5e-324
2.2250738585072011e-308 1.7976931348623157e308 1.7976931348623159e308""".split()
# Spaces and digits that Python's int() and float() take, and look-alikes that they do not.
NUMBERS += [" 12 ", "\t-7\n", " 1 2", "\u0663\u0664", "\uff11\uff12.\uff15", "\u00a05", "5\u2003",
            "\u2007-\u0967\u0966e\u0968", "\u00b2", "\u2160", "5\u200b", "\x1c5", "1\u066b5"]
WORDS = ["True", "true", "TRUE", "False", "false", "None", "none", "null", "", " ", "yes", "no",
         "on", " true", "cosine", "Strong", "http://localhost:19530", "localhost:6333", "s3cr3t!",
         "a b", "\u00fc\u00f1\u00ee", "\U0001f600", "{}", '{"m": 16}', "[1]", '"quoted"', "a=b",
         "a:b", "'", "\\n", "*"]
LISTS = ["a,b", "1,2,3", "1, 2", ",", "a,", ",,", "1,x,2.5,True,None,", "0042,7", "[1,2]",
         '{"m": 16, "n": 2}', "a,1e400", "\u0661,\u0662", "true,false", "1,99999999999999999999"]
SCALARS = [None, True, False, 0, 1, -5, 2**31, 2**53, 2**63 - 1, -(2**63), 0.0, 1.0, -2.5, 1e-9,
           1e300, "", "text", "0042", "None", "\u00fc", "a,b", "http://localhost:6333"]
NESTED = [{}, [], {"m": 16, "on_disk": None}, [1, "a", None, [2.5]], {"a": {"b": {"c": [True]}}},
          {"payload_m": None, "full_scan_threshold": 10000}]
# File contents that JSON, or simplugin's reading of it, refuses; FiftyOne takes some.
TEXTS = [
    '{"similarity_backends": {"milvus": {"uri": "x",}}}',
    '{"similarity_backends": {"milvus": {"list": [1, 2,\n ]}}}',
    "{,}", "", " ", "\n\n", "{", "[]", "[1]", "5", '"text"', "null", "true", "{} {}", "{'a': 1}",
    "// comment\n{}", '{"a": 1 // b\n}', "{\"a\": 01}", '{"a": .5}', '{"a": +1}', '{"a": tru}',
    "\ufeff{}", '{"a": "\t"}', '{"a": "\\x41"}', '{"a": "\\u12"}', "{a: 1}", '{"a" 1}', '{"a":}',
    '{"similarity_backends": {"milvus": {"n": NaN}}}',
    '{"similarity_backends": {"milvus": {"n": -Infinity}}}',
    '{"similarity_backends": {"qdrant": {"n": 9223372036854775808}}}',
    '{"similarity_backends": {"qdrant": {"n": 1e999}}}',
    '{"similarity_backends": {"qdrant": {"n": "\\ud800"}}}',
    '{"similarity_backends": {"qdrant": {"n": "a\\u0000b"}}}',
    '{"a": ' + "[" * 100 + "]" * 100 + "}",
    '{"similarity_backends": null}', '{"similarity_backends": []}', '{"similarity_backends": "x"}',
    '{"similarity_backends": 5}', '{"similarity_backends": {"milvus": null}}',
    '{"similarity_backends": {"qdrant": 5}}', '{"similarity_backends": {"sklearn": []}}',
    '{"similarity_backends": {"mine": 5}}', '{"similarity_backends": {"mine": null}}',
    '{"default_similarity_backend": 5}', '{"default_similarity_backend": []}',
    '{"default_similarity_backend": true}', '{"default_similarity_backend": null}',
    '{"default_similarity_backend": ""}',
    '{"default_similarity_backend": "milvus", "default_similarity_backend": "qdrant"}',
    '{"similarity_backends": {"milvus": {"uri": 1, "uri": 2}, "milvus": {"uri": 3}}}',
    '{"similarity_backends": {"milvus": {"\\u0075ri": "escaped", "n": 1E3, "z": -0}}}',
    '{"similarity_backends": {"milvus": {"": 1, "config_cls": "a.b.C", "UPPER": 1}}}',
]


def random_value(rng):
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(NUMBERS)
    if kind < 0.8:
        return rng.choice(WORDS)
    return rng.choice(LISTS)


def random_json(rng):
    return copy.deepcopy(rng.choice(SCALARS if rng.random() < 0.7 else NESTED))


def random_backend(rng):
    return rng.choice(BUILTIN if rng.random() < 0.7 else CUSTOM)


def random_file(rng):
    """Text of a configuration file, or None for no file."""
    if rng.random() < 0.25:
        return None
    if rng.random() < 0.1:
        return rng.choice(TEXTS)
    root = {}
    if rng.random() < 0.4:
        root["default_similarity_backend"] = rng.choice(
            [random_backend(rng), random_backend(rng), "nonesuch", "Milvus", "../x", "", None]
        )
    if rng.random() < 0.85:
        sections = {}
        for _ in range(rng.randrange(4)):
            sections[random_backend(rng)] = {
                rng.choice(PARAMETERS + ["config_cls"]): random_json(rng)
                for _ in range(rng.randrange(4))
            }
        root["similarity_backends"] = sections
    if rng.random() < 0.2:
        root["default_visualization_method"] = "umap"
        root["unrelated"] = {"any": ["thing"]}
    return json.dumps(root, indent=rng.choice([None, 2]), ensure_ascii=rng.random() < 0.5)


def random_variable(rng, backend):
    name = rng.choice(PARAMETERS)
    name = rng.choice([name.upper()] * 6 + [name, name.title(), "config_cls".upper(), ""])
    return PREFIX + backend.upper() + "_" + name


def random_environment(rng, backend):
    environment = {}
    if rng.random() < 0.3:
        environment[DEFAULT] = rng.choice(
            [random_backend(rng), random_backend(rng), "", "nonesuch", "MILVUS", " milvus", "a/b"]
        )
    if rng.random() < 0.3:
        names = [rng.choice(["*", random_backend(rng), random_backend(rng), "", " x", "Mine"])
                 for _ in range(rng.randrange(4))]
        if rng.random() < 0.8:
            names.append(backend)
        environment[BACKENDS] = ",".join(names)
    for _ in range(rng.randrange(6)):  # more often than not of the backend that is asked for
        target = backend if rng.random() < 0.7 else random_backend(rng)
        environment[random_variable(rng, target)] = random_value(rng)
    if rng.random() < 0.2:
        environment["FIFTYONE_BRAIN_SIMILARITY"] = "x"
        environment["FIFTYONE_BRAIN_VISUALIZATION_UMAP_N"] = "5"
        environment[PREFIX + backend.upper()] = "x"
        environment[PREFIX.lower() + backend + "_uri"] = "x"
    names = list(environment)
    rng.shuffle(names)
    return {name: environment[name] for name in names}


def root_of(case):
    """What the file holds, as far as it can be read."""
    try:
        root = json.loads(case["file"] or "{}")
    except ValueError:
        root = {}
    return root if isinstance(root, dict) else {}


def sections_of(case):
    sections = root_of(case).get("similarity_backends")
    if not isinstance(sections, dict):
        return {}
    return {name: section for name, section in sections.items() if isinstance(section, dict)}


def random_case(rng, number):
    backend = random_backend(rng)
    case = {
        "number": number,
        "file": random_file(rng),
        "place": rng.choice(["home", "named", "named", "named"]),
        "environment": random_environment(rng, backend),
        "backend": None if rng.random() < 0.3 else backend,
        "arguments": {},
        "declares": rng.random() < 0.5,
        "process": rng.random() < 0.2,
        "texts": [],
    }
    if rng.random() < 0.3:
        case["arguments"] = {
            rng.choice(PARAMETERS): random_json(rng) for _ in range(rng.randrange(1, 3))
        }
    if case["declares"]:
        # Other than text where text is declared, and what is not declared, are errors of
        # simplugin's that FiftyOne's configuration has nothing to be compared with.
        for name in (backend, "sklearn", "sklearn_flat"):
            case["environment"].pop(PREFIX + name.upper() + "_", None)
        values = [case["arguments"], *sections_of(case).values()]
        case["texts"] = [
            name for name in rng.sample(PARAMETERS, 5)
            if all(isinstance(section.get(name), (str, type(None))) for section in values)
        ]
    if case["file"] is None:
        case["place"] = rng.choice(["absent", "home", "directory", "device", "nothing"])
    return case


def fixed_cases():
    """Every listed value, alone, as what it is and as text; every listed file, used and not."""
    def case(**changes):
        made = {"file": None, "place": "absent", "environment": {}, "backend": "milvus",
                "arguments": {}, "declares": False, "process": False, "texts": []}
        made.update(changes)
        return made

    for value in NUMBERS + WORDS + LISTS:
        environment = {PREFIX + "MILVUS_PASSWORD": value}
        yield case(environment=environment)
        yield case(environment=environment, declares=True, texts=["password"], process=True)
    for text in TEXTS:
        for backend in ("milvus", "qdrant", "mine", None):
            yield case(file=text, place="named", backend=backend)


# ---- both sides ----------------------------------------------------------------------


def write_file(case, folder):
    """Puts the file where the case says and returns the environment that leads to it."""
    path = None
    home = os.path.join(folder, "home")
    if case["place"] == "home":
        path = os.path.join(home, ".fiftyone", "brain_config.json")
    elif case["place"] in ("named", "absent"):
        path = os.path.join(folder, "named_brain_config.json")
    os.makedirs(os.path.join(home, ".fiftyone"), exist_ok=True)
    for old in (os.path.join(home, ".fiftyone", "brain_config.json"),
                os.path.join(folder, "named_brain_config.json")):
        if os.path.exists(old):
            os.unlink(old)
    if case["file"] is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(case["file"])
    environment = {"HOME": home}
    named = {"named": path, "absent": path, "directory": folder, "device": "/dev/null",
             "nothing": ""}
    if case["place"] in named:
        environment["FIFTYONE_BRAIN_CONFIG_PATH"] = named[case["place"]]
    environment.update(case["environment"])
    return environment


def ask_fiftyone(brain_config, case, environment):
    """What fiftyone.brain.similarity._parse_config would make the backend from."""
    os.environ.clear()
    os.environ.update(environment)
    try:
        config = brain_config.load_brain_config()
    except Exception as error:
        return {"error": repr(error)}
    name = case["backend"]
    if name is None:
        name = config.default_similarity_backend
    answer = {"backend": name, "known": sorted(config.similarity_backends)}
    if name not in config.similarity_backends:
        return dict(answer, error=UNSUPPORTED)
    try:
        values = copy.deepcopy(config.similarity_backends[name])
        values.pop("config_cls", None)
        values.update(case["arguments"])
    except Exception as error:
        return dict(answer, error=repr(error))
    return dict(answer, values=values)


def names_in(case):
    """Every parameter that the case mentions, for its declaration."""
    found = set(PARAMETERS) | {""}
    for name in case["environment"]:
        if name.startswith(PREFIX):
            rest = name[len(PREFIX):].lower()
            found |= {rest[i + 1:] for i in range(len(rest)) if rest[i] == "_"}
    for section in sections_of(case).values():
        found |= set(section)
    return sorted(found - {"config_cls", ""})


def installed_in(case):
    """What stands for FiftyOne's classes: its own, and those the case brings along."""
    names = set(BUILTIN)
    if BACKENDS in case["environment"]:
        names |= set(case["environment"][BACKENDS].split(","))
    else:
        names |= set(sections_of(case))
    return sorted(names)


def ask_simplugin(driver, case, environment):
    declared = None
    if case["declares"]:
        declared = [{"name": name, "type": "text" if name in case["texts"] else "any"}
                    for name in names_in(case)]
    request = {"environment": environment, "process": case["process"],
               "backend": case["backend"], "installed": installed_in(case),
               "declared": declared, "arguments": case["arguments"]}
    driver.stdin.write(json.dumps(request) + "\n")
    driver.stdin.flush()
    return json.loads(driver.stdout.readline())


# ---- comparison ----------------------------------------------------------------------


def same(a, b):
    """Equal, types included: 1, 1.0 and True are three values."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


def is_strict_number(value):
    """Whether JSON of 64-bit numbers can write it."""
    if isinstance(value, list):
        return all(map(is_strict_number, value))
    if isinstance(value, dict):
        return all(map(is_strict_number, value.values()))
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return isinstance(value, (bool, str, type(None))) or -(2**63) <= value < 2**63


def raw_text(case, backend, name):
    """What the environment says of a parameter, as FiftyOne finds it."""
    found = None
    for variable, value in case["environment"].items():
        prefix = PREFIX + backend.upper() + "_"
        if variable.startswith(prefix) and variable[len(prefix):].lower() == name:
            found = value
    return found


def is_refused_file(case, ours):
    """Whether ours is an error that points into the file, and FiftyOne's reading not strict."""
    if case["file"] is None or ours.get("error") != "CONFIG":
        return False
    place = ours["message"].split(": ")[0].rsplit(":", 2)
    if len(place) != 3 or not (place[1].isdigit() and place[2].isdigit()):
        return False
    lines = case["file"].split("\n")
    if not 1 <= int(place[1]) <= max(len(lines), 1):
        return False
    try:
        root = json.loads(case["file"], parse_constant=lambda name: 1 / 0)
    except ZeroDivisionError:
        return True
    if not isinstance(root, dict):
        return False
    sections = root.get("similarity_backends") or {}
    return (
        not is_strict_number(root)
        or "\\ud8" in case["file"]
        or "\\u0000" in case["file"]
        or "[" * 65 in case["file"]
        or any(not isinstance(section, dict) for section in sections.values())
    )


def is_refused_variable(brain_config, case, ours):
    """Whether ours is an error that names a variable whose number JSON cannot write."""
    variable = ours["message"].split(":")[0]
    if ours["error"] != "CONFIG" or variable not in case["environment"]:
        return False
    return not is_strict_number(brain_config._parse_env_value(case["environment"][variable]))


def compare(brain_config, case, theirs, ours):
    """The name of what differs: "", one of DIFFERENCES, or None for what may not differ."""
    environment = case["environment"]
    if "error" in theirs and "error" in ours:
        # Of two faults in one case, either may be told of.
        if ours["error"] in ("BACKEND_UNKNOWN", "BACKEND_NAME"):
            return "" if theirs["error"] == UNSUPPORTED or BACKENDS in environment else None
        if ours["error"] == "CONFIG" and "brain_config.json:" in ours["message"]:
            return ""
        return "" if is_refused_variable(brain_config, case, ours) else None
    if same(theirs.get("values"), ours.get("values")):
        if theirs["backend"] == ours["backend"]:
            return ""
        if {theirs["backend"], ours["backend"]} == {"sklearn", "sklearn_flat"}:
            return "sklearn"

    # An error of ours alone.
    if "error" in ours:
        if case["backend"] is None and ours["error"] in ("BACKEND_UNKNOWN", "BACKEND_NAME"):
            chosen = environment.get(DEFAULT)
            if not chosen:
                chosen = root_of(case).get("default_similarity_backend")
            if (chosen if chosen is not None else "sklearn") not in theirs["known"]:
                return "default"
        # "*", " x" and the like are names to FiftyOne: whatever it does with them.
        if ours["error"] == "BACKEND_NAME" and case["backend"] is None:
            return "default"
        if is_refused_file(case, ours):
            return "strict"
        if is_refused_variable(brain_config, case, ours):
            return "strict"
        return None

    # An answer of ours alone, or another one.
    if "error" in theirs:
        flat = {"sklearn", "sklearn_flat"}
        if case["backend"] in flat and flat & set(theirs.get("known", [])):
            return "sklearn"
        return None
    twin = {"sklearn": "sklearn_flat", "sklearn_flat": "sklearn"}.get(ours["backend"])
    if theirs["backend"] != ours["backend"]:
        # FiftyOne, not finding one of the two names, goes on with any other backend.
        return "sklearn" if case["backend"] is None and twin in theirs["known"] else None
    kinds = set()
    for name in set(theirs["values"]) | set(ours["values"]):
        their_value = theirs["values"].get(name, KeyError)
        our_value = ours["values"].get(name, KeyError)
        if same(their_value, our_value):
            continue
        raw = raw_text(case, ours["backend"], name)
        if name in case["texts"] and raw and our_value == raw and name not in case["arguments"]:
            if same(their_value, brain_config._parse_env_value(raw)):
                kinds.add("text")
                continue
        if twin and name.startswith("flat_") and our_value is KeyError:
            kinds.add("sklearn")
            continue
        if twin:
            said = raw_text(case, twin, name)
            other = sections_of(case).get(twin, {}).get(name, KeyError)
            if same(our_value, other) or (said is not None and (
                same(our_value, brain_config._parse_env_value(said))
                or (name in case["texts"] and our_value == said)
            )):
                kinds.add("sklearn")
                continue
        return None
    return "+".join(sorted(kinds)) if kinds else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("driver")
    parser.add_argument("--cases", type=int, default=2000, help="random ones, beside the fixed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    brain_config = import_brain_config()
    rng = random.Random(options.seed)
    cases = list(fixed_cases())
    cases += [random_case(rng, number) for number in range(options.cases)]
    outcome = collections.Counter()
    wrong = 0
    driver = subprocess.Popen([options.driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            environment = write_file(case, folder)
            theirs = ask_fiftyone(brain_config, case, environment)
            ours = ask_simplugin(driver, case, environment)
            kind = compare(brain_config, case, theirs, ours)
            if kind is None:
                wrong += 1
                print("DIFFERS:", json.dumps(case), "\n  FiftyOne:", theirs, "\n  simplugin:",
                      json.dumps(ours))
            else:
                outcome[kind, "error" in ours] += 1
    driver.stdin.close()
    wrong += driver.wait() != 0

    print("%d configurations" % len(cases))
    print("%6d the same values" % outcome["", False])
    print("%6d refused by both" % outcome["", True])
    for (kind, _), count in sorted(outcome.items()):
        if kind:
            print("%6d %s" % (count, "; ".join(DIFFERENCES[part] for part in kind.split("+"))))
    print("%6d wrong" % wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
