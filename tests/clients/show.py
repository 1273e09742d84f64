#!/usr/bin/env python3
"""show.py ROOT: a line for each path of a container's tree, with all that users see of it. Of a file with several names
it has the first one, and not their number, in which overlayfs counts names that upper layers took away.

What else is mounted in a container is left out: /proc, /sys, /dev, /run.
"""
import hashlib
import os
import stat
import sys

root = sys.argv[1]
names = {}


def show(path):
    at = root + path
    seen = os.lstat(at)
    kind = stat.S_IFMT(seen.st_mode)
    parts = ["%o" % seen.st_mode, seen.st_uid, seen.st_gid, seen.st_mtime_ns]
    if kind == stat.S_IFREG:
        first = names.setdefault((seen.st_dev, seen.st_ino), path)
        with open(at, "rb") as file:
            parts += [first, seen.st_size, hashlib.sha256(file.read()).hexdigest()]
    elif kind == stat.S_IFLNK:
        parts.append(os.readlink(at))
    for name in sorted(os.listxattr(at, follow_symlinks=False)):
        if name.startswith("user.") or name == "security.capability":
            parts += [name, os.getxattr(at, name, follow_symlinks=False)]
    print(path, *parts)
    if kind == stat.S_IFDIR:
        for name in sorted(os.listdir(at)):
            show(os.path.join(path, name))


for top in sorted(os.listdir(root)):
    if top not in ("proc", "sys", "dev", "run"):
        show("/" + top)
