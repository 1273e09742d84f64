package attached_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/attached"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// node is one that has pulled the image of a world.
func node(t *testing.T, w *testkit.World, change func(o *attached.Options)) (*attached.Finder, *store.Store) {
	t.Helper()
	layers := testkit.Must[*store.Store](t)(store.Open(t.TempDir(), store.Options{}))
	t.Cleanup(func() { testkit.OK(t, layers.Close()) })
	options := attached.Options{Content: w.Contents, Layers: layers, Require: true, Registries: []string{w.Registry()}}
	if change != nil {
		change(&options)
	}
	return attached.New(options), layers
}

// What `tarfs push --attach` has put into a registry is found by each layer of its image, and asked for once.
func TestFinder(t *testing.T) {
	t.Run("by a tag", func(t *testing.T) { finds(t, testkit.NewWorld(t)) })
	t.Run("by the registry's list", func(t *testing.T) { finds(t, testkit.NewWorldWithReferrers(t)) })
}

func finds(t *testing.T, w *testkit.World) {
	root := w.Attach()
	asked := 0
	f, layers := node(t, w, func(o *attached.Options) {
		o.Expected = func(found string) (bool, error) {
			asked++
			return found == "sha256:"+root, nil
		}
	})
	var all sync.WaitGroup
	for i, layer := range w.Layers {
		all.Go(func() {
			id, err := f.Layer(t.Context(), layer.Digest, w.Chain(i))
			if err != nil || id != digest.FromBytes(w.Tars[i]) {
				t.Errorf("layer %d: %s, %v", i, id, err)
			}
		})
	}
	all.Wait()
	if !layers.IsAttached(w.DiffIDs()) {
		t.Error("nothing is kept")
	}
	if asked != 1 {
		t.Errorf("the root hash was asked for %d times", asked)
	}
	// What was collected since is asked for again.
	_, err := layers.Collect(t.Context(), func(context.Context) ([]digest.Digest, error) { return w.DiffIDs(), nil })
	testkit.OK(t, err)
	_, err = layers.Collect(t.Context(), func(context.Context) ([]digest.Digest, error) { return nil, nil })
	testkit.OK(t, err)
	if layers.HasAttached(w.DiffIDs()) {
		t.Fatal("it was not collected")
	}
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err != nil || !layers.IsAttached(w.DiffIDs()) || asked != 2 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if _, err := f.Layer(t.Context(), digest.FromString("another"), w.Chain(0)); err == nil || !strings.Contains(err.Error(), "no image in containerd's store has the layer") {
		t.Error(err)
	}
}

// What is not there, or not right, is an error that says what, where it is required; else the layer is made here.
func TestFinderRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(w *testkit.World)
		options func(o *attached.Options)
		said    string
	}{
		"nothing": {func(*testkit.World) {}, nil, "nothing is attached to it"},
		"a byte of the metadata": {func(w *testkit.World) {
			w.Attach()
			_, manifest := w.Referrer()
			w.Flip(w.Kept(manifest.Layers[0].Digest), 1100)
		}, nil, "has other bytes than its digest says"},
		"a byte of the hash tree": {func(w *testkit.World) {
			w.Attach()
			_, manifest := w.Referrer()
			w.Flip(w.Kept(manifest.Layers[1].Digest), 77)
		}, nil, "has other bytes than its digest says"},
		"a byte of the manifest": {func(w *testkit.World) {
			w.Attach()
			id, _ := w.Referrer()
			text := string(testkit.Must[[]byte](t)(os.ReadFile(w.Kept(id))))
			w.Flip(w.Kept(id), int64(strings.Index(text, "image.verity")))
		}, nil, "referrer sha256:"},
		"a root that nobody expects": {func(w *testkit.World) { w.Attach() }, func(o *attached.Options) {
			o.Expected = func(string) (bool, error) { return false, nil }
		}, "is not expected"},
		"other options": {func(w *testkit.World) { w.Attach() }, func(o *attached.Options) { o.FollowLowerLinks = true },
			`says org.erofs.tarfs.follow-lower-links "false", and here it is "true"`},
		"too many bytes": {func(w *testkit.World) { w.Attach() }, func(o *attached.Options) { o.MaxBytes = 1000 }, "attached.max_file_bytes allows 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := testkit.NewWorld(t)
			row.change(w)
			f, layers := node(t, w, row.options)
			_, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0))
			if err == nil || !strings.Contains(err.Error(), row.said) || !strings.Contains(err.Error(), w.Manifest.String()) {
				t.Fatalf("%v, not %q", err, row.said)
			}
			if layers.IsAttached(w.DiffIDs()) {
				t.Error("it is kept")
			}
			f, _ = node(t, w, func(o *attached.Options) {
				o.Require = false
				if row.options != nil {
					row.options(o)
				}
			})
			if id, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err != nil || id != "" {
				t.Errorf("%s, %v", id, err)
			}
		})
	}
}

// The format version is the changelog's: with another one what is attached gives other bytes.
func TestFormat(t *testing.T) {
	changelog := string(testkit.Must[[]byte](t)(os.ReadFile("../../../../../../CHANGELOG.md")))
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	_, before, _ := strings.Cut(changelog, "stay readable. Current: ")
	version, _, _ := strings.Cut(before, ".")
	f, _ := node(t, w, nil)
	if _, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0)); err != nil || version != attached.Format {
		t.Errorf("%v; version %s, and %s here", err, version, attached.Format)
	}
}

// A registry that wants a login is given that of the file, and no other registry is.
func TestCredentials(t *testing.T) {
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	w.WantLogin()
	file := testkit.Dir(t) + "/config.json"
	auth := base64.StdEncoding.EncodeToString([]byte("me:secret"))
	for _, row := range []struct{ text, said string }{
		{fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, w.Registry(), auth), ""},
		{fmt.Sprintf(`{"auths":{"registry.example":{"auth":%q}}}`, auth), "no basic auth credentials"},
		{fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, w.Registry(), base64.StdEncoding.EncodeToString([]byte("me:wrong"))), "401 Unauthorized"},
		{fmt.Sprintf(`{"auths":{%q:{"auth":"bWU="}}}`, w.Registry()), "has no name and password"},
		{"{", "attached.credentials: " + file},
		{"", "no such file"},
	} {
		if row.text == "" {
			testkit.OK(t, os.Remove(file))
		} else {
			testkit.OK(t, os.WriteFile(file, []byte(row.text), 0o600))
		}
		f, _ := node(t, w, func(o *attached.Options) { o.Credentials = file })
		_, err := f.Layer(t.Context(), w.Layers[0].Digest, w.Chain(0))
		if row.said == "" && err != nil || row.said != "" && (err == nil || !strings.Contains(err.Error(), row.said)) {
			t.Errorf("%s: %v", row.text, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a password is said: %v", err)
		}
	}
}
