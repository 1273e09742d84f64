package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/config"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// What comes of each mode, with dm-verity in the kernel and without; what is decided is in the log, or in the error.
func TestDMVerityMode(t *testing.T) {
	none := errors.New("there is none")
	const sealed, other = "image_block_with_verity", "image_block"
	for _, row := range []struct {
		mode, export string
		plain        bool
		kernel       error
		through      bool
		said, failed string
	}{
		{"auto", sealed, false, nil, true, "INFO msg=\"images are mounted through dm-verity\"", ""},
		{"auto", sealed, false, none, false, "WARN msg=\"images are mounted without dm-verity\" cause=\"there is none\"", ""},
		{"auto", sealed, true, nil, true, "INFO msg=\"images are mounted through dm-verity\"", ""},
		{"auto", other, false, nil, false, "", ""},
		{"auto", "", false, none, false, "", ""},
		{"on", sealed, false, nil, true, "INFO msg=\"images are mounted through dm-verity\"", ""},
		{"on", sealed, false, none, false, "", "dmverity_mode is \"on\", and there is none"},
		{"off", sealed, false, nil, false, "INFO msg=\"images are mounted without dm-verity\"", ""},
		{"off", sealed, false, none, false, "INFO msg=\"images are mounted without dm-verity\"", ""},
	} {
		var log bytes.Buffer
		o := &config.Snapshotter{Root: "/a", DMVerityMode: row.mode, ExportMode: row.export, PlainMounts: row.plain}
		through, err := dmVerity(o, row.kernel, slog.New(slog.NewTextHandler(&log, nil)))
		if through != row.through || !strings.Contains(log.String(), row.said) || (row.said == "") != (log.Len() == 0) {
			t.Errorf("%+v: %v, %s", row, through, log.String())
		}
		if (err != nil) != (row.failed != "") || err != nil && !strings.Contains(err.Error(), row.failed) {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

// The daemon does not start where it may not go on without, and says what to do; nothing of its directory is there then.
// On a kernel that has dm-verity it serves.
func TestDMVerityAtTheStart(t *testing.T) {
	testkit.Root(t)
	h := newHome(t, "")
	text := "[snapshotter]\nroot = %q\nexport_mode = \"image_block_with_verity\"\ndmverity_mode = %q"
	h.configure(fmt.Sprintf(text, h.dir+"/kept", "on"))
	if kernelVerity() == nil {
		h.start().until("images are mounted through dm-verity")
		return
	}
	out, err := program("--config", h.dir+"/config.toml").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "snapshotter: dmverity_mode is \"on\", and this kernel has no dm-verity") ||
		!strings.Contains(string(out), "modprobe dm-verity") {
		t.Errorf("%v: %s", err, out)
	}
	if left := testkit.Shell(t, h.dir, "ls -d kept 2>/dev/null || true"); left != "" {
		t.Error("left:", left)
	}
	h.configure(fmt.Sprintf(text, h.dir+"/kept", "auto"))
	h.start().until("images are mounted without dm-verity")
}
