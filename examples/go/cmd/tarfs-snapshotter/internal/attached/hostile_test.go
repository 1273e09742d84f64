package attached_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/attached"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// got is what the registry has, by a path below the image's repository.
func got(t *testing.T, w *testkit.World, path string) []byte {
	t.Helper()
	answer := testkit.Must[*http.Response](t)(http.Get("http://" + w.Registry() + "/v2/a/image/" + path))
	defer answer.Body.Close()
	return testkit.Must[[]byte](t)(io.ReadAll(answer.Body))
}

// forged has the registry say something else of what is attached to the image.
func forged(t *testing.T, w *testkit.World, change func(manifest *ocispec.Manifest, entry *ocispec.Descriptor)) {
	t.Helper()
	w.Instead(func(http.ResponseWriter, *http.Request) bool { return false }) // anything forged before
	var index ocispec.Index
	testkit.OK(t, json.Unmarshal(got(t, w, "referrers/"+w.Manifest.String()), &index))
	var manifest ocispec.Manifest
	testkit.OK(t, json.Unmarshal(got(t, w, "manifests/"+index.Manifests[0].Digest.String()), &manifest))
	entry := index.Manifests[0]
	change(&manifest, &entry)
	text := testkit.Must[[]byte](t)(json.Marshal(manifest))
	entry.Digest, entry.Size = digest.FromBytes(text), int64(len(text))
	list := testkit.Must[[]byte](t)(json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{entry},
	}))
	w.Instead(func(to http.ResponseWriter, asked *http.Request) bool {
		switch {
		case strings.Contains(asked.URL.Path, "/referrers/"):
			to.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			to.Write(list)
		case strings.HasSuffix(asked.URL.Path, entry.Digest.String()):
			to.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			to.Write(text)
		default:
			return false
		}
		return true
	})
}

// elsewhere is a server that nobody may ask; whether somebody did.
func elsewhere(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		to.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// Whoever may push says where files are, too. Nobody is asked but the registry: what answers to this node need not answer
// to him.
func TestURLsAreNotFollowed(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	url, asked := elsewhere(t)
	forged(t, w, func(manifest *ocispec.Manifest, entry *ocispec.Descriptor) {
		entry.URLs = []string{url + "/manifest"}
		for i := range manifest.Layers {
			manifest.Layers[i].URLs = []string{url + "/latest/meta-data"}
		}
	})
	f, layers := node(t, w, nil)
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err != nil || !layers.IsAttached(w.DiffIDs()) {
		t.Errorf("%v", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another server was asked %d times", n)
	}
}

// What a manifest says may be long, and errors about it are not: they go to the log, and to whoever pulls.
func TestErrorsAreShort(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	long := strings.Repeat("\x01", 1<<18)
	for name, change := range map[string]func(manifest *ocispec.Manifest){
		"annotation":  func(m *ocispec.Manifest) { m.Annotations["org.erofs.tarfs.layers"] = long },
		"type":        func(m *ocispec.Manifest) { m.ArtifactType = long },
		"root":        func(m *ocispec.Manifest) { m.Annotations["org.erofs.tarfs.root"] = long },
		"data blocks": func(m *ocispec.Manifest) { m.Annotations["org.erofs.tarfs.data-blocks"] = long },
		"a digest":    func(m *ocispec.Manifest) { m.Layers[0].Digest = digest.Digest(long) },
		"no digest":   func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../../../etc/passwd" },
		"another one": func(m *ocispec.Manifest) { m.Layers[0].Digest = digest.Digest("md5:" + strings.Repeat("0", 32)) },
	} {
		forged(t, w, func(manifest *ocispec.Manifest, _ *ocispec.Descriptor) { change(manifest) })
		f, layers := node(t, w, nil)
		_, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0))
		if err == nil || layers.IsAttached(w.DiffIDs()) {
			t.Fatalf("%s: it is used: %v", name, err)
		}
		if n := len(err.Error()); n > 1000 {
			t.Errorf("%s: an error of %d bytes: %.300s", name, n, err)
		}
	}
}

// What could never be right is not fetched.
func TestNothingIsFetchedInVain(t *testing.T) {
	for name, change := range map[string]func(manifest *ocispec.Manifest){
		"a tree that is not as long as its data's": func(m *ocispec.Manifest) { m.Layers[1].Size = 60 << 30 },
		"metadata that is longer than the disk":    func(m *ocispec.Manifest) { m.Layers[0].Size = 60 << 30 },
		"more data than a disk has":                func(m *ocispec.Manifest) { m.Annotations["org.erofs.tarfs.data-blocks"] = fmt.Sprint(uint64(1) << 47) },
		"less than nothing":                        func(m *ocispec.Manifest) { m.Layers[1].Size = -1 },
	} {
		w := testkit.NewWorldWithReferrers(t)
		w.Attach()
		forged(t, w, func(manifest *ocispec.Manifest, _ *ocispec.Descriptor) { change(manifest) })
		var blobs atomic.Int64
		count(w, "/blobs/", &blobs)
		f, _ := node(t, w, func(o *attached.Options) { o.MaxBytes = 64 << 30 })
		if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err == nil {
			t.Errorf("%s: it is used", name)
		} else if n := blobs.Load(); n != 0 {
			t.Errorf("%s: %d files were fetched: %v", name, n, err)
		}
	}
	// Of two files the second is not fetched when the first is not right.
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	forged(t, w, func(manifest *ocispec.Manifest, _ *ocispec.Descriptor) { manifest.Layers[0].Size-- })
	var blobs atomic.Int64
	count(w, "/blobs/", &blobs)
	f, _ := node(t, w, nil)
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err == nil || blobs.Load() != 1 {
		t.Errorf("%v, and %d files were fetched", err, blobs.Load())
	}
}

