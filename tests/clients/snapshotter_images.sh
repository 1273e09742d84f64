# Images in the registry, and containers of them, for `snapshotter` and `attached`.

named() { echo "${image%:*}:$1"; }

# add TAG FIRST COUNT: an image in the registry of so many layers of the image `t`, and so many more.
add() {
  "$here/layers.py" "$work/image" t "$1" "$2" "$3"
  push "$1"
}
add one 1 0
add many 1 119
add shares 3 2
tar -C "$work" -cf "$work/added.tar" registry.yml
gzip -k "$work/added.tar"
"$here/with_layer.py" "$work/image" shares added "$work/added.tar.gz" "$work/added.tar"
push added

# start_container NAME IMAGE SCRIPT: one that stays. Its process is $container_pid.
start_container() {
  ctr run -d --snapshotter "${4:-$snapshotter}" "$2" "$1-$$" /bin/sh -c "$3" 2>"$home/run.log" || fail "$name: run $2: $(cat "$home/run.log")"
  container_pid=$(ctr task ls | awk -v name="$1-$$" '$1 == name {print $2}')
}

# shown IMAGE SNAPSHOTTER: the tree of a container, as the machine sees it.
shown() {
  start_container shown "$1" 'sleep 1000' "$2"
  "$here/show.py" "/proc/$container_pid/root"
  remove_container "shown-$$" >/dev/null
}

# same_tree IMAGE: containerd's overlayfs shows the same tree, but for times of directories: it puts whiteouts into them
# after it has set these.
same_tree() {
  ctr image pull --plain-http --snapshotter overlayfs "$1" >"$home/pull.log" 2>&1 || fail "$name: $1: $(tail -n 3 "$home/pull.log")"
  shown "$1" overlayfs >"$home/overlayfs"
  shown "$1" tarfs >"$home/tarfs.tree"
  (($(wc -l <"$home/overlayfs") > 10)) || fail "$name: $1: no tree: $(cat "$home/overlayfs")"
  diff <(untimed "$home/overlayfs") <(untimed "$home/tarfs.tree") >"$home/diff" || fail "$name: $1: other trees: $((head -n 5; tail -n 5) <"$home/diff")"
  echo "$name: $1: $(wc -l <"$home/overlayfs") paths as overlayfs has them"
}

untimed() { sed -E 's/^([^ ]+ 4[0-7]+ [0-9]+ [0-9]+) [0-9]+/\1/' "$1"; }

# remove_images: all, and what containerd still keeps for those that were not whole.
remove_images() {
  local all
  all=$(ctr image ls -q)
  [[ -z $all ]] || ctr image rm --sync $all >/dev/null
  ctr content prune references >/dev/null 2>&1 || true
}

# kept: the layers that the daemon has.
kept() { ls "$home/tarfs/layers/sha256"; }

# layer_of TAG N: the diffID of a layer.
layer_of() {
  python3 -c 'import json, sys
read = lambda name: json.load(open(sys.argv[1] + "/" + name))
[one] = [one for one in read("index.json")["manifests"] if sys.argv[2] in one["annotations"].values()]
config = read("blobs/sha256/" + read("blobs/sha256/" + one["digest"][7:])["config"]["digest"][7:])
print(config["rootfs"]["diff_ids"][int(sys.argv[3])][7:])' "$work/image" "$1" "$2"
}

# blobs_of TAG: the digests of an image's layers, as they are fetched.
blobs_of() {
  python3 -c 'import json, sys
read = lambda name: json.load(open(sys.argv[1] + "/" + name))
[one] = [one for one in read("index.json")["manifests"] if sys.argv[2] in one["annotations"].values()]
print(*(layer["digest"] for layer in read("blobs/sha256/" + one["digest"][7:])["layers"]))' "$work/image" "$1"
}

# until_kept COUNT: containerd has asked the daemon to clean up.
until_kept() {
  local try
  for try in {1..50}; do
    (($(kept | wc -l) != $1)) || return 0
    sleep 0.1
  done
  fail "$name: $(kept | wc -l) layers are kept, not $1"
}
