# What the runs of tarfs-snapshotter share: the daemon, with a containerd that knows it by the drop-in of contrib. It
# is sourced, by `differ` and `snapshotter`, whose first argument is the daemon. Before, they set `drop_in`, a file of
# contrib, and `snapshotter`, containerd's name of it.
daemon=$(readlink -f "${1:?}")
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
contrib=$(readlink -f "$here/../../examples/go/cmd/tarfs-snapshotter/contrib")

# Whoever calls mkfs.erofs finds that there is none, and is noted.
mkdir "$work/path"
cat >"$work/path/mkfs.erofs" <<END
#!/bin/sh
echo "\$*" >>"$work/calls"
exit 127
END
chmod +x "$work/path/mkfs.erofs"

# start NAME MORE-OF-CONFIGURATION: a daemon and a containerd with data of their own in $home, which is HOME in the
# configuration; both listen before the other is asked anything. `of_containerd` is more of containerd's.
start() {
  name="containerd $version, $1"
  home=$(mktemp -d "$work/containerd.XXX")
  : >"$work/calls"
  cat >"$home/tarfs.toml" <<END
address = "$home/tarfs.sock"
[differ]
content_root = "${content_root-$home/root/io.containerd.content.v1.content}"
containerd_address = "$home/c.sock"
${2//HOME/$home}
END
  start_daemon
  containerd < <(
    sed "/^version/d; s|/run/tarfs-snapshotter/tarfs.sock|$home/tarfs.sock|" "$contrib/$drop_in"
    printf '%s\n' "${of_containerd-}"
  )
}

# start_daemon: with no more rights than the systemd unit gives it.
start_daemon() {
  local try rights
  rights=$(sed -n 's/^CapabilityBoundingSet=//p' "$contrib/tarfs-snapshotter.service" | tr 'A-Z' 'a-z' | sed 's/cap_/,+/g; s/ //g')
  : >"$home/daemon.log"
  setpriv --bounding-set="-all$rights" --no-new-privs "$daemon" --config "$home/tarfs.toml" >>"$home/daemon.log" 2>&1 &
  daemon_pid=$!
  running+=($daemon_pid)
  for try in {1..100}; do
    ! grep -q "msg=serving" "$home/daemon.log" || return 0
    sleep 0.1
  done
  fail "$name: the daemon does not start: $(cat "$home/daemon.log")"
}

# end_daemon SIGNAL
end_daemon() {
  kill -s "$1" "$daemon_pid"
  wait "$daemon_pid" 2>/dev/null || [[ $1 == KILL ]] || fail "$name: the daemon does not end well: $(cat "$home/daemon.log")"
  forget "$daemon_pid"
}

# held_daemon: starts it anew, again each time that it ends, with a socket that somebody else holds, as systemd does. Its
# number is in $home/pid.
held_daemon() {
  python3 "$here/held.py" "$home/tarfs.sock" "$home/pid" "$daemon" --config "$home/tarfs.toml" >>"$home/daemon.log" 2>&1 &
  daemon_pid=$!
  running+=($daemon_pid)
}

# both_end: the daemon, and then containerd.
both_end() {
  end_daemon TERM
  stop_last
}

pull() {
  ctr image pull --plain-http --snapshotter "$snapshotter" "${1:-$image}" >"$home/pull.log" 2>&1
}

# pulled IMAGE: a pull that has to work.
pulled() {
  pull "$1" || fail "$name: pull of $1: $(tail -n 3 "$home/pull.log" "$home/daemon.log")"
}
