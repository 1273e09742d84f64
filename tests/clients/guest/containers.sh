# A container of the image: what it sees, what its mounts go through, and what becomes of it when bits are turned.

ctr() { command ctr -a "$home/c.sock" "$@"; }

# imported SNAPSHOTTER: the image, as test:t.
imported() {
  ctr image import --snapshotter "$1" --base-name test /node/image.tar >"$home/import.log" 2>&1 ||
    fail "$name: import: $(tail -n 3 "$home/import.log")"
}

# run SNAPSHOTTER SCRIPT: a container that prints to $home/out, errors too; containerd's are in $home/run.log. The shim writes
# what it prints: containerd's clients may close their pipes before they have read all. It closes the file when the first of
# two streams ends, so there is one.
containers=0
run() {
  containers=$((containers + 1))
  rm -f "$home/out"
  ctr run --rm --snapshotter "$1" --log-uri "file://$home/out" test:t "c$containers" /bin/sh -c "exec 2>&1; $2" 2>"$home/run.log"
}

# expect_files SNAPSHOTTER: the digest of every file that a container's process sees is right.
expect_files() {
  run "$1" 'find / -xdev -type f | sort | xargs sha256sum' || fail "$name: run: $(cat "$home/run.log")"
  LC_ALL=C sort -k 2 "$home/out" >"$home/sorted"
  cmp -s /node/want "$home/sorted" || fail "$name: other files: $(diff /node/want "$home/sorted" | head -n 5)"
}

# stays SNAPSHOTTER: a container that runs until `ended`. Its process is $container.
stays() {
  containers=$((containers + 1))
  staying=c$containers
  ctr run -d --snapshotter "$1" test:t "$staying" /bin/sh -c 'sleep 10000' 2>"$home/run.log" ||
    fail "$name: run: $(cat "$home/run.log")"
  container=$(ctr task ls | awk -v name="$staying" '$1 == name {print $2}')
}

ended() {
  ctr task kill -s KILL "$staying"
  within 20 ctr task delete "$staying" >/dev/null 2>&1 || fail "$name: a container does not end"
  ctr container rm "$staying"
}

# verity_roots: the root hashes of the devices that the container $container stands on, one a line, uppermost first: its
# root is an overlay over EROFS, each mounted from a device of dm-verity and nothing else.
verity_roots() {
  awk '$2 == "/" && $3 == "overlay" {print $4}' "/proc/$container/mounts" | tr , '\n' | sed -n 's/^lowerdir=//p' |
    tr : '\n' | while read -r lower; do
    device=$(awk -v at="$lower" '$2 == at && $3 == "erofs" {print $1}' /proc/mounts)
    dmsetup table "${device#/dev/mapper/}" | awk -v device="$device" '
      $3 == "verity" {print $12; found = 1}
      END {if (!found) print "no dm-verity below " device}'
  done
}

# nothing_mapped: no device is left of containers that are gone, of device-mapper or below it.
nothing_mapped() {
  within 20 no_device || fail "$name: devices are left: $(dmsetup ls; losetup --list; grep erofs /proc/mounts)"
}
no_device() { [ "$(dmsetup ls)" = "No devices found" ] && [ -z "$(losetup --list --noheadings)" ]; }

# offset_of LINE FILE: where in a file a line is, for the first time.
offset_of() { strings -t d -n 3 "$2" | awk -v line="$1" '$2 == line {print $1; exit}'; }

# flip FILE OFFSET: turns one bit on the disk, and has the kernel forget what it knows of it.
flip() {
  [ -n "$2" ] || fail "$name: nothing to flip in $1"
  byte=$(dd if="$1" bs=1 skip="$2" count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
  printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
  busybox sync
  echo 3 >/proc/sys/vm/drop_caches
}

# broken_file SNAPSHOTTER: a bit of the file /data/n299 is turned: its reader, and nobody else, gets an error.
broken_file() {
  run "$1" 'cat /data/n001 >/dev/null && echo good; cat /data/n299 >/dev/null' && fail "$name: a flipped bit is read"
  [ "$(grep -v 'Input/output error' "$home/out")" = good ] || fail "$name: more than one file is broken: $(cat "$home/out")"
  grep -q 'Input/output error' "$home/out" || fail "$name: a flipped bit: $(cat "$home/out" "$home/run.log")"
}

# broken_superblock SNAPSHOTTER: a bit of a superblock is turned: no container starts.
broken_superblock() {
  run "$1" 'echo good' && fail "$name: a broken superblock is mounted: $(cat "$home/out")"
  grep -q 'input/output error' "$home/run.log" || fail "$name: refused otherwise: $(cat "$home/run.log")"
}
