# What the runs of clients share: a containerd and a registry with the image of `image.py`, both in a temporary
# directory of their own. It is sourced, by `mkfs`, `tarfs`, `nydus`, `daemon.sh` and `broken`.
#
# Wants Debian's docker-registry and skopeo too, and root.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/programs.sh"
wants docker-registry skopeo
registry=127.0.0.1:${TARFS_REGISTRY_PORT:-5107}
image=$registry/test/image:t

running=() # process ids of what was started here

# Ends what was started last.
stop_last() {
  local pid=${running[-1]}
  unset 'running[-1]'
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# Ends what was started, by its number, the last one first.
stop() {
  while ((${#running[@]} > 0)); do
    stop_last
  done
}

# forget PID: it has ended.
forget() {
  local pid others=()
  for pid in "${running[@]}"; do
    ((pid == $1)) || others+=("$pid")
  done
  running=("${others[@]}")
}

# release_below DIRECTORY/: mounts and loop devices are left where a container could not be removed, and by nydus-snapshotter.
release_below() {
  awk -v below="$1" 'index($5, below) == 1 {print $5}' /proc/self/mountinfo | sort -r |
    while read -r point; do umount "$point"; done
  losetup --list --noheadings --output NAME,BACK-FILE | awk -v below="$1" 'index($2, below) == 1 {print $1}' |
    while read -r device; do losetup --detach "$device"; done
}

release() { release_below "$work/"; }

# end_shims: those of containers that a run which failed has left, and those that containerd did not know yet when it was
# killed.
end_shims() {
  local shim
  for shim in $(pgrep -f -- "containerd-shim-runc-v2 .*-address $work/"); do
    kill -9 $(cat "/proc/$shim/task/$shim/children") "$shim" 2>/dev/null || true
  done
}

clean() {
  stop
  end_shims
  release
  rm -rf "$work"
}
trap clean EXIT

# The digests of its layers, as they are fetched.
layer_blobs=$(python3 -c 'import json, sys
read = lambda name: json.load(open(sys.argv[1] + "/" + name))
manifest = read("index.json")["manifests"][0]["digest"][7:]
print(*(layer["digest"][7:] for layer in read("blobs/sha256/" + manifest)["layers"]))' "$work/image")

cat >"$work/registry.yml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: $registry}
EOF
docker-registry serve "$work/registry.yml" >>"$work/registry.log" 2>&1 &
running+=($!)

# push TAG: brings the image with this tag to the registry.
push() {
  local try
  for try in {1..50}; do
    skopeo --insecure-policy copy --quiet --dest-tls-verify=false \
      "oci:$work/image:$1" "docker://${image%:*}:$1" 2>"$work/push.log" && return
    kill -0 "${running[0]}" 2>/dev/null && ((try < 50)) ||
      fail "registry: $(cat "$work/registry.log" "$work/push.log")"
    sleep 0.2
  done
}
push t

# fetched: the layers' blobs that the registry was asked for since its log was emptied.
fetched() {
  local blob
  for blob in $layer_blobs; do
    grep -o "GET /v2/[^ ]*/blobs/sha256:$blob" "$work/registry.log" || true
  done
}

# What containerd finds by name.
programs=$work/path:$bin:$PATH

# sockets: where containerd listens, as its version's configuration has it.
sockets() {
  if [[ $version == v2.2.* ]]; then
    printf '%s\n' '[grpc]' "address = '$home/c.sock'" '[ttrpc]' "address = '$home/t.sock'"
  else
    printf '%s\n' "[plugins.'io.containerd.server.v1.grpc']" "address = '$home/c.sock'" \
      "[plugins.'io.containerd.server.v1.ttrpc']" "address = '$home/t.sock'" \
      "[plugins.'io.containerd.shim.v1.manager']" "socket_dir = '$home/shim'"
  fi
}

# What containerd leaves out: Kubernetes has no part in most runs.
disabled='"io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.podsandbox.controller.v1.podsandbox", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"'

# containerd: starts one in the directory $home; what its configuration needs more is read.
containerd() {
  local more config=4
  more=$(cat)
  [[ $version != v2.2.* ]] || config=3
  cat >"$home/config.toml" <<EOF
version = $config
root = "$home/root"
state = "$home/state"
disabled_plugins = [$disabled]
$(sockets)
$more
EOF
  start_containerd
}

# What containerd is started by, if not by itself.
launcher=()

# start_containerd: again, with the configuration that it had.
start_containerd() {
  PATH=$programs "${launcher[@]}" "$bin/containerd" -c "$home/config.toml" >>"$home/log" 2>&1 &
  containerd_pid=$!
  running+=($containerd_pid)
  local try
  for try in {1..100}; do
    ctr version >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "containerd does not start: $(tail -n 5 "$home/log")"
}

# ctr, which may run mkfs.erofs itself. Of this machine's cgroups it complains each time. When it returns all of its errors
# are written.
ctr() {
  {
    timeout 120 env PATH="$programs" "$bin/ctr" -a "$home/c.sock" "$@" 2>&1 >&3 3>&- |
      { grep -v DEPRECATION >&2 || true; }
  } 3>&1
}

# in_container SNAPSHOTTER IMAGE OPTIONS SCRIPT: what a container prints. Each has a name of its own, as runc keeps
# the names of all containers on the machine in one place. The shim writes to a file: containerd's clients may close their
# pipes before they have read all (findings/containerd-client-closes-output.sh), which a busy machine shows.
in_container() {
  local id=tarfs-$$-$RANDOM$RANDOM
  ctr run --rm --snapshotter "$1" $3 --log-uri "file://$home/$id" "$2" "$id" /bin/sh -c "$4" 2>"$home/run.log" ||
    fail "run: $(cat "$home/run.log" "$home/$id")"
  cat "$home/$id"
  rm -f "$home/$id"
}

# expect_files NAME SNAPSHOTTER IMAGE: runs a container, whose process prints the digest of every file that
# it sees.
expect_files() {
  in_container "$2" "$3" "" 'find / -xdev -type f | sort | xargs sha256sum' | LC_ALL=C sort -k 2 >"$home/sorted"
  LC_ALL=C sort -k 2 "$work/image/want" | diff - "$home/sorted" || fail "$1: other files"
}

# expect_facts NAME SNAPSHOTTER IMAGE: the same of links, modes, owners, and that a container can write.
expect_facts() {
  local facts
  facts=$(in_container "$2" "$3" "--user app" \
    'id -u; stat -c "%h %a %u" /data/two /srv/app /tmp; touch /tmp/new && echo writable')
  [[ $facts == $'1234\n2 644 0\n1 600 1234\n2 1777 0\nwritable' ]] || fail "$1: $facts"
}

# ten_at_once NAME SNAPSHOTTER IMAGE: containers that start together; into one that runs on, another process is
# brought.
ten_at_once() {
  local at pids=()
  for at in {1..10}; do
    ctr run --rm --snapshotter "$2" "$3" "many$at-$$" /bin/sh -c "cat /data/two; echo $at" >"$home/many$at" 2>&1 &
    pids+=($!)
  done
  for at in "${pids[@]}"; do
    wait "$at" || fail "$1: one of ten: $(tail -n 2 "$home"/many*)"
  done
  ctr run -d --snapshotter "$2" "$3" "stays-$$" /bin/sh -c 'sleep 100' 2>"$home/run.log" || fail "$1: $(cat "$home/run.log")"
  ctr task exec --exec-id more "stays-$$" /bin/sh -c 'sha256sum /data/two' >"$home/exec" || fail "$1: exec"
  grep -q "$(cut -d ' ' -f 1 "$home/exec")" "$work/image/want" || fail "$1: exec saw: $(cat "$home/exec")"
  remove_container "stays-$$"
}

# remove_container NAME: ends it and removes it.
remove_container() {
  local try
  ctr task kill -s KILL "$1"
  for try in {1..50}; do
    ctr task delete "$1" >/dev/null 2>&1 && break
    sleep 0.1 # it may not have ended yet
  done
  ctr container rm "$1"
}
