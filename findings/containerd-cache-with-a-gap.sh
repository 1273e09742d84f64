#!/usr/bin/env bash
# Layers in a `layer_content_caches` directory of containerd's EROFS snapshotter (2.4) are not fetched. One would guess
# that of an image with three layers of which the cache lacks the second, the second alone comes from the registry.
# The third comes too, though the cache has it: from the first layer on that is not there, all are fetched. The more
# so where the lowest layer is missing: then the cache is of no use.
source "$(dirname "$0")/common"
need python3 tar
need_root
source "$(dirname "$0")/common-containerd"
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
serving_path=$erofs:$PATH
registry=$(debian trixie docker-registry=2.8.3+ds1-2+b8 docker-registry)/docker-registry
skopeo=$(debian trixie skopeo=1.18.0+ds1-1+b5 skopeo)/skopeo
containerd_programs v2.4.2

cd "$work"
for layer in 1 2 3; do
  echo "$layer" >"file$layer" && tar -cf "$layer.tar" "file$layer"
done
layout image 1.tar 2.tar 3.tar
serve_registry image

digest() { sha256sum <"$1.tar" | cut -c -64; }
pull() { # NAME CACHE
  serve "$1" "
[plugins.'io.containerd.service.v1.diff-service']
  default = ['erofs', 'walking']
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = 'linux'
  snapshotter = 'erofs'
  differ = 'erofs'
[plugins.'io.containerd.snapshotter.v1.erofs']
  layer_content_caches = [$2]"
  ctr image pull --plain-http --snapshotter erofs "$image" >"$1.pull" 2>&1
}
pull first ""
PATH=$serving_path ctr image build-erofs-cache "$image" "$work/cache" >built 2>&1
unserve

# fetched LAYER...: which layers' blobs are fetched by a new node whose cache lacks these.
fetched() {
  local layer cache=$work/lacks-${*// /-}
  cp -r cache "$cache"
  for layer in "$@"; do
    find "$cache" -name "$(digest "$layer").erofs" -delete
  done
  pull "node${*// /-}" "'$cache'" || cat "node${*// /-}.pull"
  for layer in 1 2 3; do
    [[ $(ctr content ls -q 2>/dev/null) != *"$(digest "$layer")"* ]] || printf '%s ' "$layer"
  done
  echo "fetched"
  unserve
}
see "the cache has all" "$(fetched)" "fetched"
see "it lacks the third" "$(fetched 3)" "3 fetched"
see "it lacks the second" "$(fetched 2)" "2 3 fetched"
see "it lacks the first" "$(fetched 1)" "1 2 3 fetched"
