# SPDX-License-Identifier: Apache-2.0
"""What tests of the pages in docs/ share: tables and calls read from a page, the program run."""
import json
import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ["SIMPLUGIN_BUILDDIR"]).resolve()

# ---- the page -----------------------------------------------------------------------------


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def code(cell):
    """What stands in code type in a cell."""
    return re.findall("`([^`]*)`", cell)


def numbers(cell):
    """The requirements that a cell names: R7, or R7-R9."""
    found = set()
    for first, last in re.findall(r"R(\d+)(?:-R(\d+))?", cell):
        found.update(range(int(first), int(last or first) + 1))
    return found


class Page:
    def __init__(self, path):
        self.path = path

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def table(self, name):
        """The rows behind <!-- table: NAME -->, as maps from the heads of the columns."""
        lines = self.text().splitlines()
        at = lines.index("<!-- table: %s -->" % name)
        heads = cells(lines[at + 1])
        rows = []
        for line in lines[at + 3 :]:
            if not line.startswith("|"):
                break
            assert len(cells(line)) == len(heads), line
            rows.append(dict(zip(heads, cells(line))))
        return rows

    def calls(self, name, column="here"):
        """The calls in a column of a table, in its order."""
        found = []
        for row in self.table(name):
            for part in code(row[column]):
                match = Call.FORM.fullmatch(part)
                assert match or "{" not in part, part
                if match:
                    found.append(Call(match))
        return found

    def anchors(self):
        heads = re.findall(r"^#+ (.*)$", self.text(), re.M)
        return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}

    def check_links(self):
        """Files that are linked to exist, and heads in this page or another."""
        for target in re.findall(r"\]\(([^)]+)\)", self.text()):
            if target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            page = Page(self.path.parent / file) if file else self
            assert page.path.exists(), target
            assert not anchor or anchor in page.anchors(), target


class Call:
    """`target: method {body}` of a page; backend methods have no target. Words in capitals are values."""

    FORM = re.compile(r"(?:(session|index|connection): )?([a-z]+(?:\.[a-z_]+)+|search|health) (\{.*\})")

    def __init__(self, match):
        self.target, self.method, self.written = match.groups()

    def body(self, values=None):
        """The body, with what the words stand for, or null."""
        def word(match):
            return json.dumps(values[match[0]]() if values else None)

        return json.loads(re.sub(r"(?<=: )([A-Z][A-Z_]+)(?=[,}])", word, self.written))


PROTOCOL = Page(SOURCE / "docs" / "protocol.md")


def application_keys(method):
    """The keys that docs/protocol.md gives to the request of a method."""
    (row,) = [row for row in PROTOCOL.table("application") if row["method"] == "`%s`" % method]
    return set(row["keys of the request"].split())


# ---- the program --------------------------------------------------------------------------


def simplugin(folder, *arguments, stdin=None, **environment):
    """A command's reply, or its error."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FIFTYONE_", "SIMPLUGIN_"))}
    clean.update(SIMPLUGIN_PATH=str(BUILD / ".libs"), HOME=str(folder), SIMPLUGIN_DATA=str(folder / "data"))
    done = subprocess.run(
        [BUILD / "simplugin", "--json", "--quiet", *arguments],
        input=stdin, env={**clean, **environment}, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout if done.returncode == 0 else done.stderr
    assert said.strip(), (arguments, done)
    return json.loads(said.strip().splitlines()[-1])


class Keys:
    """The keys that a plugin says a backend method has; no server is needed for that."""

    def __init__(self, folder, backend, *parameters):
        self.folder, self.backend, self.seen = folder, backend, {}
        self.parameters = [word for parameter in parameters for word in ("--param", parameter)]

    def __call__(self, method):
        if method not in self.seen:
            body = json.dumps({"method": method, "body": {"?": 1}})
            error = simplugin(self.folder, "call", "backend.call", body, "--connection", "--backend", self.backend,
                              *self.parameters)["error"]
            assert error["details"].get("argument") == "?", (method, error)
            known = error["message"].rpartition("known: ")[2]
            self.seen[method] = set(known.split(", ")) - {"none"}
        return self.seen[method]


# ---- parameters ---------------------------------------------------------------------------


def declared(described, which):
    """What the plugin declares of the connection, of the creation, or of searches."""
    if which == "search":
        return described["search_parameters"]
    return [p for p in described["parameters"] if p["connection"] == (which == "connection")]


def check_parameters(rows, parameters):
    """Every parameter that the plugin declares is in the table as it is declared, and no other."""
    assert [row["name"] for row in rows] == ["`%s`" % p["name"] for p in parameters]
    for row, parameter in zip(rows, parameters):
        name, default = parameter["name"], parameter["default"]
        assert row["type"] == parameter["type"], name
        assert code(row["example"]), name
        if default is None:
            # what holds where nothing is said; the plugin's own words have the same numbers
            assert row["default"] and not code(row["default"]), name
            for number in re.findall(r"\d+", row["default"]):
                assert number in re.findall(r"\d+", parameter["doc"]), name
        else:
            shown = default if isinstance(default, str) else json.dumps(default)
            assert row["default"] == "`%s`" % shown, name
        others = re.findall(r"other name `(\w+)`", row["meaning"])
        assert others == parameter.get("aliases", []), name
        assert ("secret" in row["meaning"]) == parameter["secret"], name


def check_examples(folder, backend, rows, way, left_out=()):
    """Each example can be given in that way - argument, environment, file - and has the parameter's type.
    left_out: names of parameters that exclude these."""
    examples = {code(row["name"])[0]: code(row["example"])[0] for row in rows}
    kinds = {code(row["name"])[0]: row["type"] for row in rows}
    values = {name: text if kinds[name] in ("text", "any") else json.loads(text) for name, text in examples.items()}
    arguments, environment = ["explain", backend], {}
    if way == "argument":
        arguments += [word for name, text in examples.items() for word in ("--param", "%s=%s" % (name, text))]
    elif way == "environment":
        prefix = "FIFTYONE_BRAIN_SIMILARITY_%s_" % backend.upper()
        environment = {prefix + name.upper(): text for name, text in examples.items()}
    else:
        (folder / "brain_config.json").write_text(json.dumps({"similarity_backends": {backend: values}}))
        arguments += ["--config", str(folder / "brain_config.json")]
    said = simplugin(folder, *arguments, **environment)
    assert "error" not in said, said
    found = {entry["name"]: entry for entry in said["values"]}
    assert set(found) - set(left_out) == set(examples)
    for name in examples:
        entry = found[name]
        assert entry["source"] == way, entry
        if entry["secret"]:
            assert examples[name] not in str(entry["value"]), entry
        elif kinds[name] != "any":
            assert entry["value"] == values[name], entry
