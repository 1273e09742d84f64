#!/usr/bin/env bash
# `tar --sparse` in GNU's own format writes a file with holes as type S. One would guess that a reader that does not
# know the type makes an error of it. `mkfs.erofs --tar=f` 1.9.4 and Node's tar 7.5 leave the file out, exit 0. And
# where the file has 25 pieces or more, so that its map wants a third block, they take what follows for the end: all
# entries behind are gone as well, still exit 0.
source "$(dirname "$0")/common"
need tar node npm python3
need_root # the kernel's view
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
cd "$work"
npm install --silent --no-audit --no-fund --cache "$work/npm" tar@7.5.23 >npm.log 2>&1 || {
  tail -n 3 npm.log
  exit 2
}
echo "versions: tar 7.5.23 of npm, $(tar --version | head -n 1)"

mkdir at && mounted+=("$work/at")
# pieces N: an archive with a sparse file of so many, and a plain one behind it, as each reader has it.
pieces() {
  python3 - "$1" <<'PY'
import sys
with open("sparse", "wb") as out:
    for piece in range(int(sys.argv[1])):
        out.seek(piece << 17)
        out.write(b"data")
    out.truncate(8 << 20)
PY
  echo behind >behind
  tar --format=gnu --sparse -cf layer.tar sparse behind
  local status=0
  "$erofs/mkfs.erofs" --quiet --tar=f image layer.tar >mkfs.log 2>&1 || status=$?
  mount -t erofs -o ro,loop image at
  printf 'mkfs.erofs exit %s: %s, ' "$status" "$(ls at | xargs)"
  umount at
  rm -rf out && mkdir out
  node -e 'require("tar").x({file: "layer.tar", cwd: "out", sync: true, onwarn: console.log})'
  echo "Node: $(ls out | xargs)"
}
see "24 pieces" "$(pieces 24)" "mkfs.erofs exit 0: behind, Node: behind"
see "25 pieces" "$(pieces 25)" "mkfs.erofs exit 0: , Node: "