// count counts requests for some paths before the registry has them.
func count(w *testkit.World, path string, n *atomic.Int64) {
	w.Before(func(_ http.ResponseWriter, asked *http.Request) bool {
		if strings.Contains(asked.URL.Path, path) {
			n.Add(1)
		}
		return false
	})
}

// A registry that sends one byte after the other is not waited for, and not asked again for each layer.
func TestTrickle(t *testing.T) {
	for _, path := range []string{"/referrers/", "/manifests/", "/blobs/"} {
		w := testkit.NewWorldWithReferrers(t)
		w.Attach()
		var times atomic.Int64
		w.Before(func(to http.ResponseWriter, asked *http.Request) bool {
			if !strings.Contains(asked.URL.Path, path) {
				return false
			}
			times.Add(1)
			to.Header().Set("Content-Length", "1000")
			for asked.Context().Err() == nil {
				to.Write([]byte(" "))
				to.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
			return true
		})
		f, _ := node(t, w, func(o *attached.Options) { o.Silence = 200 * time.Millisecond })
		began := time.Now()
		for i, layer := range w.Layers {
			if _, err := f.Layer(t.Context(), layer.Digest, w.Chain(i)); err == nil || !strings.Contains(err.Error(), "bytes in 200ms") {
				t.Errorf("%s: %v", path, err)
			}
		}
		if took := time.Since(began); took > 5*time.Second || times.Load() > 2 {
			t.Errorf("%s: it took %v, and was asked for %d times", path, took, times.Load())
		}
	}
}

// Nor is one that sends just enough: what a repository has is known soon, or it is nothing.
func TestNoEnd(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	w.Before(func(to http.ResponseWriter, asked *http.Request) bool {
		for asked.Context().Err() == nil {
			to.Write([]byte(strings.Repeat(" ", 50_000)))
			to.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
		return true
	})
	f, _ := node(t, w, func(o *attached.Options) { o.Silence, o.Seeking = 300*time.Millisecond, time.Second })
	began := time.Now()
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Error(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}

// What was long in vain is not asked for again soon, so that an image whose layers take long is not held up by each.
func TestLongInVain(t *testing.T) {
	for took, lasts := range map[time.Duration]time.Duration{0: time.Minute, time.Second: time.Minute, 10 * time.Minute: 100 * time.Minute} {
		if got := attached.Lasts(took); got != lasts {
			t.Errorf("after %v it lasts %v, not %v", took, got, lasts)
		}
	}
}

// An answer is asked for as it is: one in zstd may want half a gigabyte of memory to be unpacked.
func TestAnswersAreNotUnpacked(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	w.Before(func(to http.ResponseWriter, asked *http.Request) bool {
		if accepts := asked.Header.Get("Accept-Encoding"); accepts != "identity" {
			t.Errorf("asked for %q", accepts)
		}
		to.Header().Set("Content-Encoding", "zstd")
		return false
	})
	f, _ := node(t, w, nil)
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err == nil || !strings.Contains(err.Error(), `Content-Encoding "zstd"`) {
		t.Error(err)
	}
}

// A registry that is asked by HTTPS leads nobody to where he is not.
func TestNoWayDownFromHTTPS(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	to, asked := elsewhere(t)
	server := httptest.NewTLSServer(http.RedirectHandler(to+"/v2/a/image/referrers/x", http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	dir := testkit.Dir(t)
	host := strings.Replace(w.Registry(), ":", "_", 1) + "_"
	testkit.OK(t, os.MkdirAll(filepath.Join(dir, host), 0o700))
	text := fmt.Sprintf("server = %q\nskip_verify = true\n", server.URL)
	testkit.OK(t, os.WriteFile(filepath.Join(dir, host, "hosts.toml"), []byte(text), 0o600))
	f, _ := node(t, w, func(o *attached.Options) { o.HostsDir = dir })
	_, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0))
	if err == nil || !strings.Contains(err.Error(), "which is not asked by HTTPS") || asked.Load() != 0 {
		t.Errorf("%v; asked %d times", err, asked.Load())
	}
}

// Only repositories that are believed are asked, with what their names begin with up to a slash.
func TestRepositories(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	var all atomic.Int64
	count(w, "/", &all)
	for _, row := range []struct {
		believed string
		used     bool
	}{{"/a/image", true}, {"/a", true}, {"", true}, {"/a/", true}, {"/a/im", false}, {"/b", false}, {"0", false}} {
		all.Store(0)
		f, _ := node(t, w, func(o *attached.Options) {
			o.Repositories = []string{"registry.example/x", w.Registry() + row.believed}
		})
		_, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0))
		if row.used != (err == nil) || row.used != (all.Load() > 0) || err != nil && !strings.Contains(err.Error(), "attached.trusted_repositories") {
			t.Errorf("%q: %v, asked %d times", row.believed, err, all.Load())
		}
	}
}

// An image that has a layer of another, and lies about which it is, has no part in the other's layers.
func TestOtherChain(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	f, _ := node(t, w, nil)
	for _, chain := range []digest.Digest{"", w.Chain(0), digest.FromString("another")} {
		if _, err := f.Layer(t.Context(), w.Layers[1].Digest, chain); err == nil || !strings.Contains(err.Error(), "no image in containerd's store has the layer") {
			t.Errorf("%q: %v", chain, err)
		}
	}
	if id, err := f.Layer(t.Context(), w.Layers[1].Digest, w.Chain(1)); err != nil || id != w.DiffIDs()[1] {
		t.Errorf("%s, %v", id, err)
	}
}
