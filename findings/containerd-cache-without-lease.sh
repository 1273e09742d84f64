#!/usr/bin/env bash
# `ctr image build-erofs-cache` of containerd 2.4.2 unpacks each compressed layer into the content store, and reads
# it from there. One would guess that it holds a lease on what it puts there, as a pull does. It holds none: a
# garbage collection meanwhile, as any container that is removed begins one, takes the blob away in the middle of
# the conversion. The error is one of mkfs.erofs, or that the image was not fetched, which is all there.
source "$(dirname "$0")/common"
need python3
need_root
source "$(dirname "$0")/common-containerd"
mkfs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)/mkfs.erofs
containerd_programs v2.4.2

cd "$work"
# An image of one compressed layer, larger than what a pipe holds.
python3 - <<'END'
import gzip, hashlib, io, json, random, tarfile
def added(tar, name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
plain = io.BytesIO()
with tarfile.open(fileobj=plain, mode="w") as tar:
    added(tar, "file", random.Random(1).randbytes(8 << 20))
blobs = {}
def blob(data, media_type):
    blobs[hashlib.sha256(data).hexdigest()] = data
    return dict(mediaType=media_type, digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
oci = "application/vnd.oci.image."
diff_id = "sha256:" + hashlib.sha256(plain.getvalue()).hexdigest()
config = dict(architecture="amd64", os="linux", rootfs=dict(type="layers", diff_ids=[diff_id]))
manifest = dict(schemaVersion=2, mediaType=oci + "manifest.v1+json",
                config=blob(json.dumps(config).encode(), oci + "config.v1+json"),
                layers=[blob(gzip.compress(plain.getvalue(), mtime=0), oci + "layer.v1.tar+gzip")])
manifest = blob(json.dumps(manifest).encode(), manifest["mediaType"])
manifest["annotations"] = {"io.containerd.image.name": "example.com/image:t"}
with tarfile.open("image.tar", "w") as tar:
    added(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    added(tar, "index.json", json.dumps(dict(schemaVersion=2, manifests=[manifest])).encode())
    for digest, data in blobs.items():
        added(tar, "blobs/sha256/" + digest, data)
END

mkdir path && serving_path=$work/path:$PATH
serve node ""
ctr image import --no-unpack image.tar >import.log 2>&1 || {
  cat import.log
  exit 2
}

# What containerd runs: with $work/collect there, another name of the image goes first, and with it comes a
# garbage collection.
ctr image tag example.com/image:t example.com/image:other >/dev/null 2>&1
cat >path/mkfs.erofs <<END
#!/bin/sh
[ ! -e "$work/collect" ] || "$work/bin/ctr" -a "$work/c.sock" image rm --sync example.com/image:other >/dev/null 2>&1
exec "$mkfs" "\$@"
END
chmod +x path/mkfs.erofs
build() {
  local status=0
  PATH=$work/path:$PATH ctr image build-erofs-cache example.com/image:t "$work/$1" >"$work/built" 2>&1 || status=$?
  echo "exit $status, $(find "$work/$1" -name '*.erofs' | wc -l) layers$(grep -o '.Could not format.*' "$work/built" || true)"
}
see "a cache, in peace" "$(build one)" "exit 0, 1 layers"
touch collect
see "with a garbage collection meanwhile" "$(build two)" \
  "exit 1, 0 layers	Could not format the device : [Error 5] Input/output error"
see "the image, which is all there" "$(ctr image check 2>/dev/null | awk 'NR == 2 {print $4, $5}')" "complete (2/2)"
