#!/usr/bin/env python3
"""image.py DIR BUSYBOX: an OCI image layout in DIR, and the file DIR/want.

The image tagged `t` has five layers, and that tagged `twice` has one of them a second time. That tagged `pause` has the
first one, and a process that does nothing, as the sandboxes of pods do.

`want` has a line `SHA-256  /PATH` for each file that a container of the image is to show, sorted by
path, in both: what the layers leave when whiteouts and replaced files are gone.
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

out, busybox = sys.argv[1:]
blobs = os.path.join(out, "blobs", "sha256")
os.makedirs(blobs)


def put(data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as blob:
        blob.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}


class Layer:
    """A tar, entry by entry."""

    def __init__(self):
        self.bytes = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.bytes, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, kind, mode, data=b"", link="", owner=0, pax=None):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.linkname = kind, mode, link
        entry.uid = entry.gid = owner
        entry.mtime, entry.size, entry.pax_headers = 1700000000.25, len(data), pax or {}
        self.tar.addfile(entry, io.BytesIO(data))
        return self

    def dir(self, name, mode=0o755, owner=0):
        return self.add(name, tarfile.DIRTYPE, mode, owner=owner)

    def file(self, name, data=b"", mode=0o644, **more):
        return self.add(name, tarfile.REGTYPE, mode, data, **more)

    def symlink(self, name, target):
        return self.add(name, tarfile.SYMTYPE, 0o777, link=target)

    def hardlink(self, name, target):
        return self.add(name, tarfile.LNKTYPE, 0o644, link=target)

    def finish(self):
        self.tar.close()
        return self.bytes.getvalue()


with open(busybox, "rb") as program:
    shell = program.read()
numbers = {"data/n%03d" % n: b"%d\n" % n * (n * 7 + 1) for n in range(300)}
big = hashlib.shake_256(b"big").digest(3_000_001)

base = Layer().dir("bin").file("bin/busybox", shell, 0o755)
for applet in ["sh", "find", "sort", "xargs", "sha256sum", "stat", "id", "touch", "cat"]:
    base.symlink("bin/" + applet, "busybox")
for name in ["etc", "proc", "sys", "dev", "data", "data/opaque", "data/tree"]:
    base.dir(name)
base.dir("tmp", 0o1777)
base.file("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:1234:1234::/:/bin/sh\n")
base.file("etc/group", b"root:x:0:\napp:x:1234:\n")
base.file("etc/gone", b"gone\n").file("etc/replaced", b"first\n").file("data/opaque/old", b"old\n")
base.file("data/tree/leaf", b"leaf\n").file("data/one", b"linked\n").hardlink("data/two", "data/one")
base.file("data/noted", b"noted\n", pax={"SCHILY.xattr.user.note": "hello"})
for name, data in numbers.items():
    base.file(name, data)

second = Layer().dir("etc").file("etc/.wh.gone").file("etc/replaced", b"second\n")
second.dir("data").dir("data/opaque").file("data/opaque/.wh..wh..opq")
second.file("data/opaque/new", b"new\n").file("data/big", big)
third = Layer().dir("data").file("data/.wh.tree").file("data/.wh.n007").dir("srv")
third.file("srv/app", b"app\n", 0o600, owner=1234)
fourth = Layer().dir("data").file("data/tree", b"a file in a directory's place\n")
fourth.file("etc/replaced", b"fourth\n")
# Without an entry for the directories above.
fifth = Layer().file("srv/deep/below/file", b"deep\n").file("data/" + "long" * 40, b"long\n")
layers = [layer.finish() for layer in [base, second, third, fourth, fifth]]

files = {
    "bin/busybox": shell,
    "etc/passwd": b"root:x:0:0::/:/bin/sh\napp:x:1234:1234::/:/bin/sh\n",
    "etc/group": b"root:x:0:\napp:x:1234:\n",
    "etc/replaced": b"fourth\n",
    "data/opaque/new": b"new\n",
    "data/one": b"linked\n",
    "data/two": b"linked\n",
    "data/noted": b"noted\n",
    "data/big": big,
    "data/tree": b"a file in a directory's place\n",
    "data/" + "long" * 40: b"long\n",
    "srv/app": b"app\n",
    "srv/deep/below/file": b"deep\n",
    **numbers,
}
del files["data/n007"]
with open(os.path.join(out, "want"), "w") as want:
    for name in sorted(files):
        want.write("%s  /%s\n" % (hashlib.sha256(files[name]).hexdigest(), name))

oci = "application/vnd.oci.image."


def manifest(tag, layers, command=("/bin/sh",)):
    """Puts an image of these layers, and tells how the index names it."""
    config = {
        "architecture": {"aarch64": "arm64"}.get(os.uname().machine, "amd64"),
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": command},
        "rootfs": {
            "type": "layers",
            "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers],
        },
    }
    of_layers = [put(gzip.compress(layer, 6, mtime=0), oci + "layer.v1.tar+gzip") for layer in layers]
    image = {
        "schemaVersion": 2,
        "mediaType": oci + "manifest.v1+json",
        "config": put(json.dumps(config).encode(), oci + "config.v1+json"),
        "layers": of_layers,
    }
    named = put(json.dumps(image).encode(), oci + "manifest.v1+json")
    return {**named, "annotations": {"org.opencontainers.image.ref.name": tag}}


images = [
    manifest("t", layers),
    manifest("twice", [*layers[:3], *layers[2:]]),
    manifest("pause", layers[:1], ("/bin/busybox", "sleep", "1000000")),
]
with open(os.path.join(out, "index.json"), "w") as index:
    json.dump({"schemaVersion": 2, "manifests": images}, index)
with open(os.path.join(out, "oci-layout"), "w") as layout:
    json.dump({"imageLayoutVersion": "1.0.0"}, layout)
