// Package daemon is the process around the services: its socket, its end, its health and its metrics.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthapi "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/prometheus/client_golang/prometheus"
)

// Options is what the process is told.
type Options struct {
	// Register adds the services.
	Register func(s *grpc.Server)
	// StopWait is how long calls that are at work have to end.
	StopWait time.Duration
	// MetricsAddress is where metrics are asked for; empty for nowhere.
	MetricsAddress string
	Registry       *prometheus.Registry
	Log            *slog.Logger
}

// Serve answers calls until the context is done; then new ones are refused, and those at work have StopWait to
// end, after which they are cancelled. It closes the listener.
func Serve(ctx context.Context, l net.Listener, opts Options) error {
	defer l.Close()
	if opts.MetricsAddress != "" {
		m, err := listenMetrics(opts.MetricsAddress)
		if err != nil {
			return err
		}
		web := metricsServer(opts.Registry)
		defer web.Close()
		go func() {
			if err := web.Serve(m); !errors.Is(err, http.ErrServerClosed) {
				opts.Log.Error("metrics are not served any more", "error", err)
			}
		}()
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(logged(opts.Log), recovered(opts.Log)), grpc.StreamInterceptor(recoveredStream(opts.Log)), grpc.WaitForHandlers(true))
	healthy := health.NewServer()
	healthapi.RegisterHealthServer(server, healthy)
	opts.Register(server)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	opts.Log.Info("serving", "address", l.Addr().String())
	notify("READY=1")
	select {
	case err := <-ended:
		return fmt.Errorf("%s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	notify("STOPPING=1")
	healthy.Shutdown()
	stop(server, opts)
	return nil
}

func stop(server *grpc.Server, opts Options) {
	opts.Log.Info("stopping", "wait", opts.StopWait)
	done := make(chan struct{})
	go func() {
		server.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(opts.StopWait):
		opts.Log.Warn("calls did not end in time, and are cancelled")
		// It waits until their handlers have returned, which they do once their contexts are done.
		server.Stop()
	}
}
