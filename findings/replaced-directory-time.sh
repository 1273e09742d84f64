#!/usr/bin/env bash
# A tar may list a directory and then, under the same name, a file: the later entry wins. One would
# guess that the file has its own time. It gets the directory's: containerd and moby set the times of
# all directories that were listed at the very end, by path, and no longer know what is there.
source "$(dirname "$0")/common"
need tar
layer_appliers
echo "versions: $(tar --version | sed -n 1p)"

cd "$work"
mkdir d && touch -d @1000 d
echo x >f && touch -d @5000 f
tar --transform='s/^f$/d/' -cf layer.tar d f
mkdir tar && tar -C tar -xf layer.tar
see "GNU tar" "$(stat -c '%F, %Y' tar/d)" "regular file, 5000"
for library in containerd moby; do
  ./apply $library layer.tar $library
  see "$library" "$(stat -c '%F, %Y' $library/d)" "regular file, 1000"
done
