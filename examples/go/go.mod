module github.com/erofs-tarfs/erofs-tarfs/examples/go

go 1.24
