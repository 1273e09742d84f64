# What goes wrong with attached files, for `attached`. containerd reaches the registry as ever; the daemon may do so by
# somebody else.

# by PORT: from its next start on the daemon asks who listens there for what is attached.
by() {
  local dir=$home/certs.d/${registry/:/_}_
  mkdir -p "$dir"
  printf 'server = "http://127.0.0.1:%s"\n' "$1" >"$dir/hosts.toml"
}

# directly: and as it is named.
directly() { rm -rf "$home/certs.d"; }

# proxy PROGRAM ARGUMENT...: one of ours before the registry, for the daemon alone. Its number is $proxy_pid.
proxy() {
  : >"$home/port"
  python3 "$here/$1" "${registry##*:}" "${@:2}" >"$home/port" 2>&1 &
  proxy_pid=$!
  running+=($proxy_pid)
  until [[ -s $home/port ]]; do sleep 0.1; done
  by "$(cat "$home/port")"
}

# no_proxy: what was started has ended, or does so now.
no_proxy() {
  kill "$proxy_pid" 2>/dev/null || true
  wait "$proxy_pid" 2>/dev/null || true
  forget "$proxy_pid"
  directly
}

# ends_after BYTES: a registry that ends when the daemon has had so many bytes of it.
ends_after() {
  end_daemon TERM
  proxy ends.py "$1"
  start_daemon
}

# all_of_it: how many bytes the daemon is sent in all, with headers, for what is attached to the image `t`.
all_of_it() {
  local low=500
  attach t
  low=$((low + $(said bootstrap size) + $(said hash_tree size)))
  echo "$low"
}

# cut_short: the registry ends in the middle of each of the parts, and nothing else will do.
cut_short() {
  local bytes all
  all=$(all_of_it)
  for bytes in 1 900 2600 $((all / 2)) "$all"; do
    ends_after "$bytes"
    refused "$image" 'layer sha256:[0-9a-f]{64}: attached.mode is \"require\": .*(EOF|reset|refused|broken)'
    [[ -z $(ls -A "$home/tarfs/attached") ]] || fail "$name: cut after $bytes bytes: $(ls -A "$home/tarfs/attached") stays"
    remove_images
    no_proxy
  done
  end_daemon TERM
  start_daemon
  nothing_left
  pulled "$image"
  expect_files "$name" tarfs "$image"
  is tarfs_indexed_bytes_total 0
  remove_images
  echo "$name: a registry that ends within what is attached: errors that say so, nothing left, and the next is right"
}

# made_without: the same, and layers are made here, with a line in the log.
made_without() {
  local bytes all
  all=$(all_of_it)
  for bytes in 1 2600 $((all / 2)); do
    ends_after "$bytes"
    pulled "$image"
    expect_files "$name" tarfs "$image"
    is 'tarfs_attached_total{result="used"}' 0
    is 'tarfs_attached_total{result="refused"}' 1
    grep -q 'msg="what is attached to the image is not used"' "$home/daemon.log" || fail "$name: the log says nothing"
    remove_images
    no_proxy
  done
  end_daemon TERM
  start_daemon
  echo "$name: a registry that ends within what is attached: the layers are made here"
}

# attached_to_full: a disk with room for less than what is attached.
attached_to_full() {
  end_daemon TERM
  small_disk
  fallocate -l "$(($(df --output=avail -B1 "$home/tarfs" | tail -n 1) - 8192))" "$home/tarfs/filler"
  refused "$image" 'layer sha256:[0-9a-f]{64}: .*no space left on device'
  remove_images
  rm "$home/tarfs/filler"
  nothing_left
  end_daemon TERM
  start_daemon
  right_again
  is tarfs_indexed_bytes_total 0
  usual_disk
  echo "$name: a full disk: an error that says so, nothing left, and the next is right"
}

# noticed: how often something attached was being fetched, and had been used.
noticed() {
  ! compgen -G "$home/tarfs/attached/.tmp-*" >/dev/null || within=$((within + 1))
  used=$((used + $(grep -c 'its layers are not indexed' "$home/daemon.log" || true)))
}

# timed: pulls have the time that a slow registry takes.
timed() {
  ((action > 1)) || moments=200
}

# attached_kills: what is attached takes its time to come, and daemon and containerd are killed meanwhile.
attached_kills() {
  local tag within=0 used=0
  for tag in t many shares; do
    attach $tag
  done
  end_daemon TERM
  proxy slow.py 200000
  start_daemon
  kills
  ((within > 0 && used > 0)) || fail "$name: $within kills while something attached was fetched, which was used $used times"
  echo "$name: $within of the kills while something attached was fetched, which was used $used times"
  no_proxy
}
