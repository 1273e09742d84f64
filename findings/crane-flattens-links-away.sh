#!/usr/bin/env bash
# `crane export` and `crane flatten` 0.22 make one tar of an image's layers. One would guess that a name which is a hard
# link in a lower layer keeps its bytes when a higher layer replaces or removes the other name, as it does in a
# container. The tar has the link as it stood in its layer: over the *new* file of that name, whose bytes it then has,
# exit 0, or over none, so that GNU tar fails to extract it. What flatten pushes has it so.
source "$(dirname "$0")/common"
need python3 tar
go_tools github.com/google/go-containerregistry/cmd/crane@v0.22.1

cd "$work"
mkdir lower upper merged
echo old >lower/a && ln lower/a lower/link-to-a
echo old >lower/b && ln lower/b lower/link-to-b
echo new >upper/a
touch upper/.wh.b
tar -cf lower.tar -C lower a link-to-a b link-to-b
tar -cf upper.tar -C upper a .wh.b
layout image lower.tar upper.tar

# crane reads registries, and has one of its own.
port=$(free_port)
bin/crane registry serve --address "127.0.0.1:$port" >registry.log 2>&1 &
served=$!
trap 'kill $served; wait $served 2>/dev/null || true; leave' EXIT
for _ in {1..50}; do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.1
done
bin/crane push image "127.0.0.1:$port/image:t" >push.log 2>&1
bin/crane export "127.0.0.1:$port/image:t" flat.tar

see "the links in the tar" "$(tar -tvf flat.tar | grep -o 'link-to.*' | tr '\n' ',')" \
  "link-to-a link to a,link-to-b link to b,"
see "GNU tar" "$(said tar -xf flat.tar -C merged | cut -c 1-6)" "exit 2"
see "the link to the file that is replaced" "$(cat merged/link-to-a)" "new"
see "the link to the one that is removed" "$(ls merged | xargs)" "a link-to-a"
bin/crane flatten -t "127.0.0.1:$port/image:flat" "127.0.0.1:$port/image:t" >flatten.log 2>&1
see "the layer that flatten pushed" "$(bin/crane blob "127.0.0.1:$port/image@$(bin/crane manifest "127.0.0.1:$port/image:flat" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])')" | tar -tzvf - | grep -o 'link-to.*' | tr '\n' ',')" \
  "link-to-a link to a,link-to-b link to b,"
