# Our tarfs-snapshotter as the snapshotter: containers stand on one sealed disk of all layers, through dm-verity, and on no
# other than the one whose root hash is expected.
. /node/sealed.sh

# expected: the image is refused until its root hash is expected, and when its snapshot's label names another.
expected() {
  run tarfs 'echo good' && fail "$name: an image runs whose root is not expected"
  grep -q "root hash sha256:$root, which is not in $home/expected" "$home/run.log" || fail "$name: $(cat "$home/run.log")"
  nothing_mapped
  echo "$root" >>"$home/expected"
  ctr run --rm --snapshotter tarfs --snapshotter-label "containerd.io/snapshot/tarfs-root=$(printf %064d 0)" \
    test:t other /bin/true 2>"$home/run.log" && fail "$name: an image runs whose root is not that of the label"
  grep -q "root hash sha256:$root, and label" "$home/run.log" || fail "$name: $(cat "$home/run.log")"
}

# viewed: a view of the image, without a container, goes through dm-verity too. containerd 2.3 ends when it is asked for one.
viewed() {
  [ "${version#2.3.}" = "$version" ] || return 0
  mkdir /mnt/view
  ctr images mount --snapshotter tarfs test:t /mnt/view >/dev/null 2>"$home/run.log" || fail "$name: a view: $(cat "$home/run.log")"
  [ "$(cat /mnt/view/data/two)" = linked ] || fail "$name: a view shows $(cat /mnt/view/data/two)"
  dmsetup table "$(mapped)" | grep -q " verity .* $root " || fail "$name: a view stands on $(mapped)"
  ctr images unmount --rm --snapshotter tarfs /mnt/view >/dev/null 2>"$home/run.log" || fail "$name: a view: $(cat "$home/run.log")"
  ctr content prune references >/dev/null # with which containerd ends what nobody holds any more
  rmdir /mnt/view
  all_unmounted
}

# at_once: containers of one image that start together.
at_once() {
  pids=
  for at in 1 2 3 4; do
    ctr run --rm --snapshotter tarfs --log-uri "file://$home/together$at" test:t "together$at" /bin/cat /data/two &
    pids="$pids $!"
  done
  wait $pids
  for at in 1 2 3 4; do
    [ "$(cat "$home/together$at")" = linked ] || fail "$name: one of four: $(cat "$home/together$at")"
  done
  all_unmounted
}

# outlived COUNT: a container outlives a kill of both, who then unmount what they have not mounted. Another container stands
# on COUNT devices together with it.
outlived() {
  stays tarfs
  [ "$(verity_roots)" = "$root" ] || fail "$name: stands on $(verity_roots), not on $root"
  end KILL $containerd_pid $daemon_pid
  start_daemon
  start_containerd
  echo 3 >/proc/sys/vm/drop_caches
  cat "/proc/$container/root/data/n123" >/dev/null || fail "$name: a container did not outlive a kill"
  first=$staying
  stays tarfs
  [ "$(verity_roots)" = "$root" ] || fail "$name: after a kill stands on $(verity_roots), not on $root"
  [ "$(mapped | wc -l)" = "$1" ] || fail "$name: of two containers: $(mapped)"
  ended
  staying=$first
  ended
  all_unmounted
}

# broken_sidecar: the root hash that is told is the one that is held against what is expected.
broken_sidecar() {
  sed -i 's/"roothash": "..../"roothash": "0000/' "$disk.dmverity"
  expect_files tarfs
  grep -q "$root" "$disk.dmverity" || fail "$name: told is $(cat "$disk.dmverity")"
}

# looked_at: who looks at a device when it is closed keeps it, as udev may where a mount was short; it is not closed again.
looked_at() {
  stays tarfs
  exec 5<"$(mapped)"
  ended
  all_unmounted
  sleep 3
  no_device && fail "$name: a device is closed that somebody looks at"
  exec 5<&-
}

sealed "tarfs-snapshotter" ''
imported tarfs
expected
expect_files tarfs
viewed
at_once
outlived 2
broken_disk
broken_sidecar
looked_at
ctr image rm --sync test:t >/dev/null # with which the disk goes
over "another one is refused"
sealed "tarfs-snapshotter, plain mounts" 'plain_mounts = true'
imported tarfs
echo "$root" >>"$home/expected"
expect_files tarfs
viewed
at_once
outlived 1
broken_disk
looked_at
expect_files tarfs
over "another one is refused"
