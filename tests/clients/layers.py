#!/usr/bin/env python3
"""layers.py DIR TAG NEW FIRST COUNT: in the OCI layout DIR, an image tagged NEW: the FIRST lowest layers of that tagged
TAG, and COUNT more.

Each of these has a file of its own, a link to it and an attribute, and changes the file of the layer before; each tenth
takes files of lower layers away. Those of one number are the same in all images.
"""
import gzip
import hashlib
import io
import sys
import tarfile

from oci_layout import Layout

out, tag, new, first, count = sys.argv[1:]
first, count = int(first), int(count)


def layer(number):
    held = io.BytesIO()
    tar = tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT)

    def add(name, data=b"", kind=tarfile.REGTYPE, link="", pax=None):
        entry = tarfile.TarInfo("more/" + name)
        entry.type, entry.linkname, entry.mode = kind, link, 0o777 if kind == tarfile.SYMTYPE else 0o640
        entry.uid, entry.mtime, entry.size = number, 1700000000 + number, len(data)
        entry.pax_headers = pax or {}
        tar.addfile(entry, io.BytesIO(data))

    own = hashlib.shake_256(b"%d" % number).digest(5000 + 700 * number)
    add("own%d" % number, own, pax={"SCHILY.xattr.user.number": str(number)})
    add("again%d" % number, kind=tarfile.LNKTYPE, link="more/own%d" % number)
    add("to%d" % number, kind=tarfile.SYMTYPE, link="own%d" % number)
    if number > 1:
        add("own%d" % (number - 1), b"changed by %d\n" % number)
    if number % 10 == 0:
        add(".wh.own%d" % (number - 5))
        add(".wh.to%d" % (number - 7))
    if number % 25 == 0:
        add("dir/", kind=tarfile.DIRTYPE)
        add("dir/.wh..wh..opq")
        add("dir/of%d" % number, b"in a directory that hides what is below\n")
    tar.close()
    return held.getvalue()


layout = Layout(out)
manifest, config = layout.image(tag)
del manifest["layers"][first:], config["rootfs"]["diff_ids"][first:]
config["config"]["Labels"] = {"name": new}
for number in range(1, count + 1):
    data = layer(number)
    config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(data).hexdigest())
    compressed = gzip.compress(data, 1, mtime=0)
    manifest["layers"].append(layout.put(compressed, "application/vnd.oci.image.layer.v1.tar+gzip"))
layout.add(new, manifest, config)
