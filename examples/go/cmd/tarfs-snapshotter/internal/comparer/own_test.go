package comparer

import (
	"os"
	"slices"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
)

// Containers of the snapshotter of this process need no marker. Its plain mounts are known too; mapped owners are
// refused, as no other differ does better.
func TestOwn(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >x`)
	if err := os.Remove(d.dir + "/2/.erofslayer"); err != nil {
		t.Fatal(err)
	}
	over := func(dir string, more ...string) []mount.Mount {
		return []mount.Mount{{Type: "overlay", Source: "overlay", Options: append(more,
			"workdir="+d.dir+"/2/work", "upperdir="+d.dir+"/2/fs", "lowerdir="+dir)}}
	}
	bound := []mount.Mount{{Type: "bind", Source: "/image", Options: []string{"rbind", "ro"}}}
	view := append(slices.Clone(d.lower), mount.Mount{Type: "format/bind", Source: "{{ mount 0 }}", Options: []string{"rbind", "ro"}})
	for name, row := range map[string]struct {
		lower, upper []mount.Mount
		own          bool
		want         func(error) bool
	}{
		"a view below":     {view, d.upper, true, nil},
		"plain":            {bound, over("/image"), true, nil},
		"of another image": {bound, over("/other"), true, errdefs.IsNotImplemented},
		"mapped":           {bound, over("/image", "uidmap=0:1000:1000"), true, errdefs.IsFailedPrecondition},
		"not of ours":      {view, d.upper, false, errdefs.IsNotImplemented},
		"plain, not ours":  {bound, over("/image"), false, errdefs.IsNotImplemented},
	} {
		d.comparer.opts.Own = func(mounts []mount.Mount) (string, bool) { return "2", row.own && len(mounts) > 0 }
		_, err := d.comparer.Compare(d.ctx, row.lower, row.upper)
		if row.want == nil && err != nil || row.want != nil && !row.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
