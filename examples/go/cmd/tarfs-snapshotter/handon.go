package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// handedOn are the keys of a call's metadata that go to containerd with the calls that are made because of it: in
// which namespace it is, and the lease that keeps what is made from being collected.
var handedOn = []string{"containerd-namespace", "containerd-lease"}

func handOn(ctx context.Context) context.Context {
	came, ok := metadata.FromIncomingContext(ctx)
	if !ok {
		return ctx
	}
	goes, _ := metadata.FromOutgoingContext(ctx)
	goes = goes.Copy()
	if goes == nil {
		goes = metadata.MD{}
	}
	for _, key := range handedOn {
		if values := came.Get(key); len(values) > 0 {
			goes.Set(key, values...)
		}
	}
	return metadata.NewOutgoingContext(ctx, goes)
}

func handOnUnary(ctx context.Context, method string, req, reply any, c *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return call(handOn(ctx), method, req, reply, c, opts...)
}

func handOnStream(ctx context.Context, desc *grpc.StreamDesc, c *grpc.ClientConn, method string, call grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return call(handOn(ctx), desc, c, method, opts...)
}
