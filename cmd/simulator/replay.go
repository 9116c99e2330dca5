package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
	"vigie/seeds/devices"
)

// replay is what `simulator replay` was asked.
type replay struct {
	target
	csv          string
	device       string
	user         string
	password     string
	passwordFile string
	measure      string
	specimen     string
	unit         string
	column       string
	components   []string
	timeColumn   string
	dateColumn   string
	timeForm     string
	start        string
	zone         string
	speed        float64
	decimal      string
	where        []string
	batch        int
	window       int
	json         bool
	wait         time.Duration
}

func replayCommand() *cobra.Command {
	var r replay
	command := &cobra.Command{
		Use:   "replay --csv FILE --device D --measure M --time-column T (--column C | --component NAME=C …)",
		Short: "Rejoue une série enregistrée comme un appareil (play a recorded series as a device)",
		Long: `Rejoue une série enregistrée comme un appareil, par MQTT, en attendant chaque
acquittement. Chaque ligne du fichier CSV devient une mesure ; celles sans valeur
utilisable sont passées et comptées. Rejouer le même fichier ne change rien.

Play a recorded series as a device over MQTT, waiting for every acknowledgement.

Each row of the CSV file becomes one reading. Rows without a usable value (blank,
NaN, outside what the instrument can report) are skipped and counted. The id of a
reading follows from its measure and time, so that playing a file a second time
changes nothing.

The time column holds RFC 3339 instants, or local times without a zone, which
need --time-zone, or seconds from the start, which need --start. With the first
two, --start moves the whole series so that its first row is at that time. Of the
hour that comes twice in autumn, a local time is the first one, unless that would
step back behind the row before.`,
		Example: `  simulator replay --csv cgm.csv --device cgm-1 --password-file cgm-1.key \
    --measure glucose --specimen interstitial --column gl --time-column time --time-zone Europe/Paris
  simulator replay --csv oximetry.csv --device oximeter-1 --password-file oximeter-1.key \
    --measure oxygen-saturation --column SpO2 --time-column "Time [s]" --start 2026-11-21T08:00:00+01:00`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return r.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	r.flags(flags)
	flags.StringVar(&r.csv, "csv", "", "the file")
	flags.StringVar(&r.device, "device", "", "name of the device, as in the registry")
	flags.StringVar(&r.user, "user", "", "MQTT user name; the device when empty")
	flags.StringVar(&r.password, "password", "", "MQTT password")
	flags.StringVar(&r.passwordFile, "password-file", "", "file that holds the MQTT password")
	flags.StringVar(&r.measure, "measure", "", "measure: "+measureNames())
	flags.StringVar(&r.specimen, "specimen", "", "for glucose: capillary or interstitial")
	flags.StringVar(&r.unit, "unit", "", "unit of the columns; what the file says when empty")
	flags.StringVar(&r.decimal, "decimal", "", "what parts decimals where that is ambiguous: comma or point")
	flags.StringArrayVar(&r.where, "where", nil, "COLUMN=WORD, the rows that count; COLUMN= when all do")
	flags.StringVar(&r.column, "column", "", "column of a measure that has one value")
	flags.StringArrayVar(&r.components, "component", nil, "component=column, for a measure that has several; may be repeated")
	flags.StringVar(&r.timeColumn, "time-column", "", "column of the times")
	flags.StringVar(&r.dateColumn, "date-column", "", "column of the days, where --time-column holds the time of day alone")
	flags.StringVar(&r.timeForm, "time-format", "", "how times are written, where they could mean two: \"DD/MM/YYYY HH:mm\"")
	flags.StringVar(&r.start, "start", "", "when the first row was measured, RFC 3339")
	flags.StringVar(&r.zone, "time-zone", "", "zone of local times: Europe/Paris")
	flags.Float64Var(&r.speed, "speed", 0, "times as fast as it was measured; 0 for as fast as it is acknowledged")
	flags.IntVar(&r.batch, "batch", 1, "readings in a message")
	flags.IntVar(&r.window, "window", 20, "messages sent and not yet acknowledged")
	flags.BoolVar(&r.json, "json", false, "write the summary as one JSON object")
	flags.DurationVar(&r.wait, "receipts-wait", 3*time.Second, "how long to wait for the last receipts")
	for _, name := range []string{"csv", "device", "measure", "time-column"} {
		if err := command.MarkFlagRequired(name); err != nil {
			panic("simulator: replay has no flag " + name)
		}
	}
	return command
}

func measureNames() string {
	var names []string
	for _, m := range protocols.Measures() {
		names = append(names, m.ID)
	}
	return strings.Join(names, ", ")
}

// summary is what became of a series.
type summary struct {
	Rows         int                    `json:"rows"`
	Skipped      map[string]int         `json:"skipped"` // by reason, in English
	aside        map[string]int         // the same, in French
	Readings     int                    `json:"readings"`
	Acknowledged int                    `json:"acknowledged"`
	Accepted     int                    `json:"accepted"` // this and what follows are told by receipts
	Duplicate    int                    `json:"duplicate"`
	SetAside     map[protocols.Code]int `json:"set_aside"`
	First        time.Time              `json:"first"`
	Last         time.Time              `json:"last"`
	Seconds      float64                `json:"seconds"`
	Reconnects   int                    `json:"reconnects"`
}

func (r *replay) run(ctx context.Context, stdout, stderr io.Writer) error {
	series, err := r.read()
	if err != nil {
		return err
	}
	password, err := readPassword(r.password, r.passwordFile)
	if err != nil {
		return err
	}
	p := newPlayer(r, series, newProgress(stderr))
	if err := p.play(ctx, password); err != nil {
		return err
	}
	if r.json {
		return json.NewEncoder(stdout).Encode(p.sum)
	}
	return p.sum.write(stdout, r)
}

// read reads the file into readings.
func (r *replay) read() (*recorded.Series, error) {
	layout, start, err := r.layout()
	if err != nil {
		return nil, err
	}
	series, err := r.readAs(layout)
	if err != nil {
		return nil, err
	}
	switch {
	case len(series.Readings) > 0 && !start.IsZero():
		move(series, start)
	case len(series.Readings) == 0 && !start.IsZero():
		layout.Start = start // no row has a time of its own: they count seconds
		if series, err = r.readAs(layout); err != nil {
			return nil, err
		}
	}
	if len(series.Readings) == 0 {
		return nil, fmt.Errorf("no row of %s can be used%s", r.csv, firstSkip(series))
	}
	return series, nil
}

func (r *replay) readAs(layout recorded.Layout) (*recorded.Series, error) {
	file, err := os.Open(r.csv)
	if err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	defer file.Close()
	return recorded.Read(file, layout)
}

func firstSkip(series *recorded.Series) string {
	if len(series.Skipped) == 0 {
		return ""
	}
	s := series.Skipped[0]
	return fmt.Sprintf(": line %d, column %q: %s", s.Line, s.Column, s.Why.EN)
}

// move puts the first row that can be used at start.
func move(series *recorded.Series, start time.Time) {
	by := start.Sub(series.Readings[0].Time)
	for i := range series.Readings {
		series.Readings[i].Time = series.Readings[i].Time.Add(by)
	}
}

// layout describes the file, and says when its first row was measured.
func (r *replay) layout() (l recorded.Layout, start time.Time, err error) {
	m := protocols.MeasureByID(r.measure)
	switch {
	case m == nil:
		return l, start, fmt.Errorf("no measure %q: use one of %s", r.measure, measureNames())
	case r.specimen != "" && m.Variant(r.specimen) == 0:
		return l, start, fmt.Errorf("%s has no specimen %q: %s", m.ID, r.specimen, strings.Join(m.Variants, ", "))
	case r.column == "" && len(r.components) == 0:
		return l, start, errors.New("which column holds the values? give --column, or --component for each component")
	}
	said := recorded.Description{
		Measures: []string{r.measure}, Components: r.components, Variant: r.specimen, Unit: r.unit, TimeColumn: r.timeColumn, DateColumn: r.dateColumn,
		TimeForm: r.timeForm, Decimal: r.decimal, Where: r.where, Device: r.device,
	}
	if r.column != "" {
		said.Columns = []string{r.column}
	}
	if r.zone != "" {
		if said.Zone, err = time.LoadLocation(r.zone); err != nil {
			return l, start, fmt.Errorf("--time-zone %q is no time zone: use an IANA name such as Europe/Paris", r.zone)
		}
	}
	if r.start != "" {
		if start, err = time.Parse(time.RFC3339, r.start); err != nil {
			return l, start, fmt.Errorf("--start %q is no time: write it as 2026-11-21T08:00:00+01:00", r.start)
		}
	}
	layouts, err := said.Layouts(nil)
	if err != nil {
		return l, start, err
	}
	return layouts[0], start, nil
}

func tally(series *recorded.Series) *summary {
	s := &summary{Rows: len(series.Readings) + len(series.Skipped), Skipped: map[string]int{}, aside: map[string]int{}, Readings: len(series.Readings), SetAside: map[protocols.Code]int{}}
	for _, skip := range series.Skipped {
		s.Skipped[skip.Why.EN]++
		s.aside[skip.Why.FR]++
	}
	s.First, s.Last = series.Span()
	return s
}

// player plays one series.
type player struct {
	replay *replay
	series *recorded.Series
	zone   *time.Location // of days of which the hour is not known
	bar    *progress

	mu    sync.Mutex
	sum   *summary
	await map[string]struct{} // ids without a receipt yet
	done  chan struct{}       // closed once there is none
}

func newPlayer(r *replay, series *recorded.Series, bar *progress) *player {
	zone, err := time.LoadLocation(r.zone)
	if err != nil { // the layout was refused for it
		zone = time.UTC
	}
	p := &player{replay: r, series: series, zone: zone, bar: bar, sum: tally(series), await: map[string]struct{}{}, done: make(chan struct{})}
	for i := range series.Readings {
		p.await[published(&series.Readings[i], p.zone).ID] = struct{}{}
	}
	return p
}

func (p *player) play(ctx context.Context, password string) error {
	began := time.Now()
	session, err := devices.Dial(ctx, devices.Connection{
		Broker: p.replay.broker, Prefix: p.replay.prefix, Device: p.replay.device, User: p.replay.user, Password: password, Window: p.replay.window,
		Receipt: p.receipt, Acknowledged: p.acknowledged,
		Trouble: func(err error) { p.bar.say(err.Error() + "; trying again") },
	})
	if err != nil {
		return err
	}
	defer session.Close()
	if err := p.publish(ctx, session); err != nil {
		return err
	}
	if err := session.Flush(ctx); err != nil {
		return p.interrupted(err)
	}
	p.awaitReceipts(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar.finish(p.sum.Acknowledged, p.sum.Readings, "acquittées")
	p.sum.Seconds, p.sum.Reconnects = time.Since(began).Seconds(), session.Reconnects()
	return nil
}

func (p *player) publish(ctx context.Context, session *devices.Session) error {
	var clock *devices.Accelerated
	if p.replay.speed > 0 {
		clock = devices.NewAccelerated(p.series.Readings[0].Time, p.replay.speed)
		clock.Start()
	}
	for part := range slices.Chunk(p.series.Readings, max(1, p.replay.batch)) {
		if clock != nil {
			if err := clock.Until(ctx, part[len(part)-1].Time); err != nil {
				return p.interrupted(err)
			}
		}
		payload, err := p.payload(part)
		if err != nil {
			return err
		}
		if err := session.Publish(ctx, payload, len(part)); err != nil {
			return p.interrupted(err)
		}
	}
	return nil
}

func (p *player) interrupted(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("interrupted with %d of %d readings acknowledged; playing it again sends the rest and changes nothing else: %w", p.sum.Acknowledged, p.sum.Readings, err)
}

func (p *player) payload(part []protocols.Reading) ([]byte, error) {
	readings := make([]devices.Reading, len(part))
	for i := range part {
		readings[i] = published(&part[i], p.zone)
	}
	if len(readings) == 1 {
		return json.Marshal(readings[0])
	}
	return json.Marshal(readings)
}

// published writes a reading as the device that is played would, under an id of its own.
func published(r *protocols.Reading, zone *time.Location) devices.Reading {
	out := devices.Published(r, zone)
	out.ID = devices.ReadingID(r.Device, r.ID, r.Time)
	return out
}

func (p *player) acknowledged(readings int, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Acknowledged += readings
	p.bar.show(p.sum.Acknowledged, p.sum.Readings, "acquittées")
}

// receipt counts the first answer to each reading: what is sent again, because a
// connection broke, is answered again.
func (p *player) receipt(r devices.Receipt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, awaited := p.await[r.ID]
	if !awaited && r.ID != "" { // without one, a whole message was refused
		return
	}
	delete(p.await, r.ID)
	switch {
	case r.Verdict == "accepted":
		p.sum.Accepted++
	case r.Verdict == "duplicate":
		p.sum.Duplicate++
	case len(r.Reasons) > 0:
		p.sum.SetAside[r.Reasons[0].Code]++
	}
	if awaited && len(p.await) == 0 {
		close(p.done)
	}
}

// awaitReceipts waits for the last receipts. They are best effort, and without a
// service behind the broker there are none.
func (p *player) awaitReceipts(ctx context.Context) {
	timer := time.NewTimer(p.replay.wait)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// write tells a person.
func (s *summary) write(out io.Writer, r *replay) error {
	lines := []string{
		fmt.Sprintf("%s : %d lignes, du %s au %s", r.csv, s.Rows, s.First.Format(time.RFC3339), s.Last.Format(time.RFC3339)),
		fmt.Sprintf("  mesures envoyées       %d, acquittées %d, en %.1f s", s.Readings, s.Acknowledged, s.Seconds),
		"  lignes écartées        " + counted(s.aside),
	}
	if s.Accepted+s.Duplicate+len(s.SetAside) > 0 {
		lines = append(lines, fmt.Sprintf("  récépissés             acceptées %d, en double %d, mises de côté : %s", s.Accepted, s.Duplicate, counted(s.SetAside)))
	} else {
		lines = append(lines, "  récépissés             aucun : personne n'écoute derrière ce broker")
	}
	_, err := fmt.Fprintln(out, strings.Join(lines, "\n"))
	return err
}

func counted[K ~string](counts map[K]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d (%s)", counts[name], name))
	}
	if len(parts) == 0 {
		return "aucune"
	}
	return strings.Join(parts, ", ")
}
