#!/usr/bin/env bash
# `veritysetup verify` exits 2 where a block differs from its digest. One would guess that with --fec-device, from which
# the kernel repairs blocks as they are read, verify repairs them too, or still exits 2. It repairs nothing, and
# exits 0, with a line that says how many errors it could repair. The FEC device itself is read only where a block is
# wrong: what is damaged in it stays unseen until it is needed.
source "$(dirname "$0")/common"
need head dd
bin=$(debian sid cryptsetup-bin=2:2.8.8-1 veritysetup)

cd "$work"
head -c 409600 /dev/zero | tr '\0' x >data # 100 blocks of 4096
root=$("$bin/veritysetup" format --salt=00ff --fec-device=fec data tree | sed -n 's/^Root hash:[[:space:]]*//p')
overwrite() { printf y | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
verify() { said "$bin/veritysetup" verify "$@" data tree "$root"; }
see "as it is" "$(verify --fec-device=fec)" "exit 0: "
overwrite data 50000
see "a byte changed" "$(verify)" "exit 2: Verification of data area failed."
see "with the FEC device" "$(verify --fec-device=fec)" "exit 0: Found 1 repairable errors with FEC device."
see "the data afterwards" "$(tr -d x <data)" "y"
printf x | dd of=data bs=1 seek=50000 conv=notrunc status=none
overwrite fec 100
see "a byte of the FEC device changed" "$(verify --fec-device=fec)" "exit 0: "
