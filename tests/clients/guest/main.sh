# The guest's first process, on its disk. It says what it sees on the port `said`; `done` in the last line says that all
# was as it has to be. Each process costs, as each instruction is emulated.
export PATH=/sbin:/bin LD_LIBRARY_PATH=/lib
/bin/busybox --install -s /bin # none of those that /sbin has
for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" = said ] && exec 3>"/dev/${port##*/}"
done
busybox mount -t tmpfs tmpfs /run
busybox mount -t tmpfs tmpfs /tmp
mkdir -p /dev/pts /dev/shm
busybox mount -t devpts devpts /dev/pts
busybox mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
. /node/services.sh
. /node/containers.sh
busybox sh /node/named.sh & # in udev's place

version=$(containerd --version | cut -d ' ' -f 3)
say "Linux $(uname -r), containerd $version"
read -r subjects </node/subjects
for subject in $subjects; do
  . "/node/$subject.sh"
done
say "done"
busybox sync
busybox poweroff -f
