"""sbom.py DOCUMENT LIBRARY.a: whether the document says what is in the library, and no more than there is.

The archive has an object file or more of each crate, named after it, if that is built without optimization
across crates, as the dev profile is.
"""

import json
import os
import re
import subprocess
import sys
import tomllib

here = os.path.dirname(os.path.abspath(__file__))


def asked(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def crates_of(names, pattern):
    return {found[1] for found in map(re.compile(pattern).match, names) if found}


def wrong(document, archive):
    """What is wrong, a line each."""
    known = {document["metadata"]["component"]["bom-ref"]}
    with open(os.path.join(here, "..", "..", "Cargo.lock"), "rb") as file:
        locked = {(one["name"], one["version"]): one for one in tomllib.load(file)["package"]}
    linked, excluded = set(), set()
    for one in document["components"]:
        known.add(one["bom-ref"])
        if one["name"] == "rust-std":
            continue
        (linked if one["scope"] == "required" else excluded).add(one["name"].replace("-", "_"))
        lock = locked.get((one["name"], one["version"]))
        if lock is None:
            yield f"{one['bom-ref']} is not in Cargo.lock"
        elif lock.get("checksum") != one.get("hashes", [{}])[0].get("content"):
            yield f"{one['bom-ref']} has another digest than in Cargo.lock"
        if not one["licenses"][0]["expression"]:
            yield f"{one['bom-ref']} has no license"
    if len(known) != 1 + len(document["components"]):
        yield "a component twice"
    for edge in document["dependencies"]:
        for ref in {edge["ref"], *edge["dependsOn"]} - known:
            yield f"{ref} is no component"
    if {edge["ref"] for edge in document["dependencies"]} != known:
        yield "not every component has its dependencies"
    members = crates_of(asked("ar", "t", archive).splitlines(), r"([a-z0-9_]+)-[0-9a-f]{16}\.")
    for name in ("erofs_tarfs", "rustix", "std"):
        if name not in members:
            yield f"the archive shows no {name}: is it one of the dev profile?"
    libraries = os.path.join(asked("rustc", "--print", "target-libdir").strip())
    of_std = crates_of(os.listdir(libraries), r"lib([a-z0-9_]+)-[0-9a-f]{16}\.rlib")
    for name in sorted(members - of_std - linked):
        yield f"{name} is in the library, and no component that is linked"
    for name in sorted(excluded & members - of_std):
        yield f"{name} is in the library, and is said not to be"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    found = list(wrong(document, sys.argv[2]))
    print(*found, sep="\n", end="\n" if found else "")
    # What is wrong has to be found: without one crate, and with another digest of one.
    crates = [one for one in document["components"] if one["name"] == "rustix"]
    document["components"].remove(crates[0])
    lines = list(wrong(document, sys.argv[2]))
    assert "rustix is in the library, and no component that is linked" in lines, lines
    document["components"].append({**crates[0], "hashes": [{"content": "0"}]})
    assert any("another digest" in line for line in wrong(document, sys.argv[2]))
    sys.exit(1 if found else 0)


main()
