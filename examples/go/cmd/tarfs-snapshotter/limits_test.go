package main

import (
	"reflect"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
)

// Each limit of the configuration is the library's of the same name, and all have an effect.
func TestLimits(t *testing.T) {
	c := config.Default()
	if got := limits(c); got.MaxEntries != c.Differ.MaxLayerEntries || got.MaxInodes != 0 {
		t.Errorf("by default: %+v", got)
	}
	given := reflect.ValueOf(&c.Limits).Elem()
	for i := range given.NumField() {
		given.Field(i).SetUint(uint64(1000 + i))
	}
	got := reflect.ValueOf(limits(c))
	for i := range given.NumField() {
		name := given.Type().Field(i).Name
		if n := got.FieldByName(name).Uint(); n != uint64(1000+i) {
			t.Errorf("%s is %d, not %d", name, n, 1000+i)
		}
	}
}
