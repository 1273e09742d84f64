package snapshot_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"golang.org/x/sys/unix"
)

// Callers that do not know of each other do everything with the same few IDs. They may be told that
// something is not there, or is of another layer; the rest works, and the disk says the same as the
// manager.
func TestEverythingAtOnce(t *testing.T) {
	canMount(t)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d", seed)
	r, root := newRegistry(), diskDir(t)
	var layers []snapshot.Layer
	for i := range 3 {
		data := archive(t, file(fmt.Sprint("f", i), noise(uint64(i), 30_000)))
		layers = append(layers, r.add(gzipped(t, data), data))
	}
	ids := []string{"a", "b", "c", "d"}
	m := manager(t, root, snapshot.Options{Fetcher: r})
	random := func(worker int) func() error {
		random := rand.New(rand.NewPCG(seed, uint64(worker)))
		return func() error {
			id, other := ids[random.IntN(4)], ids[random.IntN(4)]
			s := snapshot.Snapshot{ID: "s", ParentIDs: []string{id, other}}
			switch random.IntN(8) {
			case 0, 1:
				return prepare(t, m, id, layers[random.IntN(3)])
			case 2:
				return m.DetachLayer(id)
			case 3:
				return m.MergeLayers(t.Context(), s)
			case 4:
				_, err := m.Export(t.Context(), s, tarfs.Modes()[random.IntN(6)])
				return err
			case 5:
				_, err := m.MountTarErofs(t.Context(), id, s)
				return err
			case 6:
				return m.UmountTarErofs(id)
			default:
				_, err := m.Collect()
				return err
			}
		}
	}
	const workers, rounds = 8, 60
	errs := make(chan error)
	for w := range workers {
		do := random(w)
		go func() {
			for range rounds {
				errs <- do()
			}
		}()
	}
	good := 0
	for range workers * rounds {
		err := <-errs
		if err == nil {
			good++
		} else if !errors.Is(err, snapshot.ErrNotFound) && !errors.Is(err, snapshot.ErrExists) {
			t.Error(err)
		}
	}
	if good < workers*rounds/10 {
		t.Errorf("only %d of %d calls did anything", good, workers*rounds)
	}

	var ready, mounts []string
	var stat unix.Statfs_t
	for _, id := range ids {
		if m.WaitLayerReady(t.Context(), id) == nil {
			ready = append(ready, id)
		}
		if unix.Statfs(m.MountPoint(id), &stat) == nil && uint32(stat.Type) == 0xe0f5e1e2 {
			mounts = append(mounts, id)
		}
	}
	ok(t, m.Close())
	m = manager(t, root, snapshot.Options{Fetcher: noFetch})
	found := m.Recovered()
	slices.Sort(found.Snapshots)
	slices.Sort(found.Mounts)
	if !slices.Equal(found.Snapshots, ready) || !slices.Equal(found.Mounts, mounts) ||
		len(found.Lost)+len(found.Remounted)+found.Temporaries != 0 {
		t.Errorf("recovered %+v, there were %q, mounted %q", found, ready, mounts)
	}
}
