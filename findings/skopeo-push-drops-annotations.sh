#!/usr/bin/env bash
# `skopeo copy` to a registry compresses layers that are not compressed. One would guess that what the manifest
# says of a layer comes along, as what it says of the image does. The annotations of each layer that is
# compressed on the way are gone from the new manifest, without a word; those of the manifest itself stay.
# --preserve-digests keeps all. With --dest-compress-format between layouts it is the same.
source "$(dirname "$0")/common"
need python3 tar
skopeo=$(debian trixie skopeo=1.18.0+ds1-1+b5 skopeo)/skopeo
registry=$(debian trixie docker-registry=2.8.3+ds1-2+b8 docker-registry)/docker-registry

cd "$work"
echo hello >file
tar -cf layer.tar file
# An image of one layer, whose descriptor has an annotation, and whose manifest has one.
python3 - <<'END'
import hashlib, json, os
os.makedirs("image/blobs/sha256")
def blob(data, media_type, **more):
    digest = hashlib.sha256(data).hexdigest()
    open("image/blobs/sha256/" + digest, "wb").write(data)
    return dict(mediaType=media_type, digest="sha256:" + digest, size=len(data), **more)
oci = "application/vnd.oci.image."
layer = blob(open("layer.tar", "rb").read(), oci + "layer.v1.tar", annotations={"org.example.layer": "one"})
config = dict(architecture="amd64", os="linux", rootfs=dict(type="layers", diff_ids=[layer["digest"]]))
config = blob(json.dumps(config).encode(), oci + "config.v1+json")
manifest = dict(schemaVersion=2, mediaType=oci + "manifest.v1+json", config=config, layers=[layer],
                annotations={"org.example.image": "two"})
manifest = blob(json.dumps(manifest).encode(), manifest["mediaType"])
json.dump(dict(schemaVersion=2, manifests=[manifest]), open("image/index.json", "w"))
json.dump(dict(imageLayoutVersion="1.0.0"), open("image/oci-layout", "w"))
END

start_registry "$registry"

# pushed NAME OPTIONS: what a manifest says after a push, of the layer and of itself.
pushed() {
  local at=docker://127.0.0.1:$port/$1:t
  "$skopeo" --insecure-policy copy --quiet --dest-tls-verify=false "${@:2}" oci:image "$at"
  "$skopeo" inspect --raw --tls-verify=false "$at" >pushed.json
  told pushed.json
}

# told MANIFEST
told() {
  python3 - "$1" <<'END'
import json, sys
manifest = json.load(open(sys.argv[1]))
(layer,) = manifest["layers"]
print(layer["mediaType"].rsplit(".", 1)[1], layer.get("annotations"), manifest.get("annotations"))
END
}

image="{'org.example.image': 'two'}" layer="{'org.example.layer': 'one'}"
see "pushed to a registry" "$(pushed plain)" "tar+gzip None $image"
see "pushed with --preserve-digests" "$(pushed kept --preserve-digests)" "tar $layer $image"
"$skopeo" --insecure-policy copy --quiet --dest-compress-format zstd oci:image oci:packed
manifest=$(python3 -c 'import json; print(json.load(open("packed/index.json"))["manifests"][0]["digest"][7:])')
see "--dest-compress-format zstd, to a layout" "$(told "packed/blobs/sha256/$manifest")" "tar+zstd None $image"
