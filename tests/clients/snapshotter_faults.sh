# What goes wrong under the daemon, for `snapshotter`: each time the client is told which layer, and why, and the next
# try works.

# owned_by_none: files of the daemon, mounts and loop devices, where there is no snapshot any more. The daemon's own
# mounts are not in it.
owned_by_none() {
  find "$home/tarfs" -mindepth 1 ! -path "$home/tarfs/lost+found" \( -type f -o -path '*/snapshots/*' -o -path '*/mounts/*' \
    -o -path '*/images/*' -o -path '*/sha256/*' \) ! -path "$home/tarfs/metadata.db" ! -path "$home/tarfs/lock"
  awk -v home="$home/" 'index($5, home) == 1 {print "mount", $5}' /proc/self/mountinfo | grep -v " $home/tarfs$" || true
  losetup --list --noheadings --output NAME,BACK-FILE | awk -v home="$home/" 'index($2, home) == 1' | grep -v full.img || true
}

# nothing_left: all is gone that no snapshot owns. Removals by containerd may be under way.
nothing_left() {
  local try
  for try in {1..50}; do
    [[ -n $(owned_by_none) ]] || return 0
    sleep 0.2
  done
  fail "$name: left: $(owned_by_none | head -n 20) $(ctr snapshot --snapshotter tarfs ls)"
}

# refused IMAGE WORDS: a pull fails, and the client is told so.
refused() {
  ! pull "$1" || fail "$name: $1 was pulled, which could not be"
  grep -qiE "$2" "$home/pull.log" || fail "$name: not \"$2\": $(tail -n 3 "$home/pull.log")"
}

# small_disk: the daemon, which has ended, starts on a disk of its own.
small_disk() {
  [[ -e $home/full.img ]] || {
    truncate -s 40M "$home/full.img"
    mkfs.ext4 -q "$home/full.img"
  }
  mount -o loop,errors=remount-ro "$home/full.img" "$home/tarfs"
  start_daemon
}

# usual_disk: and again as before.
usual_disk() {
  end_daemon TERM
  umount "$home/tarfs"
  start_daemon
}

# right_again: the next pull is right, and nothing of it stays.
right_again() {
  pulled "$image"
  expect_files "$name" tarfs "$image"
  remove_images
  nothing_left
}

# disk_full: of the disk that layers are kept on.
disk_full() {
  end_daemon TERM
  small_disk
  fallocate -l "$(($(df --output=avail -B1 "$home/tarfs" | tail -n 1) - 2000000))" "$home/tarfs/filler"
  refused "$image" 'layer sha256:[0-9a-f]{64}: .*no space left on device'
  remove_images
  rm "$home/tarfs/filler"
  nothing_left
  right_again
  usual_disk
  echo "$name: a full disk: an error that says so, nothing left, and the next is right"
}

# read_only: the disk has an error, after which the kernel lets nobody write to it; once with no layer there, once under
# an image that is there.
read_only() {
  end_daemon TERM
  small_disk
  disk_error
  # containerd 2.3.7 calls an image saved for which it could prepare no snapshot, and unpacks it when a container is to run.
  if [[ $version == v2.3.* ]]; then
    pull "$image" || true
    grep -q 'msg="call failed".*read-only file system' "$home/daemon.log" || fail "$name: the log does not say it"
  else
    refused "$image" 'layer sha256:[0-9a-f]{64}: .*read-only file system|snapshot .*read-only file system'
  fi
  remove_images
  umount_read_only
  small_disk
  nothing_left
  pulled "$image"
  disk_error
  ! ctr run --rm --snapshotter tarfs "$image" "refused-$$" /bin/true >"$home/run.log" 2>&1 || fail "$name: a container runs that nothing can be written of"
  grep -qi 'read-only file system' "$home/run.log" || fail "$name: not read-only: $(cat "$home/run.log")"
  ctr container rm "refused-$$" >/dev/null 2>&1 || true
  umount_read_only
  small_disk
  expect_files "$name" tarfs "$image"
  remove_images
  nothing_left
  usual_disk
  echo "$name: a disk that becomes read-only: errors that say so, and with it in order the next is right"
}

# disk_error: as ext4 meets it.
disk_error() {
  local device
  device=$(findmnt -no SOURCE "$home/tarfs")
  echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
}

# umount_read_only: the daemon ends, which it can, and the disk goes.
umount_read_only() {
  kill "$daemon_pid"
  wait "$daemon_pid" 2>/dev/null || true
  forget "$daemon_pid"
  umount "$home/tarfs"
  e2fsck -fy "$home/full.img" >/dev/null 2>&1 || (($? < 4)) || fail "$name: the disk is not mended"
}

# cut_off: layers whose blobs end too early. The image says so of one; the registry ends in the middle of another.
cut_off() {
  local proxy
  head -c -9 "$home/layer.gz" >"$home/cut.gz"
  "$here/with_layer.py" "$work/image" t "cut-$version" "$home/cut.gz" "$home/layer.tar"
  push "cut-$version"
  refused "$(named "cut-$version")" "layer sha256:$(sha256sum <"$home/cut.gz" | cut -d ' ' -f 1): unpack: "
  remove_images
  nothing_left
  python3 "$here/ends.py" "${registry##*:}" 1500000 >"$home/port" 2>&1 &
  proxy=$!
  running+=($proxy)
  until [[ -s $home/port ]]; do sleep 0.1; done
  refused "127.0.0.1:$(cat "$home/port")/test/image:t" 'EOF|connection|refused|reset'
  wait "$proxy" || fail "$name: the registry did not end by itself"
  forget "$proxy"
  remove_images
  nothing_left
  pulled "$image"
  expect_files "$name" tarfs "$image"
  echo "$name: a layer that is cut, and a registry that ends: errors that say so, nothing left, and the next is right"
}

# damaged: a kept layer is cut while it is in use. Containers that start are refused, and the next pull has it right.
damaged() {
  local layer
  layer=$(layer_of t 1)
  truncate -s -1 "$home/tarfs/layers/sha256/$layer/layer.tar"
  ! ctr run --rm --snapshotter tarfs "$image" "damaged-$$" /bin/sh -c : >"$home/run.log" 2>&1 || fail "$name: a damaged layer was run"
  grep -q "layer sha256:$layer: .*damaged" "$home/run.log" || fail "$name: $(cat "$home/run.log")"
  ctr container rm "damaged-$$" >/dev/null 2>&1 || true
  remove_images
  pulled "$image"
  expect_files "$name" tarfs "$image"
  # The same while the daemon is not there.
  end_daemon TERM
  rm "$home/tarfs/layers/sha256/$layer/layer.tar"
  start_daemon
  ! ctr run --rm --snapshotter tarfs "$image" "damaged-$$" /bin/sh -c : >"$home/run.log" 2>&1 || fail "$name: a layer that is gone was run"
  grep -q "layer sha256:$layer " "$home/run.log" || fail "$name: $(cat "$home/run.log")"
  ctr container rm "damaged-$$" >/dev/null 2>&1 || true
  remove_images
  right_again
  echo "$name: a kept layer that is damaged: an error that says so, and the next pull is right"
}

faults() {
  disk_full
  read_only
  cut_off
  damaged
}
