#!/usr/bin/env bash
# `veritysetup verify` and `open` take block sizes, salt and the number of data blocks as options. One
# would guess that options that differ from the superblock are an error, or win. With a superblock they are
# not looked at, and nothing is said: `--data-blocks=64` is verified, exit 0, of a tree over 32. Who wants
# parameters of his own, and not those that come with the disk, must say --no-superblock.
source "$(dirname "$0")/common"
need head
bin=$(debian sid cryptsetup-bin=2:2.8.8-1 veritysetup)

cd "$work"
head -c 32768 /dev/zero | tr '\0' x >data # 64 blocks of 512
root=$("$bin/veritysetup" format --data-block-size=512 --hash-block-size=512 --salt=00ff \
  --data-blocks=32 data tree | sed -n 's/^Root hash:[[:space:]]*//p')
verify() {
  said "$bin/veritysetup" verify "$@" data tree "$root"
}
see "as it is" "$(verify)" "exit 0: "
for options in --data-blocks=64 --data-blocks=1000000 --data-block-size=4096 --salt=-; do
  see "$options" "$(verify $options)" "exit 0: "
done
plain=(--no-superblock --data-block-size=512 --hash-block-size=512 --hash-offset=512 --salt=00ff)
see "--no-superblock, 32 blocks" "$(verify "${plain[@]}" --data-blocks=32)" "exit 0: "
see "--no-superblock, 64 blocks" "$(verify "${plain[@]}" --data-blocks=64 | cut -c -6)" "exit 2"
