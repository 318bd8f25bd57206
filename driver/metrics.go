package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sysflow-telemetry/sf-processor/core/pipeline"
)

// Limits of the metrics server, which answers short requests of few clients.
const (
	metricsTimeout = 10 * time.Second
	metricsStop    = time.Second // how long requests under way may take at the end
)

// metricsServer serves metrics at /metrics. /healthz says that the program is alive, /readyz that records flow.
type metricsServer struct {
	server   *http.Server
	serving  sync.WaitGroup
	pipeline atomic.Pointer[pipeline.Pipeline] // nil until it runs
}

// startMetrics listens on an address. One without a host is not seen by other machines.
func startMetrics(addr string, log *slog.Logger) (*metricsServer, error) {
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	m := new(metricsServer)
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", m.ready)
	m.server = &http.Server{
		Handler: mux, ReadTimeout: metricsTimeout, WriteTimeout: metricsTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	log.Info("serving metrics", "address", l.Addr())
	m.serving.Go(func() {
		if err := m.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "err", err)
		}
	})
	return m, nil
}

// stop ends the server.
func (m *metricsServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), metricsStop)
	defer cancel()
	if m.server.Shutdown(ctx) != nil {
		m.server.Close()
	}
	m.serving.Wait()
}

func (m *metricsServer) ready(w http.ResponseWriter, _ *http.Request) {
	if m.pipeline.Load() == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// metricLabels are the same for all counters, so that those of one name form one family, whatever stage they are of.
var metricLabels = []string{"stage", "kind"}

// Describe describes nothing: which counters there are, is known when stages are asked.
func (m *metricsServer) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters of the stages. The counter missing_file of kind anomalies, for example, becomes
// sfprocessor_anomalies_total{stage="sysflowreader",kind="missing_file"}.
func (m *metricsServer) Collect(out chan<- prometheus.Metric) {
	p := m.pipeline.Load()
	if p == nil {
		return
	}
	p.Counters(func(stage, name string, value uint64) {
		family, kind, _ := strings.Cut(name, ".")
		metric, typ := "sfprocessor_"+family+"_total", prometheus.CounterValue
		if gauges[family] {
			metric, typ = "sfprocessor_"+family, prometheus.GaugeValue
		}
		desc := prometheus.NewDesc(metric, "Counter '"+family+"' of the stages.", metricLabels, nil)
		out <- prometheus.MustNewConstMetric(desc, typ, float64(value), stage, kind)
	})
	p.Depths(func(channel string, waiting, room int) {
		for name, v := range map[string]int{"waiting": waiting, "room": room} {
			desc := prometheus.NewDesc("sfprocessor_channel_"+name, "Elements in a channel, and how many it holds.", []string{"channel"}, nil)
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(v), channel)
		}
	})
}

// gauges are the counters that also fall.
var gauges = map[string]bool{"entities": true}
