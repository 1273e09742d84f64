package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
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

// A socket that nobody listens to is replaced, another is not, nor is a file.
func TestSockets(t *testing.T) {
	h := newHome(t, "")
	p := h.start()
	refused := func(said string) {
		t.Helper()
		out, err := program("--config", h.dir+"/config.toml").CombinedOutput()
		if err == nil || !strings.Contains(string(out), said) {
			t.Errorf("%v: %s", err, out)
		}
	}
	refused("another process answers there")
	if err := p.end(syscall.SIGKILL); err == nil {
		t.Error("killed, and no error")
	}
	if _, err := os.Lstat(h.socket()); err != nil {
		t.Fatal("no stale socket, so that nothing is shown:", err)
	}
	if err := h.start().end(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(h.socket(), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("is no socket")
}

// systemd's way: the socket is passed, and stays when the daemon has gone.
func TestSocketActivation(t *testing.T) {
	h := newHome(t, "")
	own := h.dir + "/passed"
	cmd := exec.Command("bash", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec /proc/`+pid()+`/exe --config `+h.dir+`/config.toml`)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	cmd.ExtraFiles = []*os.File{unixFile(t, own)}
	p := started(t, cmd)
	desc, _, mounts := h.layer()
	if _, err := differ(t, own).Apply(t.Context(), desc, mounts); err != nil {
		t.Error(err)
	}
	if err := p.end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(own); err != nil {
		t.Error("the socket that was passed is gone:", err)
	}
	if _, err := os.Lstat(h.socket()); err == nil {
		t.Error("another socket was made")
	}
}

// The service manager is told when it serves, and when it stops.
func TestNotify(t *testing.T) {
	h := newHome(t, "")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: h.dir + "/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", h.dir+"/notify")
	p := h.start()
	p.end(syscall.SIGTERM)
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		b := make([]byte, 100)
		n, err := l.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Errorf("%q %v", b[:n], err)
		}
	}
}

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

func TestMetrics(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for _, address := range []string{free.Addr().String(), "unix:"} {
		h := newHome(t, "")
		if address == "unix:" {
			address += h.dir + "/metrics"
		}
		h.configure("[metrics]\naddress = '" + address + "'")
		h.start()
		desc, _, mounts := h.layer()
		d := differ(t, h.socket())
		if _, err := d.Apply(t.Context(), desc, mounts); err != nil {
			t.Fatal(err)
		}
		h.gunzip("exit 1")
		if _, err := d.Apply(t.Context(), desc, mounts); err == nil {
			t.Fatal("no error")
		}
		text := asked(t, address)
		for _, line := range []string{`tarfs_layers_total{result="ok"} 1`, `tarfs_layers_total{result="error"} 1`, "tarfs_layer_tar_bytes_total 10240",
			`tarfs_stage_seconds_count{stage="stream"} 1`, "tarfs_layers_running 0", "process_resident_memory_bytes"} {
			if !strings.Contains(text, line) {
				t.Errorf("no %s in %s", line, text)
			}
		}
	}
	for _, address := range []string{"0.0.0.0:59465", "10.0.0.1:1", "localhost:1", "nothing"} {
		h := newHome(t, "[metrics]\naddress = '"+address+"'")
		out, err := program("--config", h.dir+"/config.toml").CombinedOutput()
		if err == nil || !strings.Contains(string(out), address) {
			t.Errorf("%s: %v: %s", address, err, out)
		}
	}
}

// asked is what Prometheus would be told.
func asked(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		if path, ok := strings.CutPrefix(address, "unix:"); ok {
			return net.Dial("unix", path)
		}
		return net.Dial("tcp", address)
	}}}
	answer, err := client.Get("http://metrics/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(text)
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

func pid() string {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		panic(errors.Join(err))
	}
	return self
}
