# containerd's own EROFS snapshotter, which mounts each layer through dm-verity.

# by_mkfs NAME PRESET OPTIONS: containerd's differ makes the layers by our mkfs.erofs, and their hash trees itself. OPTIONS
# are the differ's.
by_mkfs() {
  node "$1"
  containerd_with <<EOF
[plugins.'io.containerd.service.v1.diff-service']
  default = ["erofs", "walking"]
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = "linux"
  snapshotter = "erofs"
  differ = "erofs"
[plugins.'io.containerd.snapshotter.v1.erofs']
  dmverity_mode = "on"
[plugins.'io.containerd.differ.v1.erofs']
  enable_dmverity = true
  $3
EOF
  layers_hold "$2"
}

# by_daemon NAME PRESET: our tarfs-snapshotter makes both.
by_daemon() {
  node "$1"
  daemon_with containerd.toml <<EOF
[verity]
layers = "$2"
EOF
  ! grep -q level=WARN "$home/daemon.log" || fail "$name: a warning"
  containerd_with <<EOF
$dropped_in
[plugins.'io.containerd.snapshotter.v1.erofs']
  dmverity_mode = "on"
EOF
  layers_hold "$2"
  end TERM $daemon_pid
}

# layers_hold PRESET: a container is right, stands on dm-verity with the roots that the tool computes, and what is broken
# is found. PRESET is how `tarfs verity` names the parameters of the trees.
layers_hold() {
  imported erofs
  expect_files erofs
  stays erofs
  verity_roots >"$home/roots"
  layer_roots "$1" | cmp -s - "$home/roots" || fail "$name: root hashes: $(cat "$home/roots"), not $(layer_roots "$1")"
  ended
  nothing_mapped
  broken_layer
  end TERM $containerd_pid
  say "$name: 5 layers, $(wc -l </node/want) files, each by dm-verity with the root hash of tarfs verity; a flipped bit is found"
}

# layers: the files of the snapshots, uppermost first.
layers() { find "$home"/root/io.containerd.snapshotter.v1.erofs/snapshots -name layer.erofs | sort -rV; }

# layer_roots PRESET: the root hash of each, as the tool computes it of the layer's data alone.
layer_roots() {
  layers | while read -r layer; do
    offset=$(sed -n 's/.*"hashoffset": \([0-9]*\).*/\1/p' "$layer.dmverity")
    head -c "$offset" "$layer" >/tmp/layer
    tarfs verity format --preset "$1" /tmp/layer 2>/dev/null | grep -oE '[0-9a-f]{64}' | head -n 1
    rm /tmp/layer
  done
}

# broken_layer: bits of the lowest layer are turned, and found.
broken_layer() {
  base=$(layers | tail -n 1)
  at=$(offset_of 299 "$base")
  flip "$base" "$at"
  broken_file erofs
  flip "$base" "$at"
  flip "$base" 1030
  broken_superblock erofs
  flip "$base" 1030
  expect_files erofs
  nothing_mapped
}

by_mkfs "mkfs.erofs" containerd-4k ''
by_mkfs "mkfs.erofs, tar index" containerd 'enable_tar_index = true'
by_daemon "tarfs-snapshotter, differ alone" containerd
