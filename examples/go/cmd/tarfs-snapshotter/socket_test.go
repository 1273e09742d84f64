package main

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

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
	cmd := exec.Command("bash", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec /proc/`+strconv.Itoa(os.Getpid())+`/exe --config `+h.dir+`/config.toml`)
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
