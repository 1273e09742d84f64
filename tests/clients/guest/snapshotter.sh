# Our tarfs-snapshotter as the snapshotter: containers stand on one sealed disk of all layers, which containerd opens
# through dm-verity, and on no other than the one whose root hash is expected.
node "tarfs-snapshotter"
root=$(tarfs root oci-archive:/node/image.tar:t 2>/dev/null)
printf '%064d of another image\n' 0 >"$home/expected"
daemon_with containerd-snapshotter.toml <<EOF
[snapshotter]
root = "$home/tarfs"
export_mode = "image_block_with_verity"
dmverity_mode = "on"
expected_roots = "$home/expected"
EOF
grep -q 'images are mounted through dm-verity' "$home/daemon.log" || fail "$name: it does not say so"
containerd_with <<EOF
$dropped_in
EOF
imported tarfs
run tarfs 'echo good' && fail "$name: an image runs whose root is not expected"
grep -q "root hash sha256:$root, which is not in $home/expected" "$home/run.log" || fail "$name: $(cat "$home/run.log")"
nothing_mapped
echo "$root" >>"$home/expected"
ctr run --rm --snapshotter tarfs --snapshotter-label "containerd.io/snapshot/tarfs-root=$(printf %064d 0)" test:t other /bin/true 2>"$home/run.log" &&
  fail "$name: an image runs whose root is not that of the label"
grep -q "root hash sha256:$root, and label" "$home/run.log" || fail "$name: $(cat "$home/run.log")"
expect_files tarfs
stays tarfs
[ "$(verity_roots)" = "$root" ] || fail "$name: stands on $(verity_roots), not on $root"
# It outlives both, who then close what they have not opened. A second container of the image has a device of its own.
end KILL $containerd_pid $daemon_pid
start_daemon
start_containerd
echo 3 >/proc/sys/vm/drop_caches
cat "/proc/$container/root/data/n123" >/dev/null || fail "$name: a container did not outlive a kill"
run tarfs 'cat /data/two' || fail "$name: a second container: $(cat "$home/run.log")"
[ "$(cat "$home/out")" = linked ] || fail "$name: a second container: $(cat "$home/out")"
[ "$(verity_roots)" = "$root" ] || fail "$name: after a kill it stands on $(verity_roots), not on $root"
ended
nothing_mapped

disk=$(find "$home/tarfs/disks" -name disk)
at=$(offset_of 299 "$disk")
flip "$disk" "$at"
broken_file tarfs
flip "$disk" "$at"
flip "$disk" 1030
broken_superblock tarfs
flip "$disk" 1030
# The root hash that containerd is told is the one that is held against what is expected.
sed -i 's/"roothash": "..../"roothash": "0000/' "$disk.dmverity"
expect_files tarfs
grep -q "$root" "$disk.dmverity" || fail "$name: containerd was told $(cat "$disk.dmverity")"
nothing_mapped
end TERM $containerd_pid $daemon_pid
say "$name: $(wc -l </node/want) files, by dm-verity with the root hash of tarfs root; another one is refused, a flipped bit is found"
