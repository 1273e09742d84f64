package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	diffapi "github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/diff/proxy"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// mainEnv has this test be the program.
const mainEnv = "TARFS_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// program is the program with these arguments.
func program(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), mainEnv+"=1")
	return cmd
}

// home is a directory with a content store and a configuration.
type home struct {
	t     *testing.T
	dir   string
	count int
}

func newHome(t *testing.T, more string) *home {
	h := &home{t: t, dir: testkit.Dir(t)}
	if err := os.MkdirAll(h.dir+"/content/blobs/sha256", 0o700); err != nil {
		t.Fatal(err)
	}
	h.configure(more)
	return h
}

func (h *home) configure(more string) {
	h.t.Helper()
	text := fmt.Sprintf("address = %q\n%s\n[differ]\ncontent_root = %q\ncontainerd_address = ''\ngunzip = %q\n",
		h.socket(), more, h.dir+"/content", h.dir+"/gunzip")
	if err := os.WriteFile(h.dir+"/config.toml", []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.gunzip("gzip -d -c")
}

// gunzip is what undoes gzip.
func (h *home) gunzip(script string) {
	h.t.Helper()
	text := "#!/bin/bash\nPATH=/usr/bin:/bin\n" + script + "\n"
	if err := os.WriteFile(h.dir+"/gunzip", []byte(text), 0o700); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) socket() string { return h.dir + "/s" }

// process is a daemon that runs.
type process struct {
	*exec.Cmd
	t    *testing.T
	said *said
	done chan error
}

// said is what a process said so far. It has no other methods of a buffer, which would be used in the place of Write.
type said struct {
	mutex sync.Mutex
	bytes []byte
}

func (s *said) Write(b []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.bytes = append(s.bytes, b...)
	return len(b), nil
}

func (s *said) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return string(s.bytes)
}

// start starts the daemon, and waits until it serves.
func (h *home) start(args ...string) *process {
	h.t.Helper()
	return started(h.t, program(append([]string{"--config", h.dir + "/config.toml"}, args...)...))
}

func started(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd, t, &said{}, make(chan error, 1)}
	cmd.Stderr = p.said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	p.until("serving")
	return p
}

// until waits until the process has said it.
func (p *process) until(text string) {
	p.t.Helper()
	for range 500 {
		if strings.Contains(p.said.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("it never said %q: %s", text, p.said)
}

// end sends a signal, and waits for the end.
func (p *process) end(signal syscall.Signal) error {
	p.t.Helper()
	p.Process.Signal(signal)
	select {
	case err := <-p.done:
		return err
	case <-time.After(20 * time.Second):
		p.t.Fatalf("it does not end: %s", p.said)
		return nil
	}
}

// connection is one to a daemon.
func connection(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// differ is containerd's own client of a differ.
func differ(t *testing.T, socket string) diff.Applier {
	return proxy.NewDiffApplier(diffapi.NewDiffClient(connection(t, socket))).(diff.Applier)
}

// layer is a blob in the store, and a snapshot that wants it.
func (h *home) layer() (ocispec.Descriptor, string, []mount.Mount) {
	h.t.Helper()
	h.count++
	dir := filepath.Join(h.dir, "snapshots", fmt.Sprint(h.count))
	testkit.Shell(h.t, h.dir, "mkdir -p "+dir+"/fs; : >"+dir+"/.erofslayer; echo "+fmt.Sprint(h.count)+" >file; tar -c file | gzip >blob")
	data, err := os.ReadFile(h.dir + "/blob")
	if err != nil {
		h.t.Fatal(err)
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if err := os.Rename(h.dir+"/blob", h.dir+"/content/blobs/sha256/"+desc.Digest.Encoded()); err != nil {
		h.t.Fatal(err)
	}
	return desc, dir, []mount.Mount{{Type: "bind", Source: dir + "/fs", Options: []string{"rw", "rbind"}}}
}

// unixFile is a listening socket as a file, to be passed.
func unixFile(t *testing.T, path string) *os.File {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
