# A changed container becomes a layer: for `differ` and `snapshotter`, after daemon.sh.

# committed: what a container changed is a layer, of which another container is run.
committed() {
  local at tag=committed-$version-$RANDOM
  ctr run -d --snapshotter "$snapshotter" "$image" "changed-$$" /bin/sh -c \
    'echo new >/etc/new; cat /etc/new >>/srv/app; rm /data/n003; rm -r /data/opaque; mkdir /data/opaque
     echo other >/data/opaque/other; ln -s new /etc/link; chmod 4711 /data/n004; : >/done; sleep 100' ||
    fail "$name: no container to change"
  for at in {1..50}; do
    ctr task exec --exec-id "ask$at" "changed-$$" /bin/sh -c 'test -e /done' 2>/dev/null && break
    sleep 0.1
  done
  ctr snapshot --snapshotter "$snapshotter" diff "changed-$$" >"$home/layer.gz" 2>"$home/run.log" ||
    fail "$name: diff: $(cat "$home/run.log" "$home/daemon.log")"
  remove_container "changed-$$"
  grep -q 'msg="changes written"' "$home/daemon.log" || fail "$name: another differ compared"
  gzip -d <"$home/layer.gz" >"$home/layer.tar"
  "$here/with_layer.py" "$work/image" t "$tag" "$home/layer.gz" "$home/layer.tar"
  push "$tag"
  pull "${image%:*}:$tag" || fail "$name: pull: $(tail -n 3 "$home/pull.log" "$home/daemon.log")"
  [[ $(in_container "$snapshotter" "${image%:*}:$tag" "" 'cat /etc/link; sha256sum /srv/app /data/n005; cd /data
    find n003 opaque 2>/dev/null; stat -c "%a %u" /srv/app n004') == "new
$(printf 'app\nnew\n' | sha256sum | cut -d ' ' -f 1)  /srv/app
$(grep ' /data/n005$' "$work/image/want")
opaque
opaque/other
600 1234
4711 0" ]] || fail "$name: the committed image is another"
  echo "$name: a changed container, committed and run: all right"
}
