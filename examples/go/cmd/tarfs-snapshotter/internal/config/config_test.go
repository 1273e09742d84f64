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
		if f.Type == reflect.TypeOf(Experimental{}) {
			continue // is another program's
		}
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
		"[snapshotter]\nroot = '/a'\ndefault_size = 7\noverlay_options = ['volatile']\nfollow_lower_links = true\ndmverity_mode = 'off'\nscrub_interval = '24h'\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.StopWait, want.Differ.BlockSize, want.Verity.Layers = Duration(90*time.Second), 4096, "containerd-4k"
	want.Snapshotter = Snapshotter{Root: "/a", DefaultSize: 7, OverlayOptions: []string{"volatile"}, FollowLowerLinks: true,
		DMVerityMode: "off", ScrubInterval: Duration(24 * time.Hour)}
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
		{"[snapshotter]\nroot = '/a'\nexport_mode = 'disk'", "export_mode: \"disk\" is none of layer_block"},
		{"[snapshotter]\nexport_mode = 'image_block'", "none without a root"},
		{"[snapshotter]\nroot = '/a'\nexpected_roots = '/b'", `expected_roots: export_mode "" gives images no root hash`},
		{"[snapshotter]\nroot = '/a'\nexpected_roots = 'b'\nexport_mode = 'image_verity_only'", "expected_roots: \"b\" is not an absolute path"},
		{"[snapshotter]\nroot = '/a'\ndmverity_mode = 'yes'", `dmverity_mode: "yes" is none of "auto", "on", "off"`},
		{"[snapshotter]\ndmverity_mode = 'on'", "none without a root"},
		{"[snapshotter]\nroot = '/a'\ndmverity_mode = 'on'\nexport_mode = 'image_verity_only'", `dmverity_mode: "on" wants export_mode "image_block_with_verity"`},
		{"[experimental.tarfs]\nenable = true", `line 2: no key "experimental.tarfs.enable"`},
		{"[attached]\nmode = 'maybe'", `attached: mode: "maybe" is none of`},
		{"[attached]\nmode = 'use'", "attached: mode: it is for layers of the daemon's own snapshotter"},
		{"[snapshotter]\nroot = '/a'\n[attached]\nmode = 'use'", "expected_roots lists the root hashes"},
		{"[differ]\nstrict = true\n[snapshotter]\nroot = '/a'\n[attached]\nmode = 'use'\ntrusted_repositories = ['a.example']", "differ.strict looks into layers"},
		{"[differ]\ncontainerd_address = ''\n[snapshotter]\nroot = '/a'\n[attached]\nmode = 'use'\ntrusted_repositories = ['a.example']", "differ.containerd_address is wanted"},
		{"[snapshotter]\nroot = '/a'\nexport_mode = 'layer_block'\n[attached]\nmode = 'use'\ntrusted_repositories = ['a.example']", "makes disks of layers"},
		{"[attached]\nregistries = ['registry.example']", `registries: "registry.example" is no HOST:PORT`},
		{"[attached]\ntrusted_repositories = ['https://registry.example/a']", `trusted_repositories: "https://registry.example/a" is no HOST`},
		{"[attached]\ntrusted_repositories = ['']", `trusted_repositories: "" is no HOST`},
		{"[attached]\ntrusted_repositories = ['registry.example/a@sha256:00']", `is no HOST[:PORT][/PATH]`},
		{"[attached]\nmax_file_bytes = -1", "max_file_bytes: -1 is no number"},
		{"[attached]\nhosts_dir = 'certs.d'", `hosts_dir: "certs.d" is not an absolute path`},
		{"[experimental.tarfs]\nenable_tarfs = true", "experimental.tarfs: wants the snapshotter"},
		{"[snapshotter]\nroot = '/a'\n[experimental.tarfs]\nenable_tarfs = true", "mount_tarfs_on_host = false"},
		{tarfs + "tarfs_hint = true", "tarfs_hint"},
		{tarfs + "max_concurrent_proc = -1", "max_concurrent_proc"},
		{tarfs + "export_mode = 'disk'", "export_mode: \"disk\" is none of"},
	} {
		_, err := Parse([]byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.said) || strings.Contains(strings.TrimSpace(err.Error()), "\n\n") {
			t.Errorf("%q: %v", row.text, err)
		}
	}
}

// tarfs is nydus-snapshotter's section as far as it must be.
const tarfs = "[snapshotter]\nroot = '/a'\n[experimental.tarfs]\nenable_tarfs = true\nmount_tarfs_on_host = true\n"

// nydus-snapshotter's section is taken as it stands; what is ours says more.
func TestTarfs(t *testing.T) {
	for _, row := range []struct {
		text, mode string
		layers     int
	}{
		{"[experimental.tarfs]\nenable_tarfs = false\nexport_mode = 'image_block'", "", 0},
		{tarfs + "tarfs_hint = false\nmax_concurrent_proc = 3\nexport_mode = 'image_block_with_verity'", "image_block_with_verity", 3},
		{tarfs + "export_mode = 'none'", "", 0},
		{tarfs + "max_concurrent_proc = 0\nexport_mode = ''", "", 0},
		{"[differ]\nconcurrent_layers = 2\n" + strings.Replace(tarfs, "root", "export_mode = 'layer_block'\nroot", 1) +
			"max_concurrent_proc = 3\nexport_mode = 'image_block'", "layer_block", 2},
	} {
		c, err := Parse([]byte(row.text))
		if err != nil {
			t.Errorf("%q: %v", row.text, err)
		} else if c.Snapshotter.ExportMode != row.mode || c.Differ.ConcurrentLayers != row.layers {
			t.Errorf("%q: %+v", row.text, c)
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
