#!/usr/bin/env python3
"""large.py DIR: in the OCI layout DIR, an image tagged `large`: that tagged `pause` with four layers more, of text and of bytes
that gzip makes nothing of, 250 MB in all. It has the same bytes each time.
"""
import gzip
import hashlib
import io
import random
import sys
import tarfile

from oci_layout import Layout

LAYERS, BYTES, FILE = 4, 62 << 20, 1 << 20

layout = Layout(sys.argv[1])
manifest, config = layout.image("pause")
chance = random.Random(1)
words = [chance.randbytes(3).hex().encode()[: 2 + chance.randrange(5)] for _ in range(20000)]
for number in range(LAYERS):
    bytes = io.BytesIO()
    with tarfile.open(fileobj=bytes, mode="w", format=tarfile.PAX_FORMAT) as tar:
        count = 0
        while bytes.tell() < BYTES:
            size = min(int(chance.lognormvariate(9, 2)), FILE)
            if count % 8 == 0:
                data = chance.randbytes(size)
            else:
                data = b" ".join(chance.choices(words, k=size // 5))
            entry = tarfile.TarInfo("data/layer%d/%d/%d" % (number, count % 100, count))
            entry.size, entry.mtime = len(data), 1700000000
            tar.addfile(entry, io.BytesIO(data))
            count += 1
    tar = bytes.getvalue()
    config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(tar).hexdigest())
    blob = gzip.compress(tar, 6, mtime=0)
    manifest["layers"].append(layout.put(blob, "application/vnd.oci.image.layer.v1.tar+gzip"))
layout.add("large", manifest, config)
