module github.com/erofs-tarfs/erofs-tarfs/examples/go/crosscheck

go 1.26.0

replace github.com/erofs-tarfs/erofs-tarfs/examples/go => ../

require (
	github.com/containerd/go-dmverity v0.1.0
	github.com/erofs-tarfs/erofs-tarfs/examples/go v0.0.0
	github.com/erofs/go-erofs v0.3.1
	github.com/google/uuid v1.6.0
)

require golang.org/x/sys v0.50.0 // indirect
