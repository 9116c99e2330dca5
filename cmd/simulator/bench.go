package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/doors/inside"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

const benchHelp = `Met un appareil à l'épreuve : un broker sur cette machine, qui lit chaque message comme
le service le lit, répond par des accusés, et coupe une fois la connexion. Le rapport dit
quelles exigences du plan (ingest/CONFORMANCE.md) sont tenues. Ctrl-C l'écrit.

Puts a device to the test: a broker on this machine, which reads each message as the
service does, answers with receipts, and breaks the connection once. The report says
which requirements of the plan (ingest/CONFORMANCE.md) are met. Ctrl-C writes it. The exit
status is 1 when one is not. No patient is known, and nothing is kept.`

// benching is what `simulator bench` was asked.
type benching struct {
	listen, device, prefix, password string
	measures                         []string
	receipts, stay                   bool
	lasts                            time.Duration
	readings                         int
	report, language                 string

	out   io.Writer
	mu    sync.Mutex // held while a line is written
	bench *conformance.Bench
	door  atomic.Pointer[inside.Door]
	done  chan struct{} // closed once enough readings came
	came  atomic.Int64
}

func benchCommand() *cobra.Command {
	b := &benching{done: make(chan struct{})}
	command := &cobra.Command{
		Use:     "bench",
		Short:   "Met un appareil à l'épreuve, exigence par exigence (put a device to the test)",
		Long:    benchHelp,
		Example: "  simulator bench --measure blood-pressure --receipts\n  simulator bench --readings 20 --report out",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			b.out = command.OutOrStdout()
			return b.run(command.Context())
		},
	}
	f := command.Flags()
	f.StringVar(&b.listen, "listen", "127.0.0.1:1883", "where the device finds the broker")
	f.StringVar(&b.device, "device", "bench-1", "name of the device, and its MQTT user")
	f.StringVar(&b.password, "password", "", "password of the device; a new one when empty")
	f.StringVar(&b.prefix, "prefix", "vigie/v1", "prefix of topics")
	f.StringArrayVar(&b.measures, "measure", nil, "a measure that the device claims; may be repeated; any when none is named")
	f.BoolVar(&b.receipts, "receipts", false, "the device claims that it reads its receipts")
	f.BoolVar(&b.stay, "keep-connection", false, "do not break the connection once")
	f.DurationVar(&b.lasts, "for", 0, "how long; until Ctrl-C when 0")
	f.IntVar(&b.readings, "readings", 0, "end after so many readings")
	f.StringVar(&b.report, "report", "", "folder for report.html, report.json and junit.xml")
	f.StringVar(&b.language, "language", "fr", "of what it says: fr or en")
	return command
}

func (b *benching) check() error {
	for _, id := range b.measures {
		if protocols.MeasureByID(id) == nil {
			return fmt.Errorf("--measure %q is not known: use one of %s", id, measureNames())
		}
	}
	if b.language != "fr" && b.language != "en" {
		return fmt.Errorf("--language %q: use fr or en", b.language)
	}
	return nil
}

func (b *benching) run(ctx context.Context) error {
	if err := b.check(); err != nil {
		return err
	}
	if b.password == "" {
		b.password = rand.Text()[:12]
	}
	b.bench = conformance.New(conformance.Profile{Measures: b.measures, Receipts: b.receipts}, b.device, b.prefix, native.Decoder{}, time.Now())
	listener, err := net.Listen("tcp", b.listen)
	if err != nil {
		return fmt.Errorf("%w; is another broker using it? Choose another with --listen", err)
	}
	door, err := inside.Open(inside.Options{Listener: listener, Prefix: b.prefix, Authenticate: b.authenticate}, b.message)
	if err != nil {
		return err
	}
	b.door.Store(door)
	if err := b.greet(listener.Addr()); err != nil {
		return errors.Join(err, door.Close())
	}
	b.wait(ctx)
	if err := errors.Join(door.Stop(), door.Close()); err != nil {
		return err
	}
	return b.conclude()
}

func (b *benching) wait(ctx context.Context) {
	if b.lasts > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.lasts)
		defer cancel()
	}
	select {
	case <-ctx.Done():
	case <-b.done:
	}
}

func (b *benching) say(text protocols.Text, args ...any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := fmt.Fprintf(b.out, in(text, b.language), args...)
	return err
}

