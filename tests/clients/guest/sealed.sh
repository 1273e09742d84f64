# What the runs of our snapshotter on sealed disks share: the image's root hash, a node, its devices, and broken disks. It is
# sourced.
root=$(tarfs root oci-archive:/node/image.tar:t 2>/dev/null)

# sealed NAME KEYS: a node on which only other images are expected; KEYS are more of the daemon's configuration.
sealed() {
  node "$1"
  printf '%064d of another image\n' 0 >"$home/expected"
  daemon_with containerd-snapshotter.toml <<EOF
[snapshotter]
root = "$home/tarfs"
export_mode = "image_block_with_verity"
dmverity_mode = "on"
expected_roots = "$home/expected"
$2
EOF
  grep -q 'images are mounted through dm-verity' "$home/daemon.log" || fail "$name: it does not say so"
  containerd_with <<EOF
$dropped_in
EOF
}

# mapped: the devices that EROFS is mounted from.
mapped() { awk '$3 == "erofs" {print $1}' /proc/mounts | sort -u | grep ^/dev/mapper/; }

# all_unmounted: nothing is. A device may be left, if somebody had it open when containerd closed it.
all_unmounted() {
  within 20 unmounted || fail "$name: an image stays mounted: $(mapped)"
}
unmounted() { [ -z "$(mapped)" ]; }

# broken_disk: bits of the disk are turned, and found.
broken_disk() {
  disk=$(find "$home/tarfs/disks" -name disk)
  at=$(offset_of 299 "$disk")
  flip "$disk" "$at"
  broken_file tarfs
  flip "$disk" "$at"
  flip "$disk" 1030
  broken_superblock tarfs
  flip "$disk" 1030
}

# over WHAT: all is closed; WHAT was seen beside.
over() {
  nothing_mapped
  end TERM $containerd_pid $daemon_pid
  say "$name: $(wc -l </node/want) files, by dm-verity with the root hash of tarfs root; $1, a flipped bit is found"
}
