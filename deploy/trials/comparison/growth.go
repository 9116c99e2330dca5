package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/deploy/load"
	"vigie/deploy/servers"
	"vigie/deploy/usage"
	"vigie/seeds"
)

// crowds are the numbers of enrolled patients between which costs are compared.
var crowds = []int{1_000, 100_000, 1_000_000}

const (
	asked    = 20_000 // patients who send, evenly spread over the crowd
	warm     = 60_000 // readings of patients whose evaluation is in memory
	together = 10_000 // connections at a time
)

// grown is what a service with one crowd was seen to cost.
type grown struct {
	patients int
	start    time.Duration           // until it takes readings
	looked   time.Duration           // until it has looked at everybody who is new to it
	waited   *hdrhistogram.Histogram // for acknowledgements meanwhile, in microseconds
	first    time.Duration           // processor time of a reading of a device that has sent none yet
	next     time.Duration           // and of a later one
	idle     int64                   // bytes of memory before anybody has sent
	resident int64                   // and once the evaluations of those who send are in memory
	senders  int
	size     int64 // bytes of the file
}

// growth measures what a reading costs with more and more patients enrolled.
func (b *bench) growth(ctx context.Context) error {
	fmt.Fprintf(b.Out, "\nCost by enrolled patients, up to %d of whom send. Acknowledged: the wait for the PUBACK of a reading\n"+
		"sent every %v while the service looks at all the patients that are new to it. Readings: processor time.\n\n", asked, pulse)
	fmt.Fprintf(b.Out, "%9s %8s %12s %24s %8s %8s %12s %12s %9s\n", "", "", "all looked", "acknowledged, ms", "first", "later", "memory idle", "and sending", "file")
	fmt.Fprintf(b.Out, "%9s %8s %12s %8s %7s %7s %8s %8s %12s %12s %9s\n", "enrolled", "start, s", "at, s", "p50", "p99", "max", "µs", "µs", "MiB", "MiB", "MiB")
	var all []grown
	for _, patients := range crowds {
		g, err := b.grow(ctx, patients)
		if err != nil {
			return fmt.Errorf("with %d patients: %w", patients, err)
		}
		all = append(all, g)
		ms := func(quantile float64) float64 { return float64(g.waited.ValueAtQuantile(quantile)) / 1000 }
		fmt.Fprintf(b.Out, "%9d %8.2f %12.1f %8.1f %7.1f %7.1f %8.1f %8.1f %12d %12d %9d\n", g.patients, g.start.Seconds(), g.looked.Seconds(), ms(50), ms(99), ms(100),
			microseconds(g.first, 1), microseconds(g.next, 1), g.idle>>20, g.resident>>20, g.size>>20)
	}
	few, most := all[0], all[len(all)-1]
	fmt.Fprintf(b.Out, "\n%.1f KiB of memory a patient who sends, %.0f bytes for each one enrolled who does not\n",
		float64(most.resident-most.idle)/float64(most.senders)/1024, float64(most.idle-few.idle)/float64(most.patients-few.patients))
	return b.connections(ctx)
}

func (b *bench) grow(ctx context.Context, patients int) (g grown, err error) {
	g.patients = patients
	dir, err := b.folder()
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := enrol(ctx, dir, patients, 0); err != nil {
		return g, err
	}
	broker, err := servers.StartMosquitto(dir, servers.MosquittoConf{Extra: mosquittoConf})
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, broker.Stop()) }()
	began := time.Now()
	v, err := b.startVigie(b.Vigie, dir, "VIGIE_BROKER_OUTSIDE_URL=mqtt://"+broker.Address, "VIGIE_BROKER_OUTSIDE_RECEIPTS=false")
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	g.start = time.Since(began)
	if g.waited, err = v.untilSettled(ctx); err != nil {
		return g, err
	}
	g.looked = time.Since(began)
	file, err := os.Stat(filepath.Join(dir, "vigie.db"))
	if err != nil {
		return g, err
	}
	g.size = file.Size()
	return g, b.send(ctx, &g, v, broker.Address)
}

// pulse is how often a reading is sent while the service looks at new patients.
const pulse = 20 * time.Millisecond

// untilSettled waits until the service has looked at every patient who is new to
// it. Meanwhile one device sends through the broker inside, and the waits for its
// acknowledgements are noted, from when each reading was to be sent.
func (v *vigie) untilSettled(ctx context.Context) (*hdrhistogram.Histogram, error) {
	waited := hdrhistogram.New(1, int64(patience/time.Microsecond), 3)
	options := mqtt.NewClientOptions().AddBroker("tcp://" + v.broker).SetClientID(seeds.CrowdDevice(0)).SetUsername(seeds.CrowdDevice(0)).SetPassword(password)
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return nil, token.Error()
	}
	defer client.Disconnect(250)
	done := make(chan error, 1)
	go func() { done <- settled(ctx, v.data) }()
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case err := <-done:
			return waited, err
		case due := <-tick.C:
			token := client.Publish("vigie/v1/"+seeds.CrowdDevice(0)+"/readings", 1, false, pressure(fmt.Sprint("pulse-", n), n))
			if token.Wait(); token.Error() != nil {
				return nil, token.Error()
			}
			v.pulses++
			// A pulse that was due while another waited counts as well.
			if err := waited.RecordCorrectedValue(max(1, time.Since(due).Microseconds()), int64(pulse/time.Microsecond)); err != nil {
				return nil, err
			}
		}
	}
}

