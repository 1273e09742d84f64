#!/usr/bin/env bash
# Backup programs read a file again where its ctime is another: nobody can set it, so that a file which was changed and
# got its old length and mtime back is found. One would guess that this holds of a container too, whose image was built
# anew: reproducible builds give all files one mtime. It does where layers are unpacked. An EROFS has one time for a file,
# which the kernel says for mtime and ctime alike, and the new image has its files at the old inode numbers, or chance
# gives them the same: restic keeps the old bytes of a file of the same length, GNU tar's --listed-incremental leaves
# it out, both with exit 0 and without a word, through overlayfs too.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4 tar
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
restic=$(debian trixie restic=0.18.0-1+b4 restic)
echo "versions: Linux $(uname -r), $(tar --version | head -n 1)"

cd "$work"
export RESTIC_PASSWORD=test RESTIC_CACHE_DIR=$work/cache
mkdir in at root
mounted+=("$work/root" "$work/at")
ext4_disk 64M

# build BYTES: a tree of one file, as a reproducible build makes it.
build() {
  echo "$1" >in/file
  touch -d 2020-01-01T00:00:00Z in/file in
}

# saved: a backup of what is at "root", and what the newest one has of the file.
saved() {
  "$restic/restic" -q -r "$repository" backup root
  "$restic/restic" -q -r "$repository" dump latest /root/file
}
archived() { tar --listed-incremental="$repository.snar" -C root -cf - . | tar -tf - | grep -c file || true; }

# tried NAME SHOW HIDE WANTED: SHOW puts what was built at "root", HIDE takes it away; two builds, a backup of each.
tried() {
  local bytes
  repository=$work/repository-${1// /-}
  "$restic/restic" -q init -r "$repository"
  for bytes in one two; do
    build "$bytes" && $2
    see "$1, '$bytes' is built: restic has" "$(saved)" "$([[ $bytes == one ]] && echo one || echo "$4")"
    see "  tar archives, of one file" "$(archived)" "$([[ $bytes == one || $4 == two ]] && echo 1 || echo 0)"
    $3
    sleep 1.1
  done
}

unpack() { rm -rf "$work"/ext4/lower && cp -a in ext4/lower && mount --bind ext4/lower root; }
image() { "$erofs/mkfs.erofs" --quiet image in >mkfs.log; }
whole() { image && mount -t erofs -o ro,loop image root; }
layered() {
  image && mount -t erofs -o ro,loop image at && rm -rf ext4/{upper,work} && mkdir ext4/{upper,work} &&
    mount -t overlay -o lowerdir=at,upperdir=ext4/upper,workdir=ext4/work overlay root
}
bare() { umount root && rm -f image; }
bared() { umount root && umount at && rm -f image; }
tried "unpacked" unpack bare two
tried "EROFS" whole bare one
tried "overlayfs over EROFS" layered bared one
