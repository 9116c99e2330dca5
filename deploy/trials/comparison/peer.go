package main

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"strings"
)

// peer is a system that people would use in Vigie's place. Those that alert publish a
// message under alerts/DEVICE when two readings in a row are above the threshold of the
// heart-failure protocol, as its rule for blood pressure asks for.
type peer struct {
	client string // its client id at Mosquitto
	// Without says what it does not do that Vigie does.
	without string
	open    func(*stage) (*process, error)
}

//go:embed telegraf.conf
var telegrafConf string

//go:embed alerting.conf
var alertingConf string

//go:embed flows.json
var flowsJSON string

var (
	telegraf = peer{client: "telegraf", open: func(s *stage) (*process, error) { return s.openTelegraf(telegrafConf) }}
	starlark = peer{
		client:  "telegraf",
		without: "it keeps no alert and no state over a kill, checks neither a reading nor its sender, knows no episode (each pair of readings is told anew), and nobody is to answer",
		open:    func(s *stage) (*process, error) { return s.openTelegraf(telegrafConf + alertingConf) },
	}
	nodeRED = peer{
		client:  "node-red",
		without: "the same, and it acknowledges a reading before anything has it",
		open:    (*stage).openNodeRED,
	}
)

// alerting are the peers that alert as well.
func (b *bench) alerting() (all []side) {
	all = append(all, side{name: "S", way: "Mosquitto → Telegraf, starlark → InfluxDB", peer: &starlark, outside: true, influx: true})
	if b.NodeRED != "" {
		all = append(all, side{name: "N", way: "Mosquitto → Node-RED → InfluxDB", peer: &nodeRED, outside: true, influx: true})
	}
	return all
}

func (s *stage) openTelegraf(conf string) (*process, error) {
	file := s.dir + "/telegraf.conf"
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	b := s.bench
	environment := []string{"BENCH_BROKER=" + s.broker.Address, "BENCH_INFLUX=" + b.influx.URL, "BENCH_BUCKET=" + s.bucket, "BENCH_ORG=" + b.influx.Org, "BENCH_TOKEN=" + b.influx.Token}
	return startProcess("telegraf", "Connected [", environment, b.Telegraf, "--config", file)
}

// openNodeRED starts Node-RED with a flow of its own nodes alone.
func (s *stage) openNodeRED() (*process, error) {
	host, port, err := net.SplitHostPort(s.broker.Address)
	if err != nil {
		return nil, err
	}
	b := s.bench
	flow := strings.NewReplacer("BENCH_HOST", host, "BENCH_PORT", port,
		"BENCH_WRITE", fmt.Sprintf("%s/api/v2/write?org=%s&bucket=%s&precision=ms", b.influx.URL, b.influx.Org, s.bucket)).Replace(flowsJSON)
	const settings = "module.exports = {uiPort: 0, uiHost: '127.0.0.1', httpAdminRoot: false, httpNodeRoot: false, flowFile: 'flows.json', telemetry: {enabled: false}}\n"
	for name, text := range map[string]string{"flows.json": flow, "settings.js": settings, "package.json": "{}"} {
		if err := os.WriteFile(s.dir+"/"+name, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return startProcess("node-red", "Started flows", []string{"BENCH_TOKEN=" + b.influx.Token}, "node", b.NodeRED, "--userDir", s.dir)
}
