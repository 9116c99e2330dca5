package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"vigie/deploy/load"
	"vigie/deploy/servers"
	"vigie/deploy/usage"
)

// side is one of the ways of readings that are compared.
type side struct {
	name     string
	way      string
	peer     *peer // in Vigie's place; nil for Vigie
	outside  bool  // through Mosquitto
	influx   bool
	receipts bool
	nodes    int // on one PostgreSQL; 0 for one on its own file
}

var sides = []side{
	{name: "A", way: "Mosquitto → Telegraf → InfluxDB", peer: &telegraf, outside: true, influx: true},
	{name: "B", way: "Mosquitto → Vigie → InfluxDB", outside: true, influx: true},
	{name: "C", way: "Vigie → InfluxDB", influx: true},
	{name: "D", way: "Vigie", influx: false},
}

// withReceipts is B with a receipt for every reading, published to the broker.
var withReceipts = side{name: "B+", way: "B, with receipts", outside: true, influx: true, receipts: true}

// shared are the sides on PostgreSQL, which a steady rate alone is tried on. What a
// reading costs is that of Vigie and the database together.
var shared = []side{
	{name: "P", way: "Vigie, PostgreSQL (goal ≤ 30 µs)", influx: true, nodes: 1},
	{name: "P3", way: "three Vigies, PostgreSQL (goal ≤ 40 µs)", influx: true, nodes: 3},
}

// mosquittoConf lets the broker have as much on the way to a subscriber as that
// asks for: its default of 20 would be what is measured. It tells of subscriptions.
const mosquittoConf = "max_inflight_messages 5000\nlog_type subscribe\n"

// measured is what one measurement brought.
type measured struct {
	took      time.Duration // from the first publication until all is acknowledged and, with InfluxDB, present there
	server    time.Duration // processor time of the server under test
	broker    time.Duration // of Mosquitto
	influx    time.Duration
	publisher time.Duration
}

// stage is what one side runs on.
type stage struct {
	bench    *bench
	side     side
	dir      string
	database string
	bucket   string
	broker   *servers.Server // nil with the broker inside
	server   *process
	vigie    *vigie   // nil for a peer
	others   []*vigie // further nodes
	postgres *servers.PostgresServer
	address  string // where devices publish
	written  int64  // readings published so far
	enrolled int    // devices
	followed int    // days before today that their patients are
	program  string // of Vigie
	watching int    // process of the database that serves the bench; 0 for none
}

// run measures one side once.
func (b *bench) run(ctx context.Context, side side) (m measured, err error) {
	s := &stage{bench: b, side: side, enrolled: devices, program: b.Vigie}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return m, fmt.Errorf("prepare %s: %w", side.name, err)
	}
	// The first readings wake everything up, and are not counted.
	if _, err := s.publish(ctx, 2_000); err != nil {
		return m, fmt.Errorf("warm %s up: %w", side.name, err)
	}
	before, err := s.processorTimes()
	if err != nil {
		return m, err
	}
	if m, err = s.publish(ctx, b.Readings); err != nil {
		return m, fmt.Errorf("measure %s: %w", side.name, err)
	}
	after, err := s.processorTimes()
	if err != nil {
		return m, err
	}
	m.server, m.broker, m.influx = after[0]-before[0], after[1]-before[1], after[2]-before[2]
	return m, s.check(ctx)
}

func (s *stage) open(ctx context.Context) (err error) {
	b := s.bench
	if s.dir, err = b.folder(); err != nil {
		return err
	}
	s.database = fmt.Sprintf("round%d", b.serial)
	if s.bucket, err = b.influx.Database(s.database); err != nil {
		return err
	}
	if s.side.outside {
		if s.broker, err = servers.StartMosquitto(s.dir, servers.MosquittoConf{Extra: mosquittoConf}); err != nil {
			return err
		}
		s.address = s.broker.Address
	}
	if s.side.peer != nil {
		return s.start()
	}
	if s.side.nodes > 0 {
		if s.postgres, err = startPostgres(); err != nil {
			return err
		}
	}
	if err := enrol(ctx, s.place(), s.enrolled, s.followed); err != nil {
		return err
	}
	return s.start()
}

// start starts the server under test, also after it was killed.
func (s *stage) start() (err error) {
	if s.side.peer != nil {
		if s.server, err = s.side.peer.open(s); err != nil {
			return err
		}
		return s.subscribed(s.side.peer.client)
	}
	return s.startVigie()
}

