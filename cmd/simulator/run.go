package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/seeds/devices"
	"vigie/seeds/scenario"
)

// running is what `simulator run` was asked.
type running struct {
	target
	truth  string
	days   int
	seed   uint64
	format string
	now    bool
	as     string

	measures []string

	users, password, passwordFile, authority string
	speed                                    float64
	window                                   int
	trouble                                  func(error) // told of the first
}

func runCommand() *cobra.Command {
	var r running
	var list strings.Builder
	for _, s := range scenario.All {
		fmt.Fprintf(&list, "\n  %-20s %s (%s)", s.Name, s.Title.FR, s.Title.EN)
	}
	command := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Écrit ce que publient les appareils d'un patient, et la vérité à côté (what a patient's devices publish, and the truth beside)",
		Long: `Écrit, une ligne JSON par message, ce que publient les appareils d'un patient simulé
pendant des semaines : l'heure, le sujet, le contenu. --truth écrit à côté ce qui est
vraiment arrivé, et ce que des personnes ou des appareils ont fait des mesures. Le même
scénario et la même graine donnent les mêmes octets. Avec --broker, ils publient vraiment,
et les connexions se rompent où le scénario le dit ("cut").

Writes what the devices of a simulated patient publish over some weeks, one JSON line a
message: the moment, the topic, the payload. --truth writes what really happened beside,
and what people and devices did to the readings. The same scenario and seed give the same
bytes. With --broker they really publish, each device over a connection of its own, which
breaks where the scenario says so ("cut"): within a message, or before its acknowledgement.
It is then sent again, with DUP. --now
moves the scenario by whole days so that it ends before now: a service takes no reading
older than 31 days, so --days 28 or less goes with it.
` + list.String(),
		Example: "  simulator run decompensation --seed 7 --truth truth.json > messages.jsonl\n" +
			"  simulator run patchy-network --days 28 --now --format fhir --broker tls://broker.example.org:8883 --ca ca.pem --users devices.csv",
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			var once sync.Once
			r.trouble = func(err error) {
				once.Do(func() { fmt.Fprintln(command.ErrOrStderr(), "simulator: on réessaie (trying again):", err) })
			}
			return r.run(command.Context(), command.OutOrStdout(), args[0])
		},
	}
	flags := command.Flags()
	flags.StringVar(&r.truth, "truth", "", "file in which the truth is written, as JSON")
	flags.IntVar(&r.days, "days", 60, "how many days it lasts")
	flags.Uint64Var(&r.seed, "seed", 1, "another seed, another patient")
	flags.StringVar(&r.format, "format", "native", "how the devices speak: "+speechNames())
	flags.BoolVar(&r.now, "now", false, "move it by whole days so that it ends before now")
	flags.StringVar(&r.as, "as", "", "one device says all of it, under this name")
	flags.StringArrayVar(&r.measures, "measure", nil, "a measure that is said; may be repeated; all when none is named")
	flags.StringVar(&r.broker, "broker", "", "publish to this broker: tcp://host:port, or tls://host:port")
	flags.StringVar(&r.prefix, "prefix", devices.DefaultPrefix, "prefix of the topics")
	flags.StringVar(&r.users, "users", "", "file of device,password lines, for --broker")
	flags.StringVar(&r.password, "password", "", "password of every device, for --broker")
	flags.StringVar(&r.passwordFile, "password-file", "", "file that holds it")
	flags.StringVar(&r.authority, "ca", "", "certificates (PEM) of the authority of a tls:// broker; the system's when empty")
	flags.Float64Var(&r.speed, "speed", 0, "times as fast as it happened; 0 for as fast as it is acknowledged")
	flags.IntVar(&r.window, "window", 20, "messages of a device sent and not yet acknowledged")
	return command
}

// speechNames lists the formats of simulated devices.
func speechNames() string {
	var names []string
	for i := range devices.Speeches {
		names = append(names, devices.Speeches[i].Name)
	}
	return strings.Join(names, ", ")
}

