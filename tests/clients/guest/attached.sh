# An image from a registry with what `tarfs push --attach` has attached to it: no layer is indexed and no tar is hashed for
# the disk, and containers stand on dm-verity with the root hash of `tarfs root`.
. /node/sealed.sh
attached=$(cat /node/image)
registry=${attached%%/*}
docker-registry serve /node/registry.yml >/tmp/registry.log 2>&1 &
registry_pid=$!
listens() { wget -q -O /dev/null "http://$registry/v2/"; }
within 60 listens || fail "the registry does not start: $(cat /tmp/registry.log)"

# metric NAME: its value.
metric() { wget -q -O - "http://127.0.0.1:9101/metrics" | awk -v name="$1" '$1 == name {print $2}'; }

# pulled_attached: the image, which is test:t from then on.
pulled_attached() {
  ctr image pull --plain-http --snapshotter tarfs "$attached" >"$home/pull.log" 2>&1 ||
    fail "$name: pull: $(tail -n 3 "$home/pull.log")"
  ctr image tag "$attached" test:t >/dev/null
}

sealed "tarfs-snapshotter, attached" "[attached]
mode = \"require\"
registries = [\"$registry\"]
[metrics]
address = \"127.0.0.1:9101\""
echo "$root" >>"$home/expected"
pulled_attached
expect_files tarfs
stays tarfs
[ "$(verity_roots)" = "$root" ] || fail "$name: stands on $(verity_roots), not on $root"
ended
all_unmounted
[ "$(metric tarfs_indexed_bytes_total)" = 0 ] || fail "$name: $(metric tarfs_indexed_bytes_total) bytes were indexed"
[ "$(metric 'tarfs_attached_total{result="used"}')" = 1 ] || fail "$name: what is attached was not used"
broken_disk
ctr image rm --sync test:t "$attached" >/dev/null
over "no layer was indexed"
end TERM $registry_pid
