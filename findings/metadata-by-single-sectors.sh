#!/usr/bin/env bash
# An EROFS with 512-byte blocks on a block device is read one block at a time where its metadata is: a cold `find` over 20,000
# small files asks the device for about as many requests as the metadata has sectors. One would guess pages, as the page
# cache has them, or that neighbours are merged or read ahead, as ext4 does with its inodes: of the same tree in blocks of
# 4096 it is a request for each page, an eighth. Who reads the device itself, once it is mounted, fills the cache that EROFS
# looks into, in large requests; before the mount that helps nothing, as the mount sets the device's block size to 512 and
# so empties its cache. The device is held open here meanwhile, so that it is not emptied by being closed.
source "$(dirname "$0")/common"
need_root
need_linux 6.4
need losetup python3
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r | cut -d - -f 1)"

cd "$work"
mkdir at
mounted+=("$work/at")
python3 - <<'PY'
import os
for directory in range(200):
    os.makedirs(f"in/d{directory}")
    for file in range(100):
        with open(f"in/d{directory}/f{file}", "w") as out:
            out.write(f"{file}\n")
PY
for size in 512 4096; do
  "$erofs/mkfs.erofs" --quiet -b"$size" "image$size" in >mkfs.log
done

# found DEVICE: asks for each file's length, cold but for what was read of the device; what the device was asked for.
found() {
  local stat=/sys/block/${1#/dev/}/stat before after
  before=$(awk '{ print $1, $3 }' "$stat")
  find at -type f -size +0 >files
  after=$(awk '{ print $1, $3 }' "$stat")
  echo "$before $after" | awk '{ print $3 - $1, $4 - $2 }'
}

# requests SIZE WHEN: of a mount by a loop device, which is read before the mount, after it, or never.
requests() {
  local device seen
  device=$(losetup --find --show --read-only "image$1")
  exec 3<"$device"
  losetup --detach "$device" # with its last user
  [[ $2 != before ]] || cat "$device" >/dev/null
  mount -t erofs -o ro "$device" at
  exec 3<&-
  [[ $2 != after ]] || cat "$device" >/dev/null
  seen=$(found "$device")
  umount at
  echo "$seen"
}

declare -A count
for size in 512 4096; do
  for when in never before after; do
    read -r requests sectors < <(requests $size $when)
    count[$size-$when]=$requests
    echo "blocks of $size, device read $when: $requests requests, $sectors sectors"
    ((requests == 0)) || each[size]=${each[size]:-$(((sectors + requests / 2) / requests))}
  done
done
see "sectors in a request, blocks of 512 and 4096" "${each[512]} ${each[4096]}" "1 8"
see "over five times the requests of 4096" "$((count[512-never] > 5 * count[4096-never]))" 1
see "the device was read before the mount" "$((count[512-never] - count[512-before])) fewer" "0 fewer"
see "after it, of ten requests are left" "$((count[512-after] * 10 / count[512-never]))" 0
