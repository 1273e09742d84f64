# What udev does for device-mapper: /dev/mapper/NAME leads to a device, for as long as there is one. containerd makes devices
# by ioctl(2), and waits two seconds for that name. This looks twenty times a second, without a process of its own for each
# look: one for each of the kernel's events is too slow where all is emulated. For busybox's shell.
mkfifo /run/never
exec 4<>/run/never
while :; do
  for device in /sys/block/dm-*; do
    read -r name <"$device/dm/name" || continue
    [ "/dev/mapper/$name" -ef "/dev/${device##*/}" ] || ln -sf "../${device##*/}" "/dev/mapper/$name"
  done
  for name in /dev/mapper/*; do
    [ -e "$name" ] || rm -f "$name"
  done
  read -r -t 0.05 nothing <&4
done 2>/dev/null
