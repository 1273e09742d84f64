#!/usr/bin/env bash
# dm-verity has whole blocks. One would guess that `veritysetup format` refuses data whose length is no multiple of
# --data-block-size, or fills the last block up. It takes the whole blocks, exit 0, and says nothing: up to 4095 bytes
# at the end have no digest, and a mapped device is shorter than the data. An EROFS image with blocks of 512 is seldom
# a multiple of the 4096 that veritysetup takes when nothing is said.
source "$(dirname "$0")/common"
need head stat
bin=$(debian sid cryptsetup-bin=2:2.8.8-1 veritysetup)
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)

cd "$work"
mkdir in
for size in 5000 6000 7000; do head -c "$size" /dev/zero | tr '\0' x >"in/$size"; done
"$erofs/mkfs.erofs" --quiet -b512 -Enoinline_data -T0 -U clear data in >mkfs.log
see "bytes of an image, over blocks of 4096" "$(($(stat -c %s data) % 4096 > 0)), blocks of 512: $(($(stat -c %s data) % 512))" \
  "1, blocks of 512: 0"
covered=$(($(stat -c %s data) / 4096 * 4096))
status=0
"$bin/veritysetup" format --salt=00ff data tree >formatted 2>&1 || status=$?
see "format" "exit $status, $(sed -n 's/^Data blocks:[[:space:]]*//p' formatted) blocks" "exit 0, $((covered / 4096)) blocks"
root=$(sed -n 's/^Root hash:[[:space:]]*//p' formatted)
see "verify" "$(said "$bin/veritysetup" verify data tree "$root")" "exit 0: "
head -c "$covered" data >whole
see "verify, of the whole blocks alone" "$(said "$bin/veritysetup" verify whole tree "$root")" "exit 0: "
