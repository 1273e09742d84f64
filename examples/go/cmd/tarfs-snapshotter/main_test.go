package main

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/containerd/errdefs"
	healthapi "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

func TestCommandLine(t *testing.T) {
	h, wrong := newHome(t, ""), newHome(t, "")
	if err := os.Remove(wrong.dir + "/gunzip"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"--help"}, 0, "--config FILE"},
		{[]string{"--version"}, 0, "libtarfs "},
		{[]string{"--bogus"}, 2, "--config FILE"},
		{[]string{"word"}, 2, "--config FILE"},
		{[]string{"--config", "/nonexistent"}, 1, "/nonexistent: no such file"},
		{[]string{"--config", h.dir + "/config.toml", "--log-level", "loud"}, 1, "log_level"},
		{[]string{"--config", h.dir + "/config.toml", "--address", "relative"}, 1, "absolute path"},
		{[]string{"--config", wrong.dir + "/config.toml"}, 1, "differ.gunzip"},
		{[]string{"--health", "--config", h.dir + "/config.toml"}, 1, h.socket() + ": no daemon that answers"},
	} {
		cmd := program(row.args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != row.code || !strings.Contains(string(out), row.said) {
			t.Errorf("%q: %d, %s", row.args, cmd.ProcessState.ExitCode(), out)
		}
	}
}

// containerd's own client has a layer made, sees errors as they are meant, and the end is a clean one.
func TestServes(t *testing.T) {
	h := newHome(t, "")
	p := h.start()
	if stat, err := os.Stat(h.socket()); err != nil || stat.Mode().Perm() != 0o600 {
		t.Error(stat.Mode(), err)
	}
	d := differ(t, h.socket())
	desc, dir, mounts := h.layer()
	made, err := d.Apply(t.Context(), desc, mounts)
	if err != nil {
		t.Fatal(err)
	}
	plain := testkit.Shell(t, h.dir, "gzip -dc content/blobs/sha256/"+desc.Digest.Encoded()+" | sha256sum | cut -d ' ' -f 1 | tr -d '\\n'")
	if made.Digest.Encoded() != plain {
		t.Error(made.Digest, plain)
	}
	if _, err := os.Stat(dir + "/layer.erofs"); err != nil {
		t.Error(err)
	}
	mounts[0].Source = "/elsewhere/fs"
	if _, err := d.Apply(t.Context(), desc, mounts); !errdefs.IsNotImplemented(err) {
		t.Error(err)
	}
	status, err := healthapi.NewHealthClient(connection(t, h.socket())).Check(t.Context(), &healthapi.HealthCheckRequest{})
	if err != nil || status.Status != healthapi.HealthCheckResponse_SERVING {
		t.Error(status, err)
	}
	if said, err := program("--health", "--config", h.dir+"/config.toml").CombinedOutput(); err != nil || len(said) > 0 {
		t.Error(string(said), err)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(h.socket()); err == nil {
		t.Error("the socket is left")
	}
}

// A broken layer's cause reaches the client.
func TestErrorReachesClient(t *testing.T) {
	h := newHome(t, "")
	h.start()
	h.gunzip("echo 'so it is' >&2; exit 3")
	desc, _, mounts := h.layer()
	_, err := differ(t, h.socket()).Apply(t.Context(), desc, mounts)
	if err == nil || !strings.Contains(err.Error(), "layer "+desc.Digest.String()+": unpack: gunzip: exit status 3: so it is") {
		t.Error(err)
	}
}

// Each line of a log in JSON is JSON, and what happens to a layer names it.
func TestJSONLog(t *testing.T) {
	h := newHome(t, "log_format = 'json'")
	p := h.start("--log-level", "debug")
	desc, _, mounts := h.layer()
	if _, err := differ(t, h.socket()).Apply(t.Context(), desc, mounts); err != nil {
		t.Fatal(err)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	named := false
	for line := range strings.Lines(p.said.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		named = named || fields["layer"] == desc.Digest.String()
	}
	if !named {
		t.Error(p.said)
	}
}
