#!/usr/bin/env bash
# dm-verity with `restart_on_corruption` (veritysetup's --restart-on-corruption) restarts the machine when a damaged block is
# read. One would guess that somebody has to read it. The kernel reads ahead, and what it reads ahead counts: who reads the
# first 4096 bytes of a device whose third block is damaged restarts the machine. Without the option that read succeeds,
# the table's status turns to C, and only a read of the block itself is an error: so "C" does not say that anybody was
# kept from something. Guests of Debian's kernels show it, under QEMU.
source "$(dirname "$0")/common"
need veritysetup
guest_kernels

cd "$work"
mkdir place
head -c 4M /dev/urandom >data
veritysetup format data hashes >formatted
printf 'damaged' | dd of=data bs=4096 seek=2 conv=notrunc status=none
root=$(awk '/^Root hash/ { print $3 }' formatted) salt=$(awk '/^Salt/ { print $2 }' formatted)
cat >place/guest <<GUEST
exec >/dev/ttyS0 2>&1
export DM_DISABLE_UDEV=1
table="0 8192 verity 1 /dev/vdb /dev/vdc 4096 4096 1024 1 sha256 $root $salt"
first() { dd if=/dev/mapper/sealed of=/dev/null bs=4096 count=1 2>/dev/null; }
dmsetup create sealed --readonly --table "\$table"
first && echo "SAID the first block is read"
echo "SAID status \$(dmsetup status sealed | cut -d ' ' -f 4)"
dd if=/dev/mapper/sealed of=/dev/null bs=4096 count=1 skip=2 2>/dev/null || echo "SAID the third is an error"
dmsetup remove sealed
dmsetup create sealed --readonly --table "\$table 1 restart_on_corruption"
first
sleep 2
echo "SAID the machine runs on"
poweroff -f
GUEST

disks=()
for disk in data hashes; do
  disks+=(-drive "file=$disk,if=none,id=$disk,format=raw,readonly=on" -device "virtio-blk-pci,drive=$disk,serial=$disk")
done
for kernel in 6.1 6.12; do
  echo "versions: Linux $(cat "$kernels/$kernel/version"), $(veritysetup --version | cut -d ' ' -f 1,2)"
  guest "$kernel" -m 512 "${disks[@]}"
  # What was said in it, and why it ended.
  see "$kernel" "$(sed -n "s/^SAID //p; s/.*reboot: \(Restarting system with command .*\)/\1/p" console | paste -sd '|')" \
    "the first block is read|status C|the third is an error|Restarting system with command 'dm-verity device corrupted'"
done
