package main

import (
	"context"
	"os"
	"syscall"
	"testing"

	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/diff/proxy"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// A call that is at work ends well, if it ends in time; else it is cancelled, and leaves nothing.
func TestStop(t *testing.T) {
	for _, row := range []struct {
		name, wait, sleep string
		made              bool
	}{{"in time", "20s", "1", true}, {"too late", "500ms", "60", false}} {
		t.Run(row.name, func(t *testing.T) {
			h := newHome(t, "stop_wait = '"+row.wait+"'")
			p := h.start()
			h.gunzip(`touch ` + h.dir + `/begun; sleep ` + row.sleep + `; exec gzip -d -c`)
			desc, dir, mounts := h.layer()
			ended := make(chan error, 1)
			go func() {
				_, err := differ(t, h.socket()).Apply(context.Background(), desc, mounts)
				ended <- err
			}()
			testkit.Shell(t, h.dir, "for i in {1..100}; do [[ ! -e begun ]] || exit 0; sleep 0.05; done; exit 1")
			if err := p.end(syscall.SIGTERM); err != nil {
				t.Error(err, p.said)
			}
			err := <-ended
			_, there := os.Stat(dir + "/layer.erofs")
			if (err == nil) != row.made || (there == nil) != row.made {
				t.Error(err, there)
			}
			if left := testkit.Shell(t, dir, "ls -A | grep tmp || true"); left != "" {
				t.Error("left:", left)
			}
		})
	}
}

// When the client goes, as containerd does when it is killed, its call ends and leaves nothing, and its turn is free.
func TestClientGone(t *testing.T) {
	h := newHome(t, "")
	testkit.Shell(t, h.dir, `sed -i 's/^.differ.$/&\nconcurrent_layers = 1/' config.toml`)
	p := h.start()
	h.gunzip(`touch ` + h.dir + `/begun; sleep 60; exec gzip -d -c`)
	desc, dir, mounts := h.layer()
	gone := connection(t, h.socket())
	ended := make(chan error, 1)
	go func() {
		_, err := proxy.NewDiffApplier(diffapi.NewDiffClient(gone)).(diff.Applier).Apply(context.Background(), desc, mounts)
		ended <- err
	}()
	testkit.Shell(t, h.dir, "for i in {1..100}; do [[ ! -e begun ]] || exit 0; sleep 0.05; done; exit 1")
	gone.Close()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	p.until("layer not made")
	if left := testkit.Shell(t, dir, "ls -A"); left != ".erofslayer\nfs\n" {
		t.Error("left:", left)
	}
	h.gunzip("exec gzip -d -c")
	next, _, mounts := h.layer()
	if _, err := differ(t, h.socket()).Apply(t.Context(), next, mounts); err != nil {
		t.Error(err)
	}
}
