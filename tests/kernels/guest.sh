# What a guest does: each row's script, the whole listing of what it mounted on /mnt, and all undone
# again. What came of it goes to the port `said`, a word and a text a line; see reply.rs.
# The initramfs of .ci/debian-kernels starts this, with PLACE where the host has it too.
# Each process costs: nothing here is virtualized. So the shell does what it can itself.

for wait in 1 2 3 4 5 6 7 8 9 10; do
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name" 2>/dev/null)" = said ] && exec 3>"/dev/${port##*/}" && break 2
  done
  sleep 0.1
done

# Each line of a file behind a word.
say() { [ ! -s "$2" ] || sed "s/^/$1 /" "$2" >&3; }

# There is no udev: the device mapper's own programs make its devices.
export DM_DISABLE_UDEV=1
# What else udev would make: names of partitions.
mkdir -p /dev/disk/by-partuuid
for part in /dev/vd*[0-9]; do
  [ ! -b "$part" ] || ln -sf "$part" "/dev/disk/by-partuuid/$(blkid -p -s PART_ENTRY_UUID -o value "$part")"
done
# And of disks, which the host knows by their serial numbers.
mkdir -p /disks
for disk in /sys/block/vd*; do
  ln -s "/dev/${disk##*/}" "/disks/$(cat "$disk/serial")"
done

mapped() {
  set -- /sys/block/dm-*
  [ -e "$1" ]
}

looped() {
  for loop in /sys/block/loop*/loop/backing_file; do
    [ ! -e "$loop" ] || return 0
  done
  return 1
}

undo() {
  points=
  while read -r device point rest; do
    case $point in /mnt | /lower/*) points="$point $points" ;; esac
  done </proc/mounts
  [ -z "$points" ] || busybox umount $points
  for round in 1 2 3 4 5; do
    # A device on top of another goes first; the other gets another round.
    ! mapped || dmsetup remove_all
    ! looped || losetup --detach-all
    mapped || looped || return 0
    sleep 0.2
  done
  echo "left: $(dmsetup ls) $(losetup --list)"
}

echo "kernel $(uname -rv)" >&3
dmesg -c >/dev/null
for row in "$PLACE/rows"/*; do
  echo "row ${row##*/}" >&3
  timeout 60 /sbin/sh -e "$row" >/tmp/out 2>&1
  status=$?
  say out /tmp/out
  echo "status $status" >&3
  mounted=
  while read -r device point rest; do
    [ "$point" != /mnt ] || mounted=$device
  done </proc/mounts
  if [ -n "$mounted" ]; then
    echo "source $mounted" >&3
    "$PLACE/helper" list /mnt >/tmp/entries 2>/tmp/error
    echo "listed $?" >&3
    say error /tmp/error
    say entry /tmp/entries
  fi
  if mapped; then
    dmsetup status --target verity >/tmp/verity
    say verity /tmp/verity
  fi
  undo >/tmp/undo 2>&1
  say undo /tmp/undo
  dmesg -c >/tmp/log
  say log /tmp/log
done
echo "done" >&3
poweroff -f
