package testkit

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// labels are those of a content store.
type labels map[digest.Digest]map[string]string

func (l labels) Get(id digest.Digest) (map[string]string, error) { return l[id], nil }
func (l labels) Set(id digest.Digest, set map[string]string) error {
	l[id] = set
	return nil
}
func (l labels) Update(id digest.Digest, more map[string]string) (map[string]string, error) {
	for name, value := range more {
		l[id][name] = value
	}
	return l[id], nil
}

// answer answers a request, or says that it does not.
type answer func(to http.ResponseWriter, asked *http.Request) bool

// World is a registry with an image in it, and a content store that has pulled the image.
type World struct {
	t         *testing.T
	dir, host string
	login     atomic.Bool
	// Who may answer in the place of a registry with referrers, the first one first.
	before, instead atomic.Pointer[answer]
	// Contents is the content store, as containerd has it.
	Contents content.Store
	// Tars are the image's layers, and Layers their blobs.
	Tars   [][]byte
	Layers []ocispec.Descriptor
	// Manifest is the image's.
	Manifest digest.Digest
}

// WantLogin has a registry with referrers want the name "me" and the password "secret" from now on.
func (w *World) WantLogin() { w.login.Store(true) }

// Before has a registry with referrers ask this first, which says whether it has answered, and Instead this next.
func (w *World) Before(answer answer)  { w.before.Store(&answer) }
func (w *World) Instead(answer answer) { w.instead.Store(&answer) }

// Chain is the chain ID of the layers up to one of them, from 0.
func (w *World) Chain(layer int) digest.Digest { return identity.ChainID(w.DiffIDs()[:layer+1]) }

// Registry is where the image is, of which containerd's labels say no port.
func (w *World) Registry() string { return w.host }

// DiffIDs are those of the layers.
func (w *World) DiffIDs() (ids []digest.Digest) {
	for _, tar := range w.Tars {
		ids = append(ids, digest.FromBytes(tar))
	}
	return ids
}

// repository is where the image is.
func (w *World) repository() string { return w.host + "/a/image" }

// NewWorld makes one, with Debian's registry, which keeps no list of referrers. It ends the test where a program for it is
// not there.
func NewWorld(t *testing.T) *World { return newWorld(t, (*World).serve) }

// NewWorldWithReferrers makes one with a registry in this process that keeps such a list.
func NewWorldWithReferrers(t *testing.T) *World { return newWorld(t, (*World).serveReferrers) }

func newWorld(t *testing.T, serve func(w *World)) *World {
	t.Helper()
	w := &World{t: t, dir: Dir(t)}
	tool := os.Getenv("TARFS_TOOL")
	if tool == "" {
		Without(t, "TARFS_TOOL, the path of the tool tarfs")
	}
	for _, name := range []string{"docker-registry", "skopeo"} {
		if _, err := exec.LookPath(name); err != nil {
			Without(t, name)
		}
	}
	w.Contents = Must[content.Store](t)(local.NewLabeledStore(w.dir+"/content", labels{}))
	w.Tars = [][]byte{tarOf(t, "etc/passwd", "root", "file", strings.Repeat("a file\n", 9000)), tarOf(t, "etc/.wh.passwd", "", "app", "an app")}
	serve(w)
	w.write()
	Shell(t, w.dir, fmt.Sprintf("skopeo --insecure-policy copy --quiet --dest-tls-verify=false oci:layout:t docker://%s:t", w.repository()))
	return w
}

// Attach has the tool do it, and says which root hash it says.
func (w *World) Attach() (root string) {
	w.t.Helper()
	said := Shell(w.t, w.dir, fmt.Sprintf("%q push --attach --json docker://%s:t", os.Getenv("TARFS_TOOL"), w.repository()))
	var report struct {
		Root string `json:"root_hash"`
	}
	OK(w.t, json.Unmarshal([]byte(said), &report))
	return report.Root
}

// serve starts Debian's registry.
func (w *World) serve() {
	w.t.Helper()
	l := Must[net.Listener](w.t)(net.Listen("tcp", "127.0.0.1:0"))
	w.host = l.Addr().String()
	OK(w.t, l.Close())
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nhttp: {addr: %q}\nstorage: {filesystem: {rootdirectory: %q}}\n", w.host, w.dir+"/registry")
	OK(w.t, os.WriteFile(w.dir+"/registry.yml", []byte(text), 0o600))
	c := exec.Command("docker-registry", "serve", w.dir+"/registry.yml")
	OK(w.t, c.Start())
	w.t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	for range 500 {
		if c, err := net.Dial("tcp", w.host); err == nil {
			c.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatal("docker-registry does not listen")
}

// serveReferrers starts a registry in memory.
func (w *World) serveReferrers() {
	registry := ociserver.New(ocimem.New(), nil)
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, asked *http.Request) {
		if name, password, _ := asked.BasicAuth(); w.login.Load() && name+":"+password != "me:secret" {
			to.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			to.WriteHeader(http.StatusUnauthorized)
			return
		}
		for _, other := range []*answer{w.before.Load(), w.instead.Load()} {
			if other != nil && (*other)(to, asked) {
				return
			}
		}
		registry.ServeHTTP(to, asked)
	}))
	w.t.Cleanup(server.Close)
	w.host = strings.TrimPrefix(server.URL, "http://")
}

