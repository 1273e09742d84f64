package daemon

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// logged logs calls that fail: at level error those whose cause is not with the caller. The differ says more of its own.
func logged(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		answer, err := handler(ctx, req)
		if err == nil || strings.HasPrefix(info.FullMethod, "/containerd.services.diff.") {
			return answer, err
		}
		level := slog.LevelDebug
		switch status.Code(err) {
		case codes.Unknown, codes.Internal, codes.DataLoss, codes.ResourceExhausted:
			level = slog.LevelError
		}
		log.Log(ctx, level, "call failed", "call", info.FullMethod, "error", err)
		return answer, err
	}
}
