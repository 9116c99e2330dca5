package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"vigie/deploy/load"
)

// loading is what `simulator load` was asked.
type loading struct {
	target
	devices      int
	users        string
	password     string
	passwordFile string
	acknowledged string
	options      load.Options
}

func loadCommand() *cobra.Command {
	var l loading
	command := &cobra.Command{
		Use:   "load (--devices N --password P | --users FILE) (--count N | --duration D)",
		Short: "Fait de la charge et mesure les réponses (make load and measure answers)",
		Long: `Publie de vraies mesures depuis de nombreux appareils, en QoS 1, et compte leurs
acquittements. Sans --rate, au plus vite ; avec --rate, à ce débit quoi que fasse le
service, les délais comptant depuis l'heure prévue de chaque envoi.

Publish real readings from many devices at QoS 1 and count their acknowledgements.

Without --rate, each device keeps --in-flight messages under way and sends the
next when one is acknowledged. With --rate, readings are sent at that steady rate
whatever the service does, and latencies count from when a reading was to be
sent. The summary is one JSON object, which also says how much processor time the
generator itself took.`,
		Example: `  simulator load --devices 50 --password-file crowd.key --in-flight 20 --count 200000
  simulator load --devices 500 --password-file crowd.key --rate 10000 --duration 30s`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return l.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	l.flags(flags)
	o := &l.options
	flags.IntVar(&l.devices, "devices", 0, "how many devices, each with a connection; with --users, all of the file when 0")
	flags.StringVar(&l.users, "users", "", "file of device,password lines; without it the devices are those of simulator crowd")
	flags.StringVar(&l.password, "password", "", "password of the crowd")
	flags.StringVar(&l.passwordFile, "password-file", "", "file that holds it")
	flags.StringVar(&o.Measure, "measure", "blood-pressure", "blood-pressure, weight, heart-rate, oxygen-saturation or glucose")
	flags.Float64Var(&o.Alarming, "alarming", 0, "share of readings that are alarming, from 0 to 1")
	flags.IntVar(&o.InFlight, "in-flight", 20, "messages of one device not yet acknowledged")
	flags.IntVar(&o.Batch, "batch", 1, "readings in a message")
	flags.Float64Var(&o.Rate, "rate", 0, "readings a second of all devices together; 0 for as fast as it goes")
	flags.Int64Var(&o.Count, "count", 0, "readings in all")
	flags.DurationVar(&o.Duration, "duration", 0, "how long")
	flags.DurationVar(&o.Grace, "grace", 30*time.Second, "how long to wait for the last acknowledgements")
	flags.BoolVar(&o.Reconnect, "reconnect", false, "make lost connections again and send what was not acknowledged")
	flags.BoolVar(&o.Receipts, "receipts", false, "listen to the receipts, too, and count their verdicts")
	flags.StringVar(&l.acknowledged, "acknowledged", "", "file for the device and id of each reading that was acknowledged")
	return command
}

func (l *loading) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	o := l.options
	if o.Broker, err = l.hostPort(); err != nil {
		return err
	}
	o.Prefix = l.prefix
	password, err := readPassword(l.password, l.passwordFile)
	if err != nil {
		return err
	}
	names, passwords, err := readCredentials(l.users, l.devices, password)
	if err != nil {
		return err
	}
	for _, name := range names {
		o.Devices = append(o.Devices, load.Credential{Device: name, Password: passwords[name]})
	}
	log, err := newAcknowledgements(l.acknowledged)
	if err != nil {
		return err
	}
	if log != nil {
		o.Acknowledged = log.add
		defer func() { err = errors.Join(err, log.close()) }()
	}
	bar := newProgress(stderr)
	o.Progress = func(acknowledged int64, elapsed time.Duration) {
		bar.show(int(acknowledged), int(o.Count), fmt.Sprintf("acquittées, %.0f/s", float64(acknowledged)/elapsed.Seconds()))
	}
	result, err := load.Run(ctx, o)
	if err != nil {
		return err
	}
	bar.finish(int(result.Acknowledged), int(o.Count), fmt.Sprintf("acquittées, %.0f/s", result.Rate))
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		return err
	}
	if result.Failed > 0 || result.Acknowledged < result.Published {
		return fmt.Errorf("%d of %d published readings were acknowledged, %d devices gave up", result.Acknowledged, result.Published, result.Failed)
	}
	return nil
}

// acknowledgements writes down which readings were acknowledged, so that they
// can be looked for afterwards.
type acknowledgements struct {
	mu    sync.Mutex
	out   *bufio.Writer
	close func() error
}

func newAcknowledgements(file string) (*acknowledgements, error) {
	out, err := create(file)
	if out == nil || err != nil {
		return nil, err
	}
	a := &acknowledgements{out: bufio.NewWriter(out)}
	a.close = func() error { return errors.Join(a.out.Flush(), out.Close()) }
	return a, nil
}

func (a *acknowledgements) add(device, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// The writer keeps the first error and close returns it.
	_, _ = a.out.WriteString(device + "," + id + "\n")
}
