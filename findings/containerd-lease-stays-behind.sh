#!/usr/bin/env bash
# containerd holds a lease while it pulls, so that nothing of the image is collected as garbage before it is complete.
# One would guess that a differ in another process (`proxy_plugins`, type "diff") is told of it, as it is told of the
# namespace: else what it writes into the content store belongs to nobody, and the next collection takes it. The call
# has the namespace alone, though there is a lease at that moment. A differ has to make a lease of its own.
source "$(dirname "$0")/common"
need python3 tar
need_root
source "$(dirname "$0")/common-containerd"
containerd_programs v2.4.2
go_program differ github.com/containerd/containerd/v2@v2.4.2 <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type differ struct{ diff.UnimplementedDiffServer }

// Apply says what came with the call, and leaves the layer to the next differ.
func (differ) Apply(ctx context.Context, _ *diff.ApplyRequest) (*diff.ApplyResponse, error) {
	told, _ := metadata.FromIncomingContext(ctx)
	held := -1
	if daemon, err := client.New(os.Args[2]); err == nil {
		leases, _ := daemon.LeasesService().List(namespaces.WithNamespace(context.Background(), "default"))
		held = len(leases)
	}
	fmt.Println("namespace", told["containerd-namespace"], "lease", told["containerd-lease"], "leases held:", held)
	return nil, status.Error(codes.Unimplemented, "not by this one")
}

func main() {
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	diff.RegisterDiffServer(server, differ{})
	server.Serve(listener)
}
GO

cd "$work"
echo bytes >file && tar -cf layer.tar file
layout image layer.tar && tar -cf image.tar -C image .
./differ "$work/d.sock" "$work/c.sock" >told &
differ=$!
trap 'unserve; kill $differ; leave' EXIT
serve node "
[proxy_plugins.mine]
  type = 'diff'
  address = '$work/d.sock'
[plugins.'io.containerd.service.v1.diff-service']
  default = ['mine', 'walking']
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = 'linux'
  snapshotter = 'overlayfs'
  differ = 'mine'"
ctr image import --snapshotter overlayfs image.tar >import.log 2>&1 || true
see "what the differ is told" "$(cat told)" "namespace [default] lease [] leases held: 1"
