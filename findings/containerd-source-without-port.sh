#!/usr/bin/env bash
# containerd labels each blob that it fetches with the registry and repository that it came from,
# `containerd.io/distribution.source.HOST`. One would guess that HOST is the registry's as in the image's name. Its port is left
# out: whoever asks that registry for more (referrers, a layer anew) by the label asks at port 443. What is fetched from two
# registries on one host, of the same repository, has one label.
source "$(dirname "$0")/common"
need python3 tar
need_root
source "$(dirname "$0")/common-containerd"
registry=$(debian trixie docker-registry=2.8.3+ds1-2+b8 docker-registry)/docker-registry
skopeo=$(debian trixie skopeo=1.18.0+ds1-1+b5 skopeo)/skopeo
containerd_programs v2.4.2

cd "$work"
echo hello >file && tar -cf layer.tar file
layout layers layer.tar
serve_registry layers
serve node ""
ctr content fetch --plain-http "$image" >fetched 2>&1 || cat fetched
port=${image#*:} port=${port%%/*}
see "the image is called" "${image//$port/PORT}" "127.0.0.1:PORT/image:t"
label=$(ctr content ls | grep "$(sha256sum <layer.tar | cut -c -64)" | grep -o 'containerd.io/distribution.source[^ ,]*' | sort -u)
see "its layer came from" "${label//$port/PORT}" "containerd.io/distribution.source.127.0.0.1=image"
