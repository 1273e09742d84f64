// Package metrics counts what the daemon does, for Prometheus.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Metrics are all of them, in a registry of their own. All methods work on nil, and do nothing then.
type Metrics struct {
	// Registry has those of the process too.
	Registry *prometheus.Registry

	layers, compares  *prometheus.CounterVec
	compressed, bytes prometheus.Counter
	seconds           *prometheus.HistogramVec
	running           prometheus.Gauge
	reused            prometheus.Counter
	dropped           *prometheus.CounterVec
	hashed, attached  *prometheus.CounterVec
	indexed           prometheus.Counter
}

// New makes them, all zero.
func New() *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		layers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tarfs_layers_total", Help: "Layers that were to be made, by result.",
		}, []string{"result"}),
		compares: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tarfs_compares_total", Help: "Changed containers that were to be made a layer, by result.",
		}, []string{"result"}),
		compressed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tarfs_layer_blob_bytes_total", Help: "Bytes of the blobs of layers that were made.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tarfs_layer_tar_bytes_total", Help: "Bytes of the tars of layers that were made.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tarfs_stage_seconds", Help: "Time of the stages of making a layer.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"stage"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tarfs_layers_running", Help: "Layers that are being made.",
		}),
		reused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tarfs_layers_reused_total", Help: "Layers that were kept when a snapshot wanted them.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tarfs_dropped_total", Help: "Attributes of entries that EROFS can't hold, by kind.",
		}, []string{"kind"}),
		hashed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tarfs_hashed_bytes_total",
			Help: "Bytes that were hashed: of blobs as they are read, of tars for their diffIDs, of disks for their hash trees.",
		}, []string{"of"}),
		indexed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tarfs_indexed_bytes_total", Help: "Bytes of tars of which entries were read, when a layer was kept.",
		}),
		attached: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tarfs_attached_total", Help: "Images that were looked for what is attached to them, by what came of it.",
		}, []string{"result"}),
	}
	m.Registry.MustRegister(m.layers, m.compares, m.compressed, m.bytes, m.seconds, m.running, m.reused, m.dropped,
		m.hashed, m.indexed, m.attached,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// A rate begins with a zero.
	for _, result := range []string{"ok", "error"} {
		m.layers.WithLabelValues(result)
		m.compares.WithLabelValues(result)
	}
	for _, of := range []string{"blob", "tar", "disk"} {
		m.hashed.WithLabelValues(of)
	}
	for _, result := range []string{"used", "absent", "refused"} {
		m.attached.WithLabelValues(result)
	}
	return m
}

// Hashed counts bytes of a "blob", a "tar" or a "disk".
func (m *Metrics) Hashed(of string, bytes int64) {
	if m != nil {
		m.hashed.WithLabelValues(of).Add(float64(max(bytes, 0)))
	}
}

// Indexed counts bytes of a tar of which entries were read.
func (m *Metrics) Indexed(bytes int64) {
	if m != nil {
		m.indexed.Add(float64(max(bytes, 0)))
	}
}

// Attached counts an image that was looked at: what is attached to it was "used", "absent" or "refused".
func (m *Metrics) Attached(result string) {
	if m != nil {
		m.attached.WithLabelValues(result).Inc()
	}
}

// Layer counts a layer that was made, or not.
func (m *Metrics) Layer(err error, compressed, bytes int64) {
	if m == nil {
		return
	}
	m.layers.WithLabelValues(result(err)).Inc()
	if err == nil {
		m.compressed.Add(float64(max(compressed, 0)))
		m.bytes.Add(float64(bytes))
	}
}

// Compare counts a layer that was made of a container, or not.
func (m *Metrics) Compare(err error) {
	if m != nil {
		m.compares.WithLabelValues(result(err)).Inc()
	}
}

// Dropped counts what of entries was dropped.
func (m *Metrics) Dropped(kind string, count uint64) {
	if m != nil && count > 0 {
		m.dropped.WithLabelValues(kind).Add(float64(count))
	}
}

// Stage starts the time of a stage, which the function that it returns ends.
func (m *Metrics) Stage(stage string) func() {
	if m == nil {
		return func() {}
	}
	started := time.Now()
	return func() { m.seconds.WithLabelValues(stage).Observe(time.Since(started).Seconds()) }
}

// Reused counts a layer that was kept when it was wanted.
func (m *Metrics) Reused() {
	if m != nil {
		m.reused.Inc()
	}
}

// Running counts a layer that is being made, until the function that it returns is called.
func (m *Metrics) Running() func() {
	if m == nil {
		return func() {}
	}
	m.running.Inc()
	return m.running.Dec
}

func result(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}
