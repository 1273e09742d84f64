module github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter

go 1.26.6

require github.com/erofs-tarfs/erofs-tarfs/examples/go v0.0.0

require (
	github.com/containerd/containerd/v2 v2.4.2 // indirect
	github.com/pelletier/go-toml/v2 v2.4.3 // indirect
	github.com/prometheus/client_golang v1.25.0 // indirect
)

replace github.com/erofs-tarfs/erofs-tarfs/examples/go => ../..
