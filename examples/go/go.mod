module github.com/erofs-tarfs/erofs-tarfs/examples/go

go 1.24.0

require (
	github.com/klauspost/compress v1.18.5
	github.com/moby/sys/mountinfo v0.7.3
	golang.org/x/sys v0.39.0
)
