# nydus-snapshotter in tarfs mode: built here, and started with a containerd over it. It is sourced, behind common.sh or
# daemon.sh, by `nydus` and `timings`.
#
# v0.15.11 is the last one that keeps its cache: those from v0.15.13 on empty it when any snapshot is removed.
nydus_version=v0.15.11
nydus_bin=$cache/nydus-snapshotter-$nydus_version/bin

if [[ ! -x $nydus_bin/containerd-nydus-grpc ]]; then
  # Its go.mod excludes versions, which `go install PACKAGE@VERSION` refuses: a module that needs it builds it.
  main=github.com/containerd/nydus-snapshotter/cmd/containerd-nydus-grpc
  mkdir "$work/module"
  (
    cd "$work/module"
    go mod init clients
    go get "$main@$nydus_version"
    go build -o "$nydus_bin/" "$main"
  ) >"$work/build.log" 2>&1 || fail "nydus-snapshotter: $(tail -n 3 "$work/build.log")"
fi

# start_nydus MODE PROGRAM: nydus-snapshotter with this export_mode, which runs PROGRAM as nydus-image, and a containerd
# over it, in the directory $home.
start_nydus() {
  cat >"$home/nydus.toml" <<EOF
version = 1
root = "$home/nydus"
address = "$home/nydus.sock"
daemon_mode = "dedicated"
[daemon]
fs_driver = "blockdev"
nydusimage_path = "$2"
[system]
enable = false
[log]
log_to_stdout = true
level = "debug"
[metrics]
address = ""
[cgroup]
enable = false
[remote]
skip_ssl_verify = true
[experimental.tarfs]
enable_tarfs = true
mount_tarfs_on_host = true
export_mode = "$1"
EOF
  rm -f "$home/nydus.sock"
  "$nydus_bin/containerd-nydus-grpc" --config "$home/nydus.toml" >>"$home/nydus.log" 2>&1 &
  running+=($!)
  local try
  for try in {1..100}; do
    [[ ! -S $home/nydus.sock ]] || break
    sleep 0.1
  done
  [[ -S $home/nydus.sock ]] || fail "nydus-snapshotter does not start: $(tail -n 5 "$home/nydus.log")"
  containerd <<EOF
[proxy_plugins.nydus]
  type = "snapshot"
  address = "$home/nydus.sock"
  [proxy_plugins.nydus.exports]
    enable_remote_snapshot_annotations = "true"
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = "linux"
  snapshotter = "nydus"
  differ = "walking"
EOF
}
