package main

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// healthWait is how long a daemon may take to say that it serves.
const healthWait = 5 * time.Second

// serves asks the daemon at a socket whether it does. A probe of Kubernetes reaches no unix socket by itself.
func serves(address string) error {
	ctx, stop := context.WithTimeout(context.Background(), healthWait)
	defer stop()
	connection, err := grpc.NewClient("unix:"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return fmt.Errorf("%s: no daemon that answers: %w", address, err)
	}
	if status := answer.GetStatus(); status != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("%s: the daemon is %s", address, status)
	}
	return nil
}
