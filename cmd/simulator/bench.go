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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/conformance/relay"
	"vigie/protocols"
)

const benchHelp = `Met un appareil à l'épreuve : un broker sur cette machine, qui lit chaque message comme
le service le lit, répond par des accusés, et coupe une fois la connexion. --trial all le
fait se conduire mal de toutes les façons : certificats faux, silence, CONNACK et
acquittements tardifs, doublés ou absents, refus, prise de connexion, redémarrage, absence
de réseau. Une page le montre à mesure. Le rapport dit quelles exigences du plan
(ingest/CONFORMANCE.md) sont tenues. Ctrl-C l'écrit. Le statut est 1 quand l'une ne l'est
pas, ou quand aucune mesure n'est venue.

Puts a device to the test: a broker on this machine, which reads each message as the
service does, answers with receipts, and breaks the connection once. --trial all has it
misbehave in every way: false certificates, silence, CONNACKs and acknowledgements that
come late, twice or never, a refusal, a takeover, a restart, no network. A page shows it as
it comes. The report says which requirements of the plan (ingest/CONFORMANCE.md) are met.
Ctrl-C writes it. The exit status is 1 when one is not, or when no reading came. No patient
is known, and nothing is kept.

With --proxy, it stands before a broker of yours, and answers nothing itself. With --plan,
a file says what the device claims:

  measures: [weight]        # any when none is named
  receipts: true            # it reads its receipts
  clock: own                # own, or none
  buffers: true             # it keeps what it measures without a network
  every: 5m                 # how often it measures; left out for whenever it is used
  each:                     # of single measures: flags, cadence, and what it can show
    glucose: {every: 5m, flags: [calibration], shows: {value: [40, 400]}, unit: mg/dL}
  trials: [all]             # all, none, or some of them
  readings: 20              # after which the bench ends`

// benching is what `simulator bench` was asked.
type benching struct {
	listen, device, prefix, password string
	plan, proxy, page, authority     string
	profile                          conformance.Profile
	clock                            string
	trialNames, gateways             []string
	stay, tls                        bool
	lasts, moved                     time.Duration
	readings                         int
	report, language                 string
	relay                            relay.Options // its times

	out     io.Writer
	mu      sync.Mutex // held while a line is written
	bench   *conformance.Bench
	server  server
	done    chan struct{} // closed once enough readings came
	end     sync.Once
	came    atomic.Int64
	shifted atomic.Int64 // by how much the bench's clock is ahead, in nanoseconds
	browse  string       // where the page is
}

