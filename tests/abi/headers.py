# SPDX-License-Identifier: Apache-2.0
"""Whether later headers keep what earlier ones promised: headers.py OLD-INCLUDE NEW-INCLUDE.

Every struct of simplugin.h, simplugin/plugin.h and simplugin/conformance.h begins with the members that it had, in their
order, with their names and types, those aside that are reserved; constants have their values; functions and function types are
declared as they were. Names of parameters do not count, and SIMPLUGIN_ABI_VERSION and
SIMPLUGIN_VERSION are there to change. Prints what is not so, and ends with 1.
"""

import pathlib
import re
import sys

FROZEN = {"simplugin_tensor", "simplugin_conformance_backend"}
MOVES_ON = {"SIMPLUGIN_ABI_VERSION", "SIMPLUGIN_VERSION"}
HEADERS = ("simplugin/plugin.h", "simplugin.h", "simplugin/conformance.h")


def named(members):
    return [member for member in members if not re.search(r"\breserved\d*(\[\d+\])?$", member)]


def read(include):
    # the last of them is not in every release
    paths = [pathlib.Path(include) / name for name in HEADERS]
    text = "".join(path.read_text() for path in paths if path.exists())
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    constants = dict(re.findall(r"^#define (SIMPLUGIN_\w+) +(\S.*?) *$", text, re.M))
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    structs = {}
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", text, re.S):
        structs[name] = [" ".join(member.split()) for member in body.split(";") if member.strip()]
    text = re.sub(r"typedef struct (\w+) \{.*?\} \1;", "", text, flags=re.S)
    others = {" ".join(one.split()) for one in text.replace('extern "C" {', "").split(";") if one.strip(" }\n")}
    return constants, structs, others


def main():
    (old_constants, old_structs, old_others), (constants, structs, others) = map(read, sys.argv[1:3])
    wrong = []
    for name, value in old_constants.items():
        if name not in MOVES_ON and constants.get(name) != value:
            wrong.append("%s was %s, is %s" % (name, value, constants.get(name)))
    for name, members in old_structs.items():
        now = structs.get(name, [])
        before, after = named(members), named(now)
        if after[: len(before)] != before or (name in FROZEN and now != members):
            wrong.append("struct %s was {%s}, is {%s}" % (name, "; ".join(members), "; ".join(now)))
    wrong += ["gone or declared anew: " + one for one in sorted(old_others - others)]
    if not (len(old_constants) > 60 and len(old_structs) > 10 and len(old_others) > 30):
        wrong.append("little was read: %d constants, %d structs, %d others"
                     % (len(old_constants), len(old_structs), len(old_others)))
    print("\n".join(wrong) or "%d constants, %d structs and %d declarations are as they were"
          % (len(old_constants), len(old_structs), len(old_others)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
