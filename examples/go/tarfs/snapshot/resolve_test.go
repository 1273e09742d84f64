//go:build go1.25

package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// manifest adds a manifest and a config, and returns the manifest's digest.
func (r *registry) manifest(t testing.TB, layers []snapshot.Layer, diffIDs []string, annotations map[string]string) string {
	t.Helper()
	encode := func(value any) string {
		data, err := json.Marshal(value)
		ok(t, err)
		return r.add(data, data).Digest
	}
	type digest struct {
		Digest string `json:"digest"`
	}
	var list []digest
	for _, layer := range layers {
		list = append(list, digest{layer.Digest})
	}
	config := encode(map[string]any{"rootfs": map[string]any{"diff_ids": diffIDs}})
	return encode(map[string]any{"config": digest{config}, "layers": list, "annotations": annotations})
}

func TestDiffIDsAreLookedUp(t *testing.T) {
	r := newRegistry()
	var layers []snapshot.Layer
	var ids []string
	for _, tar := range threeLayers(t) {
		layer := r.add(gzipped(t, tar), tar)
		ids = append(ids, layer.DiffID)
		layer.DiffID = ""
		layers = append(layers, layer)
	}
	manifest := r.manifest(t, layers, ids, nil)
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r})
	var all sync.WaitGroup
	for i := range layers {
		layers[i].Manifest = manifest
		all.Go(func() {
			if err := prepare(t, m, fmt.Sprint(i), layers[i]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := r.called(manifest); n != 1 {
		t.Errorf("the manifest was fetched %d times", n)
	}
	ok(t, m.MergeLayers(t.Context(), snapshot.Snapshot{ID: "s", ParentIDs: []string{"2", "1", "0"}}))
}

func TestManifestsThatAreWrong(t *testing.T) {
	r := newRegistry()
	tar := archive(t, file("a", "a"))
	layer := r.add(tar, tar)
	other := archive(t, file("b", "b"))
	two := []snapshot.Layer{layer, layer}
	large := []byte(`{"x":"` + strings.Repeat("x", 5<<20) + `"}`)
	for name, row := range map[string]struct {
		manifest string
		want     error
	}{
		"not there":     {sha([]byte("nothing")), nil},
		"no JSON":       {r.add([]byte("{"), nil).Digest, snapshot.ErrInvalid},
		"empty":         {r.add([]byte("{}"), nil).Digest, snapshot.ErrInvalid},
		"too large":     {r.add(large, nil).Digest, snapshot.ErrTooLarge},
		"few diffIDs":   {r.manifest(t, two, []string{layer.DiffID}, nil), snapshot.ErrInvalid},
		"two diffIDs":   {r.manifest(t, two, []string{layer.DiffID, sha(other)}, nil), snapshot.ErrInvalid},
		"another layer": {r.manifest(t, []snapshot.Layer{r.add(other, other)}, []string{sha(other)}, nil), snapshot.ErrInvalid},
		"no diffID":     {r.manifest(t, two[:1], []string{"../../etc/passwd"}, nil), snapshot.ErrInvalid},
		"wrong diffID":  {r.manifest(t, two[:1], []string{sha(other)}, nil), snapshot.ErrDiffID},
		"no digest":     {"latest", snapshot.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			m := manager(t, root, snapshot.Options{Fetcher: r})
			err := prepare(t, m, "s", snapshot.Layer{Digest: layer.Digest, Manifest: row.manifest})
			if err == nil || row.want != nil && !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			nothingLeft(t, root)
		})
	}
}

// A document that is as long as its limit is taken, one that is longer is refused by the limit's name.
func TestDocumentsAtTheirLimit(t *testing.T) {
	r := newRegistry()
	tar := archive(t, file("a", "a"))
	layer := r.add(tar, tar)
	layer.Manifest = r.manifest(t, []snapshot.Layer{layer}, []string{layer.DiffID}, nil)
	length := uint64(len(r.blobs[layer.Manifest])) // the configuration is shorter
	layer.DiffID = ""
	for most, want := range map[uint64]error{length: nil, length - 1: snapshot.ErrTooLarge} {
		m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, Limits: tarfs.Limits{MaxJSONBytes: most}})
		err := prepare(t, m, "s", layer)
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", most, err)
		}
		if says := fmt.Sprintf("%d bytes of JSON are over the limit max_json_bytes of %d", length, length-1); want != nil && !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestHint(t *testing.T) {
	r := newRegistry()
	with := r.manifest(t, nil, nil, map[string]string{"containerd.io/snapshot/tarfs-hint": ""})
	without := r.manifest(t, nil, nil, map[string]string{"other": "true"})
	for _, row := range []struct {
		check    bool
		manifest string
		want     bool
	}{{true, with, true}, {true, without, false}, {false, without, true}} {
		m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, CheckHint: row.check})
		got, err := m.CheckTarfsHintAnnotation(t.Context(), "ref", row.manifest)
		ok(t, err)
		if got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}
