# tars: three tars as pages have them, and the layout DIR, in the current directory.
tars() {
  local layer
  mkdir -p base/etc base/usr/bin base/usr/lib base/var app/etc app/srv fix/etc
  echo root:x:0:0::/:/bin/sh >base/etc/passwd && echo root:x:0: >base/etc/group && echo old >base/etc/secret
  echo program >base/usr/bin/tool && echo library >base/usr/lib/libone.so.1 && echo data >base/var/data
  echo app >app/etc/release && echo hello >app/srv/index.html && touch fix/etc/.wh.secret
  for layer in base app fix; do
    tar -C $layer --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1 -cf $layer.tar .
  done
  gzip -k base.tar
  rm -r base app fix
  cp -r "$GIVEN/DIR" .
}

# desk NAME: the same in a new directory, which is the current one then.
desk() {
  mkdir -p "$GIVEN/$page/$1" && cd "$GIVEN/$page/$1" && tars
}

# go_module NAME: a new Go module in such a directory, over the packages of this checkout.
go_module() {
  desk "$1" && go mod init "example.com/$1" 2>/dev/null
  go mod edit -replace "github.com/erofs-tarfs/erofs-tarfs/examples/go=$CHECKOUT/examples/go"
}
