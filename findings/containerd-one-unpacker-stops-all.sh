#!/usr/bin/env bash
# containerd 2.4.2 unpacks what it pulls by a list of pairs, snapshotter and differ. One would guess that a pair whose
# differ cannot be had (the one for EROFS, where no mkfs.erofs is found) is left out, or fails the pulls that ask for
# it. It takes the whole transfer service away: no image can be pulled or imported any more, for overlayfs neither,
# and the client is told of an unknown service. The daemon itself starts and looks well. `optional = true` in the
# pair, which is new in 2.3, makes it what one had guessed.
source "$(dirname "$0")/common"
need go python3
need_root
version=v2.4.2
for program in containerd ctr; do
  GOBIN=$work/bin GOFLAGS=-buildvcs=false go install "github.com/containerd/containerd/v2/cmd/$program@$version" \
    >"$work/build.log" 2>&1 || {
    tail -n 3 "$work/build.log"
    exit 2
  }
done
echo "versions: containerd $version, no mkfs.erofs"
cd "$work"
mkdir path # nothing but containerd itself is found by name

# An image of one layer: an empty tar.
cat >image.py <<'END'
import hashlib, io, json, tarfile
blobs = {}
def blob(data, media_type):
    blobs[hashlib.sha256(data).hexdigest()] = data
    return dict(mediaType=media_type, digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
oci, layer = "application/vnd.oci.image.", bytes(10240)
config = dict(architecture="amd64", os="linux",
              rootfs=dict(type="layers", diff_ids=["sha256:" + hashlib.sha256(layer).hexdigest()]))
manifest = dict(schemaVersion=2, mediaType=oci + "manifest.v1+json",
                config=blob(json.dumps(config).encode(), oci + "config.v1+json"),
                layers=[blob(layer, oci + "layer.v1.tar")])
manifest = blob(json.dumps(manifest).encode(), manifest["mediaType"])
manifest["annotations"] = {"io.containerd.image.name": "example.com/image:t"}
files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
         "index.json": json.dumps(dict(schemaVersion=2, manifests=[manifest])).encode()}
files |= {"blobs/sha256/" + digest: data for digest, data in blobs.items()}
with tarfile.open("image.tar", "w") as tar:
    for name, data in files.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
END
python3 image.py

served=
trap '[[ -z $served ]] || { kill "$served"; wait "$served" || true; }; leave' EXIT
ctr() { "$work/bin/ctr" -a "$work/c.sock" "$@"; }

# serve NAME OPTION: a containerd with a pair for overlayfs, and one for EROFS that has this option.
serve() {
  cat >config.toml <<END
version = 4
root = "$work/$1/root"
state = "$work/$1/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri",
  "io.containerd.podsandbox.controller.v1.podsandbox", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
[plugins.'io.containerd.server.v1.grpc']
  address = "$work/c.sock"
[plugins.'io.containerd.server.v1.ttrpc']
  address = "$work/t.sock"
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = "linux"
  snapshotter = "overlayfs"
  differ = "walking"
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = "linux"
  snapshotter = "erofs"
  differ = "erofs"
  $2
END
  PATH=$work/path bin/containerd -c config.toml >log 2>&1 &
  served=$!
  local try
  for try in {1..100}; do
    ctr version >/dev/null 2>&1 && return
    sleep 0.1
  done
}

unserve() {
  kill "$served"
  wait "$served" || true
  served=
}

serve required ''
see "an import for overlayfs" "$(said ctr image import --snapshotter overlayfs image.tar)" \
  "exit 1: ctr: unknown service containerd.services.transfer.v1.Transfer"
see "the daemon" "$(ctr version >/dev/null 2>&1 && echo answers)" "answers"
unserve
serve optional 'optional = true'
ctr image import --snapshotter overlayfs image.tar >imported 2>&1 || true
see "with optional = true" "$(ctr image check 2>/dev/null | awk 'NR == 2 {print $4, $5, $NF}')" "complete (2/2) true"
unserve
