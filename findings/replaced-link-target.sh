#!/usr/bin/env bash
# A tar has a file, a hard link to it, and then another file of the first one's name, as when an archive is appended
# to. One would guess that the link keeps what it was made of, as with `ln` and `mv`, and with GNU tar and libarchive.
# Python's tarfile writes into the file that is there, and busybox makes its links when all files are there: with both
# the link has the bytes of the *later* file, exit 0.
source "$(dirname "$0")/common"
need tar
python=$(debian trixie python3.13-minimal=3.13.5-2+deb13u5,libpython3.13-stdlib python3.13)
bsdtar=$(debian sid libarchive-tools=3.8.10-2 bsdtar)
busybox=$(debian sid busybox=1:1.38.0-3+b1 busybox)

cd "$work"
echo early >file && ln file link
tar --format=ustar -cf layer.tar file link
rm file && echo later >file
tar --format=ustar -rf layer.tar file
see "the tar" "$(tar -tvf layer.tar | cut -c 1,48- | tr '\n' ' ')" "- file h link link to file - file "

# extracted COMMAND...: what both names have, in a folder of its own.
extracted() {
  rm -rf out && mkdir out
  (cd out && "$@") >said 2>&1 || echo "exit $?"
  echo "$(cat out/file), and the link $(cat out/link)"
}
see "GNU tar" "$(extracted tar -xf ../layer.tar)" "later, and the link early"
see "bsdtar" "$(extracted "$bsdtar/bsdtar" -xf ../layer.tar)" "later, and the link early"
see "busybox tar" "$(extracted "$busybox/busybox" tar -xf ../layer.tar)" "later, and the link later"
see "Python 3.13, tarfile" "$(PYTHONHOME=$(dirname "$python")/root/usr extracted "$python/python3.13" -c \
  'import tarfile; tarfile.open("../layer.tar").extractall(filter="data")')" "later, and the link later"
