# What is started on the node: a containerd, and our daemon; and how the guest ends where something is wrong.

say() { echo "$*" >&3; }

# fail WHAT: ends the guest.
fail() {
  say "FAILED: $*"
  tail -n 5 "$home/log" "$home/daemon.log" >&3 2>/dev/null
  dmesg | tail -n 5 >&3
  busybox poweroff -f
}

# node NAME: a directory of its own for a containerd, which is the one that is asked from now on. Its path is short, as
# sockets are in it.
nodes=0
node() {
  nodes=$((nodes + 1))
  name=$1 home=/state/$nodes
  mkdir "$home"
}

# containerd_with: starts one; what its configuration has more is read.
containerd_with() {
  cat >"$home/config.toml" <<EOF
version = 4
root = "$home/root"
state = "$home/run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.podsandbox.controller.v1.podsandbox", "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
[plugins.'io.containerd.server.v1.grpc']
address = '$home/c.sock'
[plugins.'io.containerd.server.v1.ttrpc']
address = '$home/t.sock'
[plugins.'io.containerd.shim.v1.manager']
socket_dir = '$home/shim'
$(cat)
EOF
  start_containerd
}

start_containerd() {
  containerd -c "$home/config.toml" >>"$home/log" 2>&1 &
  containerd_pid=$!
  within 60 answers || fail "$name: containerd does not start"
}

# daemon_with DROP_IN: starts our daemon; what its configuration has more is read. What containerd's is to have, by the file
# of this name of contrib, is in $dropped_in.
daemon_with() {
  { printf '%s\n' "address = '$home/tarfs.sock'" '[differ]' "content_root = '$home/root/io.containerd.content.v1.content'" \
    "containerd_address = '$home/c.sock'" && cat; } >"$home/tarfs.toml"
  dropped_in=$(sed "/^version/d; s|/run/tarfs-snapshotter/tarfs.sock|$home/tarfs.sock|" "/node/$1")
  start_daemon
}

start_daemon() {
  tarfs-snapshotter --config "$home/tarfs.toml" 2>"$home/daemon.log" &
  daemon_pid=$!
  within 60 grep -q msg=serving "$home/daemon.log" || fail "$name: the daemon does not start"
}

# end SIGNAL PID...: ends what was started.
end() {
  signal=$1
  shift
  kill -s "$signal" "$@"
  wait "$@"
}

answers() { [ -S "$home/c.sock" ] && ctr version >/dev/null 2>&1; }

# within SECONDS COMMAND...: waits for a command to work.
within() {
  left=$(($1 * 5))
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.2
  done
}