func benchCommand() *cobra.Command {
	b := &benching{done: make(chan struct{})}
	command := &cobra.Command{
		Use:     "bench",
		Short:   "Met un appareil à l'épreuve, exigence par exigence (put a device to the test)",
		Long:    benchHelp,
		Example: "  simulator bench --measure blood-pressure --receipts\n  simulator bench --plan profile.yaml --report out\n  simulator bench --proxy tcp://broker.example.org:1883 --device scale-7",
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
	f.StringVar(&b.plan, "plan", "", "file that says what the device claims, and what is tried")
	f.StringArrayVar(&b.profile.Measures, "measure", nil, "a measure that the device claims; may be repeated; any when none is named")
	f.BoolVar(&b.profile.Receipts, "receipts", false, "the device claims that it reads its receipts")
	f.BoolVar(&b.profile.Buffers, "buffers", false, "the device claims that it keeps what it measures without a network")
	f.StringVar(&b.clock, "clock", "own", "the clock that it claims: own or none")
	f.DurationVar(&b.profile.Every, "every", 0, "how often it claims to measure")
	f.StringArrayVar(&b.trialNames, "trial", []string{string(conformance.Broken)}, "how the broker misbehaves once: all, none or a name; may be repeated")
	f.BoolVar(&b.stay, "keep-connection", false, "as --trial none")
	f.StringArrayVar(&b.gateways, "gateway", nil, "a gateway whose topics are read, too: a name of vigie gateway list; may be repeated")
	f.BoolVar(&b.tls, "tls", false, "the device has to connect by TLS; the bench makes the certificates")
	f.StringVar(&b.authority, "ca-out", "bench-ca.pem", "file for the authority that the device has to trust, with --tls")
	f.StringVar(&b.proxy, "proxy", "", "stand before this broker: tcp://host:port, or tls://host:port")
	f.StringVar(&b.page, "page", "127.0.0.1:8090", "where the page is, or the next port that is free; empty for none")
	f.DurationVar(&b.relay.Patience, "patience", 30*time.Second, "how long an acknowledgement is withheld")
	f.DurationVar(&b.relay.Late, "late", 5*time.Second, "how late a late acknowledgement is")
	f.DurationVar(&b.relay.Gone, "gone", 2*time.Second, "how long a broker that restarts is away")
	f.DurationVar(&b.relay.Offline, "offline", 30*time.Second, "how long the network is away: take measurements meanwhile")
	f.DurationVar(&b.moved, "offline-as", 7*24*time.Hour, "how long that lasts by the clock of the bench")
	f.DurationVar(&b.lasts, "for", 0, "how long; until Ctrl-C when 0")
	f.IntVar(&b.readings, "readings", 0, "end after so many readings")
	f.StringVar(&b.report, "report", "", "folder for report.html, report.json and junit.xml")
	f.StringVar(&b.language, "language", "fr", "of what it says: fr or en")
	return command
}

func (b *benching) check() (trials []conformance.Trial, err error) {
	if b.plan != "" {
		if err := b.readPlan(); err != nil {
			return nil, err
		}
	}
	for _, id := range b.profile.Measures {
		if protocols.MeasureByID(id) == nil {
			return nil, fmt.Errorf("--measure %q is not known: use one of %s", id, measureNames())
		}
	}
	if b.language != "fr" && b.language != "en" {
		return nil, fmt.Errorf("--language %q: use fr or en", b.language)
	}
	if b.profile.Clock = conformance.Clock(b.clock); b.profile.Clock != conformance.OwnClock && b.profile.Clock != conformance.NoClock {
		return nil, fmt.Errorf("--clock %q: use own or none", b.clock)
	}
	if b.stay {
		b.trialNames = nil
	}
	trials, err = conformance.TrialsNamed(b.trialNames)
	if err != nil {
		return nil, fmt.Errorf("--trial: %w", err)
	}
	if b.tls {
		trials = append(trials, conformance.WrongName, conformance.Expired, conformance.UnknownAuthority)
	}
	return trials, nil
}

// now is the time by which the bench judges: it may be ahead of the machine's.
func (b *benching) now() time.Time { return time.Now().Add(time.Duration(b.shifted.Load())) }

func (b *benching) run(ctx context.Context) error {
	trials, err := b.check()
	if err != nil {
		return err
	}
	gateways, err := b.mappings()
	if err != nil {
		return err
	}
	if b.password == "" {
		b.password = rand.Text()[:12]
	}
	b.bench = conformance.New(conformance.Options{Profile: b.profile, Device: b.device, Prefix: b.prefix, Formats: service.Formats(), Gateways: gateways, Trials: trials}, b.now())
	if b.server, err = b.behind(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", b.listen)
	if err != nil {
		return errors.Join(fmt.Errorf("%w; is another broker using it? Choose another with --listen", err), b.server.close())
	}
	o := &b.relay
	o.Listener, o.Dial, o.Bench, o.Message, o.Now = listener, b.server.dial, b.bench, b.message, b.now
	o.Status, o.Receipts = ingest.Topic(b.prefix, b.device, ingest.StatusTopic), ingest.Topic(b.prefix, b.device, ingest.ReceiptsTopic)
	o.Away, o.Back, o.Acknowledged = b.away, b.back, b.acknowledged
	if b.tls {
		if o.Certificates, err = b.certificates(listener.Addr()); err != nil {
			return errors.Join(err, listener.Close(), b.server.close())
		}
	}
	line := relay.Open(*o)
	page, err := b.openPage()
	if err == nil {
		if err = b.greet(listener.Addr()); err == nil {
			b.wait(ctx)
		}
	}
	failed := errors.Join(line.Finish(), b.server.close(), line.Close(), page())
	if err = errors.Join(err, failed); err != nil {
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
	sample := conformance.Example(b.sampled(), "1")
	scheme := "tcp"
	if b.tls {
		scheme = "tls"
	}
	if err := b.say(protocols.Say(
		"Banc d'essai, plan %[1]s : %[9]s://%[2]s, MQTT 3.1.1 ou 5\n  appareil      %[3]s\n  mot de passe  %[4]s\n  sujet         %[5]s\nPour essayer :\n  mosquitto_pub -h %[6]s -p %[7]s%[10]s -i %[3]s -u %[3]s -P %[4]s -q 1 -t %[5]s -m '%[8]s'\n%[11]s",
		"Bench, plan %[1]s: %[9]s://%[2]s, MQTT 3.1.1 or 5\n  device    %[3]s\n  password  %[4]s\n  topic     %[5]s\nTo try it:\n  mosquitto_pub -h %[6]s -p %[7]s%[10]s -i %[3]s -u %[3]s -P %[4]s -q 1 -t %[5]s -m '%[8]s'\n%[11]s"),
		conformance.Version, address, b.device, b.password, topic, host, port, sample, scheme, b.authorityFlag(" --cafile "), b.simulated(scheme+"://"+address.String())); err != nil {
		return err
	}
	if slices.Contains(b.trialNames, string(conformance.Broken)) || slices.Contains(b.trialNames, "all") {
		if err := b.say(protocols.Say(
			"La première mesure n'est pas acquittée et sa connexion est coupée, exprès (--trial none : non). mosquitto_pub ne renvoie rien : relancez la même ligne.\n",
			"The first reading is not acknowledged and its connection is broken, on purpose (--trial none: not). mosquitto_pub sends nothing again: run the same line once more.\n")); err != nil {
			return err
		}
	}
	if b.browse == "" {
		return b.say(protocols.Say("\n", "\n"))
	}
	return b.say(protocols.Say("Page : %s\n\n", "Page: %s\n\n"), b.browse)
}

// authorityFlag is the flag by which a program is told whom to trust, with --tls.
func (b *benching) authorityFlag(flag string) string {
	if !b.tls {
		return ""
	}
	return flag + b.authority
}

// refused is called when a connection gives a wrong name or password.
func (b *benching) refused() error {
	return b.say(protocols.Say("✗ une connexion est refusée : nom ou mot de passe erroné\n", "✗ a connection is refused: wrong name or password\n"))
}

// message judges one message, and tells how its acknowledgement is made.
func (b *benching) message(line int, m ingest.Message) conformance.Trial {
	receipts, trial := b.bench.Message(line, m)
	b.server.judged(&m, receipts, trial)
	if err := b.tell(m.Topic, receipts, trial); err != nil {
		return trial // nobody reads the terminal any longer: the report says it all
	}
	switch trial {
	case conformance.Broken, conformance.WithheldAck, conformance.Takeover:
		return trial // the message comes again, and counts then
	}
	b.came.Add(int64(len(receipts)))
	if m.QoS == 0 {
		b.acknowledged("")
	}
	return trial
}

// acknowledged ends the bench once enough readings came, and the last is acknowledged.
func (b *benching) acknowledged(t conformance.Trial) {
	b.server.acknowledged(t)
	if b.readings > 0 && b.came.Load() >= int64(b.readings) {
		b.end.Do(func() { close(b.done) })
	}
}

// away is called as the broker, or the network, goes away.
func (b *benching) away(t conformance.Trial) {
	if t == conformance.Offline {
		b.bench.Away(b.now())
	}
	b.server.away(t)
}

// back is called when it is there again: a week may have passed.
func (b *benching) back(t conformance.Trial) {
	if t == conformance.Offline {
		b.bench.Back(b.now())
		b.shifted.Add(int64(b.moved - b.relay.Offline))
	}
	b.server.back(t)
}

// tell prints what became of a message.
func (b *benching) tell(topic string, receipts []ingest.Receipt, trial conformance.Trial) error {
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
	if trial != "" {
		fmt.Fprintf(&text, "  %s\n", in(trial.Does(), b.language))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := io.WriteString(b.out, text.String())
	return err
}

// conclude writes the report, and fails when a requirement is not met.
func (b *benching) conclude() error {
	report := b.bench.Report(b.now())
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
	if report.Readings == 0 {
		return errors.New("no reading has come: nothing was tried")
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
