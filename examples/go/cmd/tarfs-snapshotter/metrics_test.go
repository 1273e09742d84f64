package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for _, address := range []string{free.Addr().String(), "unix:"} {
		h := newHome(t, "")
		if address == "unix:" {
			address += h.dir + "/metrics"
		}
		h.configure("[metrics]\naddress = '" + address + "'")
		h.start()
		desc, _, mounts := h.layer()
		d := differ(t, h.socket())
		if _, err := d.Apply(t.Context(), desc, mounts); err != nil {
			t.Fatal(err)
		}
		h.gunzip("exit 1")
		if _, err := d.Apply(t.Context(), desc, mounts); err == nil {
			t.Fatal("no error")
		}
		text := asked(t, address)
		for _, line := range []string{`tarfs_layers_total{result="ok"} 1`, `tarfs_layers_total{result="error"} 1`, "tarfs_layer_tar_bytes_total 10240",
			`tarfs_stage_seconds_count{stage="stream"} 1`, "tarfs_layers_running 0", "process_resident_memory_bytes"} {
			if !strings.Contains(text, line) {
				t.Errorf("no %s in %s", line, text)
			}
		}
	}
	for _, address := range []string{"0.0.0.0:59465", "10.0.0.1:1", "localhost:1", "nothing"} {
		h := newHome(t, "[metrics]\naddress = '"+address+"'")
		out, err := program("--config", h.dir+"/config.toml").CombinedOutput()
		if err == nil || !strings.Contains(string(out), address) {
			t.Errorf("%s: %v: %s", address, err, out)
		}
	}
}

// asked is what Prometheus would be told.
func asked(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		if path, ok := strings.CutPrefix(address, "unix:"); ok {
			return net.Dial("unix", path)
		}
		return net.Dial("tcp", address)
	}}}
	answer, err := client.Get("http://metrics/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	return string(text)
}
