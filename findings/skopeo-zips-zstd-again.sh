#!/usr/bin/env bash
# pzstd, zstd's own program for many cores, puts a skippable frame before each frame (RFC 8878, 3.1.2), so that its files
# begin with other bytes than zstd's. One would guess that an image with such a layer, whose type is tar+zstd, is copied as
# it is. `skopeo copy` takes the layer for one that is not compressed, and compresses it, to a registry and to a layout: it is
# zstd within gzip then, called tar+gzip, with the old diffID, exit 0. Nobody unpacks that. --preserve-digests keeps it.
# regctl fails with the layer; umoci and bsdtar read it.
source "$(dirname "$0")/common"
need python3 tar
skopeo=$(debian trixie skopeo=1.18.0+ds1-1+b5 skopeo)/skopeo
registry=$(debian trixie docker-registry=2.8.3+ds1-2+b8 docker-registry)/docker-registry
umoci=$(debian sid umoci=0.6.0+ds-1+b1 umoci)/umoci
zstd=$(debian trixie zstd=1.5.7+dfsg-1 zstd pzstd)
bsdtar=$(debian sid libarchive-tools=3.8.10-2 bsdtar)/bsdtar
go_tools github.com/regclient/regclient/cmd/regctl@v0.11.7

cd "$work"
seq 20000 >file
tar -cf layer.tar file
"$zstd/pzstd" -q layer.tar -o pzstd.zst
"$zstd/zstd" -q layer.tar -o zstd.zst
for kind in pzstd zstd; do layout "$kind" "layer.tar=$kind.zst"; done
start_registry "$registry"

copy() { "$skopeo" --insecure-policy copy --quiet "$@"; }
# pushed IMAGE OPTIONS: pushes it and fetches it again, into "back": its layer's type, and what that is
pushed() {
  local at=docker://127.0.0.1:$port/$1:t
  rm -rf back
  copy --dest-tls-verify=false "${@:2}" "oci:$1:t" "$at"
  copy --src-tls-verify=false --preserve-digests "$at" oci:back:t
  layer back
}
# layer LAYOUT: the type of its layer, and of its bytes, and of what is in them if that is gzip
layer() {
  python3 - "$1/index.json" "$1/blobs/sha256/" <<'PY'
import gzip, json, sys
def told(index, blobs):
    manifest = json.load(open(index))["manifests"][0]["digest"][7:]
    layer = json.load(open(blobs + manifest))["layers"][0]
    data, words = open(blobs + layer["digest"][7:], "rb").read(), [layer["mediaType"].rsplit(".", 1)[1] + ":"]
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
        words.append("gzip of")
    kinds = {b"\x28\xb5\x2f\xfd": "zstd", b"\x50\x2a\x4d\x18": "zstd with a frame to skip"}
    print(*words, kinds.get(data[:4], "tar" if data[257:262] == b"ustar" else "?"))
told(*sys.argv[1:])
PY
}
unpacked() {
  rm -rf bundle
  said "$umoci" unpack --rootless --image "$1:t" bundle | sed 's/exit 0.*/exit 0/; s/.*unpack layer: /exit 1: /'
}
file_of() { said "$work/bin/regctl" image get-file "ocidir://$1:t" file | sed 's/exit 0.*/exit 0/'; }

see "zstd, pushed by skopeo" "$(pushed zstd)" "tar+zstd: zstd"
see "pzstd" "$(layer pzstd)" "tar+zstd: zstd with a frame to skip"
see "unpacked by umoci" "$(unpacked pzstd)" "exit 0"
see "read by bsdtar" "$("$bsdtar" -tf pzstd.zst)" "file"
see "pzstd, pushed by skopeo" "$(pushed pzstd)" "tar+gzip: gzip of zstd with a frame to skip"
see "unpacked by umoci" "$(unpacked back)" "exit 1: read next entry: archive/tar: invalid tar header"
see "the same with --preserve-digests" "$(pushed pzstd --preserve-digests)" "tar+zstd: zstd with a frame to skip"
copy oci:zstd:t oci:same:t
see "zstd, to another layout" "$(layer same)" "tar+zstd: zstd"
copy oci:pzstd:t oci:other:t
see "pzstd, to another layout" "$(layer other)" "tar+gzip: gzip of zstd with a frame to skip"
see "zstd, a file by regctl" "$(file_of zstd)" "exit 0"
see "pzstd, a file by regctl" "$(file_of pzstd)" "exit 1: failed pulling from layer 0: archive/tar: invalid tar header"