func (r *running) run(ctx context.Context, out io.Writer, name string) error {
	speech, err := devices.SpeechNamed(r.format)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	o := scenario.Options{Days: r.days, Seed: r.seed, Speech: speech, Prefix: r.prefix, Device: r.as, Measures: r.measures}
	if r.now {
		o.Ends = time.Now()
	}
	all, truth, err := scenario.Play(name, o)
	if err != nil {
		return err
	}
	if r.truth != "" {
		text, err := json.MarshalIndent(truth, "", "  ")
		if err != nil {
			return fmt.Errorf("write the truth: %w", err)
		}
		if err := os.WriteFile(r.truth, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("write the truth: %w", err)
		}
	}
	if r.broker != "" {
		return r.publish(ctx, out, all)
	}
	lines := bufio.NewWriter(out)
	encoder := json.NewEncoder(lines)
	encoder.SetEscapeHTML(false)
	for i := range all {
		if err := encoder.Encode(&all[i]); err != nil {
			return fmt.Errorf("write a message: %w", err)
		}
	}
	return lines.Flush()
}

// played is what became of a scenario at a broker. The verdicts are told by receipts,
// which are best effort.
type played struct {
	Messages     int                    `json:"messages"`
	Acknowledged int                    `json:"acknowledged"`
	Accepted     int                    `json:"accepted"`
	Duplicate    int                    `json:"duplicate"`
	SetAside     map[protocols.Code]int `json:"set_aside"`
	Cut          int                    `json:"cut"`   // connections that broke while a message was sent
	Again        int                    `json:"again"` // messages that were sent once more, with DUP
}

// publish has each device say its messages to the broker, in order, and writes what
// became of them.
func (r *running) publish(ctx context.Context, out io.Writer, all []scenario.Publication) error {
	passwords, err := r.passwords()
	if err != nil {
		return err
	}
	trusted, err := trust(r.authority)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(m scenario.Publication) bool { return m.Again }) // a device does so by itself
	p := played{Messages: len(all), SetAside: map[protocols.Code]int{}}
	sessions := map[string]*devices.Wire{}
	defer func() {
		for _, s := range sessions {
			s.Close()
		}
	}()
	dial := func(device string) (*devices.Wire, error) {
		s := sessions[device]
		if s != nil {
			return s, nil
		}
		s, err := devices.DialWire(ctx, devices.Connection{Broker: r.broker, Prefix: r.prefix, Window: r.window, TLS: trusted,
			Device: device, Password: passwords(device), Acknowledged: func(int, time.Duration) { p.Acknowledged++ }, Receipt: p.count, Trouble: r.trouble})
		if err == nil {
			sessions[device] = s
		}
		return s, err
	}
	if len(all) == 0 {
		return errors.New("the format can say nothing of this scenario")
	}
	if err := r.say(ctx, all, dial, &p); err != nil {
		return err
	}
	for _, s := range sessions {
		if err := s.Flush(ctx); err != nil {
			return err
		}
		for p.told() < p.Acknowledged && s.Listen(ctx, lastReceipts) {
		}
		p.Again += s.Again()
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(&p)
}

// say has each device say its messages at their time.
func (r *running) say(ctx context.Context, all []scenario.Publication, dial func(device string) (*devices.Wire, error), p *played) error {
	clock := devices.NewAccelerated(all[0].At, max(r.speed, 1))
	clock.Start()
	for i := range all {
		m := &all[i]
		s, err := dial(m.Device)
		if err != nil {
			return err
		}
		if r.speed > 0 {
			if err := clock.Until(ctx, m.At); err != nil {
				return err
			}
		}
		if err := s.PublishTo(ctx, m.Topic, []byte(m.Payload), m.Cut); err != nil {
			return err
		}
		if m.Cut != devices.NoCut {
			p.Cut++
		}
	}
	return nil
}

// lastReceipts is how long the receipts of what was acknowledged are waited for.
const lastReceipts = 200 * time.Millisecond

// told is how many messages receipts have told of.
func (p *played) told() int {
	told := p.Accepted + p.Duplicate
	for _, n := range p.SetAside {
		told += n
	}
	return told
}

func (p *played) count(r devices.Receipt) {
	switch {
	case r.Verdict == "accepted":
		p.Accepted++
	case r.Verdict == "duplicate":
		p.Duplicate++
	case len(r.Reasons) > 0:
		p.SetAside[r.Reasons[0].Code]++
	}
}

// passwords are those of the devices: of a file, or one for all.
func (r *running) passwords() (func(device string) string, error) {
	if r.users == "" {
		password, err := readPassword(r.password, r.passwordFile)
		return func(string) string { return password }, err
	}
	_, known, err := readPasswords(r.users)
	return func(device string) string { return known[device] }, err
}

// trust is how a broker's certificate is checked: by the authority of a file, or by those
// of the system.
func trust(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca %s: there is no certificate in it", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