// Blob puts a blob of no image into the content store.
func (w *World) Blob(data []byte, mediaType string) ocispec.Descriptor {
	return w.blob(data, mediaType, nil)
}

// blob puts a blob into the layout, and into the content store.
func (w *World) blob(data []byte, mediaType string, labels map[string]string) ocispec.Descriptor {
	w.t.Helper()
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	dir := w.dir + "/layout/blobs/sha256"
	OK(w.t, os.MkdirAll(dir, 0o700))
	OK(w.t, os.WriteFile(filepath.Join(dir, desc.Digest.Encoded()), data, 0o600))
	OK(w.t, content.WriteBlob(w.t.Context(), w.Contents, desc.Digest.String(), bytes.NewReader(data), desc, content.WithLabels(labels)))
	return desc
}

// write writes the image, as a layout and as containerd has it when it has pulled it.
func (w *World) write() {
	w.t.Helper()
	source := map[string]string{"containerd.io/distribution.source.127.0.0.1": "a/image"}
	config := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, RootFS: ocispec.RootFS{Type: "layers"}}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	refers := map[string]string{"containerd.io/distribution.source.127.0.0.1": "a/image"}
	for i, tar := range w.Tars {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		Must[int](w.t)(z.Write(tar))
		OK(w.t, z.Close())
		layer := w.blob(packed.Bytes(), ocispec.MediaTypeImageLayerGzip, source)
		manifest.Layers, w.Layers = append(manifest.Layers, layer), append(w.Layers, layer)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(tar))
		refers[fmt.Sprint("containerd.io/gc.ref.content.l.", i)] = layer.Digest.String()
	}
	manifest.Config = w.blob(Must[[]byte](w.t)(json.Marshal(config)), ocispec.MediaTypeImageConfig, source)
	refers["containerd.io/gc.ref.content.config"] = manifest.Config.Digest.String()
	desc := w.blob(Must[[]byte](w.t)(json.Marshal(manifest)), ocispec.MediaTypeImageManifest, refers)
	w.Manifest = desc.Digest
	desc.Annotations = map[string]string{ocispec.AnnotationRefName: "t"}
	index := Must[[]byte](w.t)(json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{desc}}))
	OK(w.t, os.WriteFile(w.dir+"/layout/index.json", index, 0o600))
	OK(w.t, os.WriteFile(w.dir+"/layout/oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600))
}

// Kept is the file in which the registry keeps a blob.
func (w *World) Kept(id digest.Digest) string {
	return filepath.Join(w.dir, "registry/docker/registry/v2/blobs/sha256", id.Encoded()[:2], id.Encoded(), "data")
}

// Referrer is the manifest that refers to the image, by the tag of the registry's index.
func (w *World) Referrer() (id digest.Digest, manifest ocispec.Manifest) {
	w.t.Helper()
	link := filepath.Join(w.dir, "registry/docker/registry/v2/repositories/a/image/_manifests/tags", strings.Replace(w.Manifest.String(), ":", "-", 1), "current/link")
	index := digest.Digest(Must[[]byte](w.t)(os.ReadFile(link)))
	var list ocispec.Index
	OK(w.t, json.Unmarshal(Must[[]byte](w.t)(os.ReadFile(w.Kept(index))), &list))
	id = list.Manifests[0].Digest
	OK(w.t, json.Unmarshal(Must[[]byte](w.t)(os.ReadFile(w.Kept(id))), &manifest))
	return id, manifest
}

// Flip changes a byte of a file.
func (w *World) Flip(path string, at int64) {
	w.t.Helper()
	data := Must[[]byte](w.t)(os.ReadFile(path))
	data[at] ^= 1
	OK(w.t, os.WriteFile(path, data, 0o600))
}

func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		OK(t, w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1])), Format: tar.FormatPAX}))
		Must[int](t)(w.Write([]byte(files[i+1])))
	}
	OK(t, w.Close())
	return out.Bytes()
}
