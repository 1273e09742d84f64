#!/usr/bin/env python3
"""with_layer.py DIR TAG NEW BLOB TAR: in the OCI layout DIR, an image tagged NEW: that tagged TAG with one more layer.

BLOB is the layer compressed by gzip, well or not, and TAR what the image says that comes out of it.
"""
import hashlib
import sys

from oci_layout import Layout

out, tag, new, blob, tar = sys.argv[1:]


def read(name):
    with open(name, "rb") as file:
        return file.read()


layout = Layout(out)
manifest, config = layout.image(tag)
config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(read(tar)).hexdigest())
manifest["layers"].append(layout.put(read(blob), "application/vnd.oci.image.layer.v1.tar+gzip"))
layout.add(new, manifest, config)