// pressure is the n-th blood pressure of somebody.
func pressure(id string, n int) []byte {
	return fmt.Appendf(nil, `{"id":%q,"time":%q,"measure":"blood-pressure","values":{"systolic":%d,"diastolic":72,"pulse":64},"unit":"mmHg","battery":87}`,
		id, time.Now().UTC().Format(time.RFC3339Nano), 115+n%10)
}

// settled waits until the service has looked at every patient who is new to it.
func settled(ctx context.Context, place string) (err error) {
	store, err := openStore(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		due, err := store.DueEnrolments(ctx, time.Now(), 1)
		if err != nil || len(due) == 0 {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send publishes readings of many patients, and notes what they cost.
func (b *bench) send(ctx context.Context, g *grown, v *vigie, address string) (err error) {
	m, err := joinMany(address, g.patients)
	if err != nil {
		return err
	}
	defer m.client.Disconnect(250)
	pid := v.command.Process.Pid
	step := func(readings int) (each time.Duration, err error) {
		before, err := usage.Processor(pid)
		if err != nil {
			return 0, err
		}
		if err := m.publish(readings); err != nil {
			return 0, err
		}
		if err := reached(ctx, []*vigie{v}, v.pulses+m.sent); err != nil {
			return 0, err
		}
		after, err := usage.Processor(pid)
		return (after - before) / time.Duration(readings), err
	}
	g.senders = m.patients
	if g.idle, err = usage.Memory(pid); err != nil {
		return err
	}
	if g.first, err = step(m.patients); err != nil {
		return err
	}
	if g.resident, err = usage.Memory(pid); err != nil {
		return err
	}
	g.next, err = step(warm)
	return err
}

// reached waits until the service has accepted so many readings.
func reached(ctx context.Context, nodes []*vigie, wanted int64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		got, err := counted(ctx, nodes, "vigie_readings_accepted_total")
		if err != nil || got >= wanted {
			return err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d readings were accepted: %w", got, wanted, ctx.Err())
		}
	}
}

// many publishes for many devices through one connection to a broker.
type many struct {
	client   mqtt.Client
	patients int
	apart    int // places between them in the crowd
	sent     int64
}

func joinMany(address string, crowd int) (*many, error) {
	options := mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("many").SetOrderMatters(false)
	m := &many{client: mqtt.NewClient(options), patients: min(asked, crowd)}
	m.apart = crowd / m.patients
	token := m.client.Connect()
	token.Wait()
	return m, token.Error()
}

// publish publishes readings of one patient after another.
func (m *many) publish(readings int) error {
	const window = 500
	var under []mqtt.Token
	for range readings {
		name := seeds.CrowdDevice(int(m.sent) % m.patients * m.apart)
		under = append(under, m.client.Publish("vigie/v1/"+name+"/readings", 1, false, pressure(fmt.Sprint("many-", m.sent), int(m.sent))))
		m.sent++
		if len(under) == window {
			under[0].Wait()
			if err := under[0].Error(); err != nil {
				return err
			}
			under = under[1:]
		}
	}
	for _, token := range under {
		token.Wait()
		if err := token.Error(); err != nil {
			return err
		}
	}
	return nil
}

// quiet starts a service in which so many patients are enrolled as connect together, has
// it look at them all, and lets work measure it.
func (b *bench) quiet(ctx context.Context, work func(*vigie) error) (err error) {
	dir, err := b.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := enrol(ctx, dir, together, 0); err != nil {
		return err
	}
	v, err := b.startVigie(b.Vigie, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	if err := settled(ctx, dir); err != nil {
		return err
	}
	return work(v)
}

// connections measures what a connection to the broker inside costs in memory.
func (b *bench) connections(ctx context.Context) error {
	return b.quiet(ctx, func(v *vigie) error { return b.connectionsOf(ctx, v) })
}

func (b *bench) connectionsOf(ctx context.Context, v *vigie) error {
	pid := v.command.Process.Pid
	before, err := usage.Memory(pid)
	if err != nil {
		return err
	}
	var connected int64
	var failed error
	// Hardly anybody publishes: most connections only wait.
	result, err := load.Run(ctx, load.Options{Broker: v.broker, Devices: publishers(together), Measure: measure, Rate: 10, Duration: 3 * time.Second,
		Progress: func(int64, time.Duration) {
			if now, err := usage.Memory(pid); err != nil {
				failed = err
			} else {
				connected = max(connected, now)
			}
		}})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if result.Failed > 0 {
		return fmt.Errorf("%d of %d devices could not stay connected", result.Failed, together)
	}
	_, err = fmt.Fprintf(b.Out, "\n%d devices connected in %.1f s, %.1f KiB of memory a connection\n", result.Devices, result.ConnectSeconds, float64(connected-before)/together/1024)
	return err
}
