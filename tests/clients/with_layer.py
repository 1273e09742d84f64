#!/usr/bin/env python3
"""with_layer.py DIR TAG NEW BLOB TAR: in the OCI layout DIR, an image tagged NEW: that tagged TAG with one more layer.

BLOB is the layer compressed by gzip, well or not, and TAR what the image says that comes out of it.
"""
import hashlib
import json
import os
import sys

out, tag, new, blob, tar = sys.argv[1:]


def path(digest):
    return os.path.join(out, "blobs", "sha256", digest.removeprefix("sha256:"))


def put(data, media_type):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(path(digest), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def read(name):
    with open(name, "rb") as file:
        return file.read()


index = json.loads(read(os.path.join(out, "index.json")))
name = "org.opencontainers.image.ref.name"
[old] = [one for one in index["manifests"] if one["annotations"][name] == tag]
manifest = json.loads(read(path(old["digest"])))
config = json.loads(read(path(manifest["config"]["digest"])))
config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(read(tar)).hexdigest())
manifest["layers"].append(put(read(blob), "application/vnd.oci.image.layer.v1.tar+gzip"))
manifest["config"] = put(json.dumps(config).encode(), manifest["config"]["mediaType"])
made = put(json.dumps(manifest).encode(), manifest["mediaType"])
index["manifests"].append({**made, "annotations": {name: new}})
with open(os.path.join(out, "index.json"), "w") as file:
    json.dump(index, file)
