package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The file that documents all keys says the defaults, and has each key.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../../contrib/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("%+v, not %+v", c, Default())
	}
	for _, key := range keys(reflect.TypeOf(Config{})) {
		if !strings.Contains(string(data), "\n"+key+" = ") && !strings.Contains(string(data), "\n["+key+"]\n") {
			t.Errorf("no key %q", key)
		}
	}
}

// keys are those of a struct, and of those in it that have any.
func keys(of reflect.Type) (all []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		if f.Type.Kind() != reflect.Struct {
			all = append(all, f.Tag.Get("toml"))
		} else if f.Type.NumField() > 0 {
			all = append(append(all, f.Tag.Get("toml")), keys(f.Type)...)
		}
	}
	return all
}

func TestValues(t *testing.T) {
	c, err := Parse([]byte("stop_wait = '90s'\n[differ]\nblock_size = 4096\n[verity]\nlayers = 'containerd-4k'\n" +
		"[snapshotter]\nroot = '/a'\ndefault_size = 7\noverlay_options = ['volatile']\nfollow_lower_links = true\nscrub_interval = '24h'\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.StopWait, want.Differ.BlockSize, want.Verity.Layers = Duration(90*time.Second), 4096, "containerd-4k"
	want.Snapshotter = Snapshotter{Root: "/a", DefaultSize: 7, OverlayOptions: []string{"volatile"}, FollowLowerLinks: true, ScrubInterval: Duration(24 * time.Hour)}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v, not %+v", c, want)
	}
}

// What is wrong is said with its line and key.
func TestWrong(t *testing.T) {
	for _, row := range []struct{ text, said string }{
		{"log_levle = 'info'", `line 1: no key "log_levle"`},
		{"\n[differ]\nstrict = true\nstrikt = true", `line 4: no key "differ.strikt"`},
		{"[verity]\nlayer = 'off'\n[metric]\naddress = ''", `line 2: no key "verity.layer"`},
		{"[snapshotter]\nroots = '/'", `line 2: no key "snapshotter.roots"`},
		{"[snapshotter]\nroot = 'relative'", "snapshotter: root: \"relative\" is not an absolute path"},
		{"[snapshotter]\ndefault_size = 1", "none without a root"},
		{"[snapshotter]\nplain_mounts = true", "none without a root"},
		{"[snapshotter]\nscrub_interval = '24h'", "none without a root"},
		{"[snapshotter]\nroot = '/a'\ndefault_size = -1", "default_size"},
		{"[snapshotter]\nroot = '/a'\ndefault_size = 1\nplain_mounts = true", "exclude each other"},
		{"address = 7", "line 1"},
		{"[differ]\nblock_size = 'large'", "line 2"},
		{"[differ]\nblock_size = -1", "line 2"},
		{"stop_wait = '1'", "line 1"},
		{"stop_wait = '-1s'", "a negative time"},
		{"x", "line 1"},
		{"a = 1\na = 2", "line 2"},
		{"address = 'relative'", "absolute path"},
		{"log_level = 'loud'", "log_level"},
		{"log_format = 'xml'", "log_format"},
		{"[verity]\nlayers = 'on'", "verity.layers"},
	} {
		_, err := Parse([]byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.said) || strings.Contains(strings.TrimSpace(err.Error()), "\n\n") {
			t.Errorf("%q: %v", row.text, err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := t.TempDir() + "/config.toml"
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	os.WriteFile(path, []byte("x = 1"), 0o600)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path+": line 1") {
		t.Error(err)
	}
}
