package daemon

import (
	"context"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// recovered has a call that panics fail, and not all other calls with it.
func recovered(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
		defer panicked(log, info.FullMethod, &err)
		return handler(ctx, req)
	}
}

// recoveredStream is the same of calls with streams.
func recoveredStream(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		defer panicked(log, info.FullMethod, &err)
		return handler(server, stream)
	}
}

// panicked is deferred.
func panicked(log *slog.Logger, call string, err *error) {
	if p := recover(); p != nil {
		log.Error("a call panicked", "call", call, "panic", p, "stack", string(debug.Stack()))
		*err = status.Errorf(codes.Internal, "tarfs-snapshotter: %s panicked: %v", call, p)
	}
}