// subscribed waits until a client has subscribed. Telegraf says that it is connected
// before it does, and the broker drops what comes in between.
func (s *stage) subscribed(client string) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for began := time.Now(); time.Since(began) < patience; <-look.C {
		if strings.Contains(s.broker.Log(), ": "+client+" 1 vigie/") {
			return nil
		}
	}
	return fmt.Errorf("%s does not subscribe: %s", client, s.broker.Log())
}

func (s *stage) startVigie() (err error) {
	var settings []string
	if s.side.influx {
		settings = append(settings, "VIGIE_INFLUX_URL="+s.bench.influx.URL, "VIGIE_INFLUX_BUCKET="+s.bucket, "VIGIE_INFLUX_ORG="+s.bench.influx.Org, "VIGIE_INFLUX_TOKEN="+s.bench.influx.Token)
	}
	if s.side.outside {
		settings = append(settings, noBroker, "VIGIE_BROKER_OUTSIDE_URL=mqtt://"+s.broker.Address, fmt.Sprintf("VIGIE_BROKER_OUTSIDE_RECEIPTS=%t", s.side.receipts))
	}
	if s.postgres != nil {
		settings = append(settings, "VIGIE_STORE_POSTGRES_URL="+s.postgres.URL)
	}
	if s.vigie, err = s.bench.startVigie(s.program, s.dir, settings...); err != nil {
		return err
	}
	s.server = s.vigie.process
	for n := 1; n < s.side.nodes; n++ {
		other, err := s.bench.startVigie(s.program, fmt.Sprintf("%s/node%d", s.dir, n), settings...)
		if err != nil {
			return err
		}
		s.others = append(s.others, other)
	}
	if s.address == "" {
		s.address = s.vigie.broker
	}
	return nil
}

// publish lets the devices publish, and waits until everything has arrived.
func (s *stage) publish(ctx context.Context, readings int64) (m measured, err error) {
	result, err := load.Run(ctx, load.Options{Broker: s.address, Devices: publishers(devices), Measure: measure, InFlight: inFlight, Count: readings})
	if err != nil {
		return m, err
	}
	if result.Acknowledged != readings || result.Failed > 0 {
		return m, fmt.Errorf("%d of %d readings were acknowledged: %s", result.Acknowledged, readings, strings.Join(result.Errors, "; "))
	}
	s.written += readings
	m.took, m.publisher = time.Duration(result.Seconds*float64(time.Second)), time.Duration(result.Processor*float64(time.Second))
	switch {
	case s.side.influx:
		if err := s.bench.present(ctx, s.database, s.written); err != nil {
			return m, fmt.Errorf("%w; %s says: %s", err, s.server.name, s.server.said.String())
		}
		m.took = time.Since(result.Began)
	case s.side.outside:
		return m, errors.New("with a broker outside, an acknowledgement tells nothing without InfluxDB")
	}
	return m, nil
}

// processorTimes are those of the server under test, its database included, of Mosquitto
// of InfluxDB, and of that database.
func (s *stage) processorTimes() (times [4]time.Duration, err error) {
	pids := [3]int{s.server.command.Process.Pid, 0, s.bench.influx.Pid()}
	if s.broker != nil {
		pids[1] = s.broker.Pid()
	}
	for i, pid := range pids {
		if pid == 0 {
			continue
		}
		if times[i], err = usage.Processor(pid); err != nil {
			return times, err
		}
	}
	nodes, database, err := s.beside()
	times[0], times[3] = times[0]+nodes+database, database
	return times, err
}

// check makes sure that what was measured was the whole work.
func (s *stage) check(ctx context.Context) error {
	if s.vigie != nil {
		if err := accepted(ctx, s.nodes(), s.written); err != nil {
			return err
		}
	}
	if !s.side.influx {
		return nil
	}
	if got, err := s.bench.influx.Count(s.database, measure, "systolic"); err != nil || got != s.written {
		return errors.Join(fmt.Errorf("InfluxDB holds %d distinct points of %d", got, s.written), err)
	}
	return nil
}

func (s *stage) close() error {
	var failed []error
	if s.server != nil {
		failed = append(failed, s.server.stop())
	}
	for _, other := range s.others {
		failed = append(failed, other.stop())
	}
	if s.postgres != nil {
		failed = append(failed, s.postgres.Stop(), os.RemoveAll(s.postgres.Dir))
	}
	if s.broker != nil {
		failed = append(failed, s.broker.Stop())
	}
	return errors.Join(append(failed, s.bench.influx.Drop(s.database), os.RemoveAll(s.dir))...)
}
