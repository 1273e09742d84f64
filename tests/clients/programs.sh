# What all runs of clients share: a temporary directory, containerd's programs, built here once, and in $work/image the
# image of `image.py`. It is sourced, by common.sh and `node`.
#
# Wants Go, runc, busybox-static and python3.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/erofs-tarfs
version=${TARFS_CONTAINERD:-v2.4.2} # of containerd
bin=$cache/containerd-$version/bin

export PYTHONDONTWRITEBYTECODE=1 # no compiled modules beside the scripts

fail() {
  echo "clients: $*" >&2
  exit 1
}

# wants TOOL...: programs that have to be there.
wants() {
  local tool
  for tool; do
    command -v "$tool" >/dev/null || fail "no $tool"
  done
}

wants go runc busybox python3
[[ $(file -L "$(command -v busybox)" 2>/dev/null) != *"dynamically linked"* ]] ||
  fail "busybox is not static: apt-get install busybox-static"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program in containerd ctr containerd-shim-runc-v2; do
  [[ -x $bin/$program ]] ||
    GOBIN=$bin GOFLAGS=-buildvcs=false go install "github.com/containerd/containerd/v2/cmd/$program@$version"
done

python3 "$here/image.py" "$work/image" "$(command -v busybox)"