// greet prints all that a device needs, and a line to try it with.
func (b *benching) greet(address net.Addr) error {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return err
	}
	topic := ingest.Topic(b.prefix, b.device, ingest.ReadingsTopic)
	sample := `{"id":"1","age":0,"measure":"weight","values":{"value":82.1},"unit":"kg"}`
	return b.say(protocols.Say(
		"Banc d'essai, plan %[1]s : tcp://%[2]s, MQTT 3.1.1 ou 5\n  appareil      %[3]s\n  mot de passe  %[4]s\n  sujet         %[5]s\nPour essayer :\n  mosquitto_pub -h %[6]s -p %[7]s -u %[3]s -P %[4]s -q 1 -t %[5]s -m '%[8]s'\n\n",
		"Bench, plan %[1]s: tcp://%[2]s, MQTT 3.1.1 or 5\n  device    %[3]s\n  password  %[4]s\n  topic     %[5]s\nTo try it:\n  mosquitto_pub -h %[6]s -p %[7]s -u %[3]s -P %[4]s -q 1 -t %[5]s -m '%[8]s'\n\n"),
		conformance.Version, address, b.device, b.password, topic, host, port, sample)
}

// authenticate is inside.Options.Authenticate.
func (b *benching) authenticate(_ context.Context, device, password string) (bool, error) {
	if device != b.device || password != b.password {
		b.bench.Refused()
		return false, b.say(protocols.Say("✗ une connexion est refusée : nom ou mot de passe erroné\n", "✗ a connection is refused: wrong name or password\n"))
	}
	b.bench.LoggedIn()
	return true, nil
}

var errBroken = errors.New("the bench breaks the connection, to see the message again")

// message is inside.Submit.
func (b *benching) message(_ context.Context, m ingest.Message) {
	door := b.door.Load()
	listens := door != nil && door.Wanted(b.device)
	if listens {
		b.bench.Listens()
	}
	receipts, dropped := b.bench.Message(m, !b.stay)
	if err := b.tell(m.Topic, receipts, dropped); err != nil {
		m.Done(err)
		return
	}
	if dropped {
		m.Done(errBroken)
		return
	}
	m.Done(nil)
	if listens && len(receipts) > 0 {
		door.Send(b.device, receipts)
	}
	if n := b.came.Add(int64(len(receipts))); b.readings > 0 && n >= int64(b.readings) && n-int64(len(receipts)) < int64(b.readings) {
		close(b.done)
	}
}

// tell prints what became of a message.
func (b *benching) tell(topic string, receipts []ingest.Receipt, dropped bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%q\n", topic)
	for i, r := range receipts {
		if i == 10 {
			fmt.Fprintf(&text, "  … %d\n", len(receipts)-i)
			break
		}
		fmt.Fprintf(&text, "  %-9s %q\n", r.Verdict, r.ID)
		for _, reason := range append(append([]protocols.Reason{}, r.Reasons...), r.Warnings...) {
			fmt.Fprintf(&text, "    %s %s: %s\n", reason.Code, reason.Path, reason.Message)
		}
	}
	if dropped {
		text.WriteString(in(protocols.Say("  la connexion est coupée exprès : le message doit revenir\n", "  the connection is broken on purpose: the message has to come again\n"), b.language))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := io.WriteString(b.out, text.String())
	return err
}

// conclude writes the report, and fails when a requirement is not met.
func (b *benching) conclude() error {
	report := b.bench.Report(time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := io.WriteString(b.out, "\n"); err != nil {
		return err
	}
	if err := report.Text(b.out, b.language); err != nil {
		return err
	}
	if err := b.write(&report); err != nil {
		return err
	}
	if report.Failed() {
		return fmt.Errorf("not met: %s", strings.Join(report.Primary(), ", "))
	}
	return nil
}

// write writes the report into the folder that was named.
func (b *benching) write(report *conformance.Report) error {
	if b.report == "" {
		return nil
	}
	if err := os.MkdirAll(b.report, 0o755); err != nil {
		return fmt.Errorf("make the folder of the report: %w", err)
	}
	for name, form := range map[string]func(io.Writer) error{
		"report.json": report.JSON,
		"report.html": func(out io.Writer) error { return report.HTML(out, b.language) },
		"junit.xml":   func(out io.Writer) error { return report.JUnit(out, b.language) },
	} {
		var text strings.Builder
		if err := form(&text); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(b.report, name), []byte(text.String()), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
