# What runs of pods share, beside daemon.sh: `crictl`, in the place of a kubelet, and a pod of two containers, which is run
# from the registry, read, asked, logged and removed. Its network is the machine's, so there is no CNI. It is sourced, by
# `cluster` and `daemonset`.
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/daemon.sh"
disabled='"io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"'
push pause

# crictl, of Kubernetes.
crictl=$cache/crictl-v1.34.0/bin/crictl
[[ -x $crictl ]] ||
  GOBIN=${crictl%/*} GOFLAGS=-buildvcs=false go install sigs.k8s.io/cri-tools/cmd/crictl@v1.34.0
cri() {
  printf '%s: unix://%s/c.sock\n' runtime-endpoint "$home" image-endpoint "$home" >"$home/crictl.yaml"
  "$crictl" --config "$home/crictl.yaml" --timeout 60s "$@"
}

# What CRI needs of containerd's configuration for the registry and the machine of this run.
mkdir -p "$work/certs/$registry"
printf '[host."http://%s"]\n' "$registry" >"$work/certs/$registry/hosts.toml"
for_cri="
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '$work/certs'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true" # a machine that is a container itself lets nobody go below its own

# sandbox NAME, container NAME IMAGE USER: what crictl is told of them. The network is the machine's. Each container has the
# same image as a volume too, at /volume.
sandbox() {
  cat >"$home/$1.json" <<END
{"metadata": {"name": "$1-$$", "namespace": "test", "uid": "$1-$$", "attempt": 1}, "log_directory": "$home/logs",
 "linux": {"security_context": {"namespace_options": {"network": 2}}}}
END
}
container() {
  cat >"$home/$1.json" <<END
{"metadata": {"name": "$1"}, "image": {"image": "$2"}, "log_path": "$1.log",
 "command": ["/bin/busybox", "sh", "-c", "echo $1 is there; busybox sleep 1000000"],
 "mounts": [{"container_path": "/volume", "image": {"image": "$2"}, "readonly": true}],
 "linux": {"security_context": {"run_as_user": {"value": $3}}}}
END
}

# in_pod CONTAINER COMMAND...: what a process in a container prints.
in_pod() {
  cri exec "$@" 2>"$home/exec.log" || fail "$name: exec: $(cat "$home/exec.log")"
}

# right CONTAINER: it shows every file of the image, at its root and in its volume, which nobody writes to.
right() {
  local at
  for at in "" /volume; do
    in_pod "$1" /bin/sh -c 'cd "$0"/ && find . -xdev -type f | grep -vE "^./(etc/(hosts|hostname|resolv.conf))$" | sort | xargs sha256sum' "$at" |
      sed 's| \./| /|' | LC_ALL=C sort -k 2 >"$home/sorted"
    LC_ALL=C sort -k 2 "$work/image/want" | diff - "$home/sorted" >"$home/diff" || fail "$name: other files in $at/: $(head -n 5 "$home/diff")"
  done
  in_pod "$1" /bin/sh -c '! touch /volume/new 2>/dev/null'
}

# pod OPTIONS...: runs one, of two containers; their ids are in $first and $second.
pod() {
  sandbox pod
  container first "$image" 0
  container second "$image" 1234
  cri pull "$image" >"$home/pull.log" 2>&1 || fail "$name: pull: $(tail -n 3 "$home/pull.log" "$home/daemon.log" "$home/log")"
  pod_id=$(cri runp "$@" "$home/pod.json" 2>"$home/run.log") || fail "$name: pod: $(cat "$home/run.log")"
  local id which
  for which in first second; do
    id=$(cri create "$pod_id" "$home/$which.json" "$home/pod.json" 2>"$home/run.log") || fail "$name: create: $(cat "$home/run.log")"
    cri start "$id" >/dev/null 2>"$home/run.log" || fail "$name: start: $(cat "$home/run.log")"
    declare -g "$which=$id"
  done
}

# runs: the pod's containers are as they should be.
runs() {
  right "$first"
  local facts
  facts=$(in_pod "$second" /bin/sh -c 'id -u; stat -c "%h %a %u" /data/two /srv/app; stat -c %a /tmp; touch /tmp/new && echo writable')
  [[ $facts == $'1234\n2 644 0\n1 600 1234\n1777\nwritable' ]] || fail "$name: other facts: $facts"
  [[ $(cri logs "$first") == "first is there" ]] || fail "$name: no log"
}

# gone IMAGES...: the pod and these images go, and nothing of them stays in the directory tarfs.
gone() {
  local try
  cri stopp "$pod_id" >/dev/null
  cri rmp "$pod_id" >/dev/null
  cri rmi "$@" >/dev/null 2>&1
  for try in {1..100}; do
    [[ -n $(ls "$home/tarfs/layers/sha256" "$home/tarfs/images" | grep -v :) || -n $(ls "$home/tarfs/snapshots") ]] || return 0
    sleep 0.1
  done
  fail "$name: it stays: $(ls "$home/tarfs/layers/sha256" "$home/tarfs/images" "$home/tarfs/snapshots")"
}
