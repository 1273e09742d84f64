# What `tarfs push --attach` has put into the registry is used by the daemon. It is sourced by `attached`.

# metric NAME: its value, whole.
metric() {
  python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")
text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
[value] = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.rsplit(" ", 1)[0] == sys.argv[2]]
print(int(float(value)))' "$home/metrics" "$1"
}

# is NAME VALUE: a metric.
is() {
  [[ $(metric "$1") == "$2" ]] || fail "$name: $1 is $(metric "$1"), not $2"
}

# image_label: what the snapshots say of the image's disk.
image_label() {
  ctr snapshot --snapshotter tarfs ls | awk '$3 == "Committed" {print $1}' |
    while read -r snapshot; do ctr snapshot --snapshotter tarfs info "$snapshot"; done |
    grep -o '"containerd.io/snapshot/nydus-image-block": "[^"]*"'
}

# attach TAG: as whoever has built the image does; the answer is in $work/attached.
attach() {
  "$tool" push --attach --json "docker://$(named "$1")" >"$work/attached" || fail "$1: nothing is attached"
}

# said KEY [KEY]: of that answer.
said() { python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, key: value[key], sys.argv[2:], json.load(open(sys.argv[1]))))' "$work/attached" "$@"; }

# attached: metadata and hash trees that are attached serve images of 5 and 120 layers, and with the root hash that
# `tarfs root` says; no layer is indexed, and of disks nothing is hashed but their metadata.
attached() {
  local root tag disk
  for tag in t many; do
    attach $tag
    root=$("$tool" root "docker://$(named $tag)")
    [[ $(said root_hash) == "$root" ]] || fail "$name: $tag: root hash $(said root_hash), not $root"
    pulled "$(named $tag)"
    same_tree "$(named $tag)"
    [[ $(image_label) == *",sha256:$root\""* ]] || fail "$name: $tag: the labels are $(image_label), not of $root"
  done
  expect_files "$name" tarfs "$image"
  expect_facts "$name" tarfs "$image"
  ten_at_once "$name" tarfs "$image"
  is tarfs_indexed_bytes_total 0
  is 'tarfs_attached_total{result="used"}' 2
  is 'tarfs_attached_total{result="refused"}' 0
  disk=$(metric 'tarfs_hashed_bytes_total{of="disk"}')
  ((disk * 4 < $(metric tarfs_layer_tar_bytes_total))) || fail "$name: $disk bytes of disks were hashed"
  remove_images
  until_kept 0
  [[ -z $(ls "$home/tarfs/attached")$(ls "$home/tarfs/disks") ]] || fail "$name: what was attached stays"
  echo "$name: 0 bytes indexed, $disk of disks hashed, which is their metadata: all right"
}

# changed: one byte of what is attached, in the registry.
changed() {
  local hex file
  attach t
  hex=$(said hash_tree digest)
  file=$work/registry/docker/registry/v2/blobs/sha256/${hex:7:2}/${hex:7}/data
  cp "$file" "$work/whole"
  printf 'x' | dd of="$file" bs=1 seek=1000 conv=notrunc status=none
  ! pull "$image" || fail "$name: a changed byte was not refused"
  grep -q "$hex: has other bytes than its digest says" "$home/pull.log" || fail "$name: refused otherwise: $(tail -n 3 "$home/pull.log")"
  cp "$work/whole" "$file"
  remove_images
  end_daemon TERM
  start_daemon # which forgets what was not right
  pulled "$image"
  expect_files "$name" tarfs "$image"
  remove_images
  echo "$name: a changed byte is refused, and whole again it is used: all right"
}
