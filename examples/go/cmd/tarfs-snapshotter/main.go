// Command tarfs-snapshotter serves containerd: a differ that makes the layers of containerd's EROFS snapshotter, and, if
// it is configured, a snapshotter of its own. README.md says how it is set up.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/daemon"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

const usage = `tarfs-snapshotter serves containerd on a unix socket: a differ that makes the layers of containerd's EROFS
snapshotter, in the place of mkfs.erofs and go-dmverity, and, if the configuration has a root below [snapshotter],
a snapshotter that keeps each layer once. Usage:

  tarfs-snapshotter [--config FILE] [--address PATH] [--log-level LEVEL]
  tarfs-snapshotter --health [--config FILE] [--address PATH]

  --health            asks the daemon that listens there whether it serves: what probes of Kubernetes run
  --config FILE       TOML; without it the defaults hold
  --address PATH      the socket, in the place of the configuration's
  --log-level LEVEL   debug, info, warn or error, in the place of the configuration's
  --version           prints the versions of this program and of libtarfs
  --help              prints this

A socket that systemd passes (LISTEN_FDS) is taken in the place of a path. It ends at SIGTERM and SIGINT, when the
calls that are at work have ended. Exit status: 0, 1 for errors, 2 for wrong usage.
`

// memoryGoal is what Go's memory is kept below while it can be: what unpacked a layer would else stay until the
// heap has doubled. GOMEMLIMIT takes its place.
const memoryGoal = 160 << 20

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	flags := flag.NewFlagSet("tarfs-snapshotter", flag.ContinueOnError)
	flags.Usage = func() {}
	flags.SetOutput(os.Stderr)
	path := flags.String("config", "", "")
	address := flags.String("address", "", "")
	level := flags.String("log-level", "", "")
	version := flags.Bool("version", false, "")
	health := flags.Bool("health", false, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		return 0
	case err != nil, flags.NArg() > 0:
		fmt.Fprint(os.Stderr, usage)
		return 2
	case *version:
		fmt.Println(versions())
		return 0
	}
	c, err := configured(*path, *address, *level)
	switch {
	case err != nil:
	case *health:
		err = serves(c.Address)
	default:
		err = serve(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tarfs-snapshotter:", err)
		return 1
	}
	return 0
}

// configured is the configuration of a file, with what the command line says in its place.
func configured(path, address, level string) (*config.Config, error) {
	c := config.Default()
	if path != "" {
		var err error
		if c, err = config.Load(path); err != nil {
			return nil, err
		}
	}
	if address != "" {
		c.Address = address
	}
	if level != "" {
		c.LogLevel = level
	}
	return c, c.Check()
}

func serve(c *config.Config) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
	log := logger(c)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	services, err := newServices(ctx, c, log)
	if err != nil {
		return err
	}
	defer services.close()
	listener, err := daemon.Listen(c.Address)
	if err != nil {
		return err
	}
	log.Info("starting", "version", versions())
	return daemon.Serve(ctx, listener, daemon.Options{
		Register:       services.register,
		StopWait:       time.Duration(c.StopWait),
		MetricsAddress: c.Metrics.Address,
		Registry:       services.metrics.Registry,
		Log:            log,
	})
}

func logger(c *config.Config) *slog.Logger {
	level, _ := c.Level() // checked
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

func versions() string {
	own := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		own = info.Main.Version
	}
	return fmt.Sprintf("tarfs-snapshotter %s, libtarfs %s", own, tarfs.Version())
}
