package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/formats/recorded"
	"vigie/ingest/registry"
	"vigie/protocols"
)

const importHelp = `Fait entrer des mesures enregistrées ailleurs, depuis des fichiers : toutes, ou aucune. Un
service qui tourne prend plus de 10 000 mesures en plusieurs parties ; interrompu, l'import
reprend par la même commande. Refaire un import ne change rien. Le service est arrêté, ou le fait lui-même :
--service https://vigie.example.org --token-file FICHIER, d'un compte qui peut saisir
des mesures. Ce qui est plus ancien que limits.too_old entre comme un passé : gardé,
dessiné, connu des règles, sans rien faire sonner de ce qui était alors déjà fini.
Avant l'inclusion, il faut un consentement qui le dise : vigie consent give --history.
Un export connu (--layout en donne la liste) est lu sans rien dire d'autre. Le nom que
porte un fichier est comparé à celui du patient : s'il diffère, une personne vérifie, puis
le dit avec --same-person. --dry-run dit ce qui serait lu.

Enters readings that were recorded elsewhere, from files: all of them, or none. A service
that runs takes more than 10,000 readings in parts; the same command goes on with an import
that was broken off. Importing again changes nothing. The service is stopped, or does it itself: --service
https://vigie.example.org --token-file FILE, of an account that may enter readings. What
is older than limits.too_old enters as history: it is kept, charted and known to the
rules, and nothing rings that was over by then. Before the inclusion it needs a consent
that says so: vigie consent give --history. An export that is known (--layout lists
them) needs nothing else to be said. A name in a file is held against the patient's: where
it differs, a person looks, and says so with --same-person. --dry-run says what would be
read.`

// importFlags are what the command line of `vigie readings import` says.
type importFlags struct {
	recorded        recordedFlags
	device, patient string
	dry             bool
	remote          remoteFlags
	format          string
	spoken          tongue
	samePerson      bool
	wanted          []string  // measures of the files
	watcher         io.Writer // who sees how far it is
}

func readingsImportCommand() *cobra.Command {
	var flags importFlags
	command := &cobra.Command{
		Use:     "import FILE… --device D",
		Short:   "Faire entrer des mesures enregistrées ailleurs (enter readings that were recorded elsewhere)",
		Long:    importHelp,
		Example: "  vigie readings import libreview.csv --patient p-0001 --dry-run\n  vigie readings import export.csv --device cgm-0012 --measure glucose --column \"Glucose mg/dL\" --time-column Time --dry-run",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if flags.format != "text" && flags.format != "json" {
				return fmt.Errorf("--format %s: use text or json", flags.format)
			}
			if err := flags.spoken.check(); err != nil {
				return err
			}
			return flags.run(cmd, files)
		},
	}
	f := command.Flags()
	flags.recorded.describe(f)
	f.StringVar(&flags.device, "device", "", "device of the registry that has measured them")
	f.StringVar(&flags.patient, "patient", "", "the patient, in the place of --device when one device of theirs takes the measure")
	flags.remote.register(f)
	f.BoolVar(&flags.dry, "dry-run", false, "say what would be read, and enter nothing")
	f.BoolVar(&flags.samePerson, "same-person", false, "you have seen that the person whom the file names is the patient")
	f.StringVar(&flags.format, "format", "text", "of the report: text or json")
	flags.spoken.register(f)
	return command
}

func (f *importFlags) run(cmd *cobra.Command, files []string) error {
	var err error
	if f.wanted, err = f.recorded.measuresIn(files); err != nil {
		return err
	}
	into, err := f.destination(cmd)
	if err != nil {
		return err
	}
	if into.zone != "" && !cmd.Flags().Changed("time-zone") {
		f.recorded.zone = into.zone
	}
	report := importReport{Device: into.device, Zone: f.recorded.zone, DryRun: f.dry}
	f.watcher = cmd.ErrOrStderr()
	readings, named, err := f.read(files, into.takes, &report)
	if err != nil {
		return err
	}
	if err := f.hold(cmd.Context(), named, into.identity); err != nil {
		return err
	}
	if !f.dry && len(readings) > 0 {
		bar := newProgress(f.watcher, f.spoken, readingNoun, len(readings))
		entered, err := into.enter(cmd.Context(), readings, bar)
		bar.end()
		if err != nil {
			return err
		}
		report.Batch, report.Entered = entered.Batch, &entered.Entered
	}
	write := report.text
	if f.format == "json" {
		write = report.json
	}
	if err := write(cmd.OutOrStdout(), f.spoken); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.Readings == 0 {
		return exitStatus(1)
	}
	return nil
}

// destination is where readings are entered: into the store, or by a service that runs.
type destination struct {
	device, zone string
	takes        func(*protocols.Measure) bool // nil where the service alone knows
	identity     func(context.Context) (*registry.Identity, error)
	enter        func(context.Context, []protocols.Reading, *progress) (workspace.Entered, error)
}

func (f *importFlags) destination(cmd *cobra.Command) (destination, error) {
	if f.remote.service != "" {
		return f.remote.destination(cmd.Context(), f.patient, f.device)
	}
	c, err := configOf(cmd)
	if err != nil {
		return destination{}, err
	}
	whose, err := f.assignment(cmd)
	if err != nil {
		return destination{}, err
	}
	into := func(ctx context.Context, readings []protocols.Reading, bar *progress) (workspace.Entered, error) {
		return enter(ctx, c, whose.Device.Name, readings, bar)
	}
	return destination{
		device: whose.Device.Name, zone: zoneOf(whose), enter: into, takes: protocols.KindByID(whose.Device.Kind).Takes,
		identity: func(context.Context) (*registry.Identity, error) { return identityOf(cmd, patientOf(whose)) },
	}, nil
}

func enter(ctx context.Context, c config.Config, device string, readings []protocols.Reading, bar *progress) (workspace.Entered, error) {
	options := service.Options{Config: c, Now: time.Now, Log: logTo(os.Stderr, c.Log, new(slog.LevelVar))}
	batch := ingest.BatchName(time.Now())
	origin := &protocols.Origin{Batch: batch}
	for i := range readings {
		readings[i].Origin = origin
	}
	entered, err := service.Enter(ctx, options, device, readings, bar.at)
	if errors.Is(err, service.ErrRunning) {
		err = fmt.Errorf("%w; let it enter them with --service and --token-file, or stop it: devices wait meanwhile, and lose nothing", service.ErrRunning)
	}
	return workspace.Entered{Batch: batch, Entered: entered}, err
}

// assignment is the device, and whom it is of. The trail notes whose readings are about
// to be entered.
func (f *importFlags) assignment(cmd *cobra.Command) (whose *registry.Assignment, err error) {
	if (f.device == "") == (f.patient == "") {
		return nil, errors.New("say which device has measured them with --device, or whose readings they are with --patient")
	}
	tools, err := openTools(cmd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	name := f.device
	if name == "" {
		if name, err = f.deviceOf(cmd.Context(), tools); err != nil {
			return nil, err
		}
	}
	whose, err = tools.Store.Device(cmd.Context(), name)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, fmt.Errorf("there is no device %q in the registry: add it with vigie registry import", name)
	}
	if err != nil || f.dry {
		return whose, err
	}
	return whose, tools.Note(cmd.Context(), access.Who{}, "", name, patientOf(whose), "")
}

// deviceOf is the one device of a patient that takes every measure.
func (f *importFlags) deviceOf(ctx context.Context, tools *service.Tools) (string, error) {
	enrolments, err := tools.EnrolmentsOf(ctx, f.patient)
	if err != nil {
		return "", err
	}
	var fits []string
	for _, e := range enrolments {
		for _, name := range e.Devices {
			device, err := tools.Store.Device(ctx, name)
			if err != nil {
				return "", err
			}
			if f.takes(device.Device.Kind) && !slices.Contains(fits, name) {
				fits = append(fits, name)
			}
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return "", fmt.Errorf("no device of patient %q takes %s: name one with --device", f.patient, strings.Join(f.wanted, ", "))
	}
	return "", fmt.Errorf("several devices of patient %q take it: name one with --device: %s", f.patient, strings.Join(fits, ", "))
}

func (f *importFlags) takes(kind string) bool {
	takes := func(id string) bool {
		m := protocols.MeasureByID(id)
		return m == nil || protocols.KindByID(kind).Takes(m)
	}
	if len(f.recorded.measures) == 0 { // a file of many measures: what the device takes is read
		return slices.ContainsFunc(f.wanted, takes)
	}
	return !slices.ContainsFunc(f.wanted, func(id string) bool { return !takes(id) })
}

func zoneOf(whose *registry.Assignment) string {
	if len(whose.Enrolments) == 0 {
		return ""
	}
	return whose.Enrolments[len(whose.Enrolments)-1].Zone
}

func patientOf(whose *registry.Assignment) string {
	if len(whose.Enrolments) == 0 {
		return ""
	}
	return whose.Enrolments[len(whose.Enrolments)-1].Patient
}

// read reads the files into readings, in the order of time, and says whom they name. Of
// a file that is recognised it reads what the device takes.
func (f *importFlags) read(files []string, takes func(*protocols.Measure) bool, report *importReport) (readings []protocols.Reading, named []recorded.Person, err error) {
	for _, f.recorded.file = range files {
		layouts, err := f.recorded.layouts(&protocols.Protocol{})
		if err != nil {
			return nil, nil, err
		}
		for _, layout := range layouts {
			if len(f.recorded.measures) == 0 && takes != nil && !takes(layout.Measure) {
				continue
			}
			layout.Device, layout.Patient = report.Device, ""
			bar := newProgress(f.watcher, f.spoken, lineNoun, 1)
			layout.Told = bar.at
			series, err := f.recorded.read(layout)
			bar.end()
			if err != nil {
				return nil, nil, err
			}
			named = append(named, series.Person)
			report.add(f.recorded.file, &layout, series)
			readings = append(readings, series.Readings...)
		}
	}
	slices.SortStableFunc(readings, func(a, b protocols.Reading) int { return a.Time.Compare(b.Time) })
	report.Readings = len(readings)
	return readings, named, nil
}

// importReport says what was read, and what became of it.
type importReport struct {
	Device   string          `json:"device"`
	Zone     string          `json:"zone"`
	DryRun   bool            `json:"dry_run,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	Readings int             `json:"readings"`
	Files    []importedFile  `json:"files"`
	Entered  *ingest.Entered `json:"entered,omitempty"`
}

// importedFile is one measure of one file.
type importedFile struct {
	File         string                  `json:"file"`
	Measure      string                  `json:"measure"`
	Readings     int                     `json:"readings"`
	First        time.Time               `json:"first,omitzero"`
	Last         time.Time               `json:"last,omitzero"`
	Limited      int                     `json:"below_or_above,omitempty"` // beyond what the device shows
	Distribution []recorded.Distribution `json:"distribution,omitempty"`
	LeftAside    []recorded.Reason       `json:"left_aside,omitempty"`
	Odd          []recorded.Odd          `json:"odd,omitempty"`
}

func (r *importReport) add(file string, layout *recorded.Layout, series *recorded.Series) {
	read := importedFile{File: file, Measure: layout.Measure.ID, Readings: len(series.Readings), Limited: series.Bounded()}
	read.First, read.Last = series.Span()
	read.Distribution = series.Distributions(layout.Measure)
	for _, aside := range [][]recorded.Skip{series.Skipped, series.LeftOut} {
		read.LeftAside = append(read.LeftAside, recorded.ByReason(aside)...)
	}
	if layout.Zone != nil {
		read.Odd = series.Odd(layout.Zone, time.Now())
	}
	r.Files = append(r.Files, read)
}

func (r *importReport) json(out io.Writer, _ tongue) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// What an import says.
var (
	importRead = protocols.Text{FR: "%s : %s, %d [mesure|mesures] de l'appareil %s, du %s au %s (%s)\n", EN: "%s: %s, %d [reading|readings] of device %s, from %s to %s (%s)\n"}
	importNone = protocols.Text{FR: "%s : %s, aucune mesure n'a pu être lue\n", EN: "%s: %s, no reading could be read\n"}
	importLies = protocols.Text{
		FR: "  %s : de %s à %s %s, la moitié sous %s, huit sur dix entre %s et %s\n",
		EN: "  %s: from %s to %s %s, half of them below %s, eight in ten between %s and %s\n",
	}
	importLimited = protocols.Text{FR: "  %d [est|sont] au-delà de ce que l'appareil affiche\n", EN: "  %d [is|are] beyond what the device shows\n"}
	importAside   = protocols.Text{FR: "  %d [ligne laissée de côté,|lignes laissées de côté, la première] %s : %s\n", EN: "  %d [line left aside,|lines left aside, the first] %s: %s\n"}
	importOdd     = protocols.Text{FR: "  à vérifier : %s\n", EN: "  look at this: %s\n"}
	importDry     = protocols.Text{FR: "Rien n'est entré : c'était un essai.\n", EN: "Nothing was entered: this was a dry run.\n"}
	importDone    = protocols.Text{
		FR: "%d [mesure gardée|mesures gardées], dont %d comme passé ; %d [était|étaient] déjà là. Lot : %s\n",
		EN: "%d [reading|readings] kept, %d of them as history; %d [was|were] there already. Batch: %s\n",
	}
	importRefused = protocols.Text{FR: "  %d [refusée|refusées], %s : %s\n", EN: "  %d refused, %s: %s\n"}
)

func (r *importReport) text(out io.Writer, in tongue) error {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return err
	}
	var said strings.Builder
	for i := range r.Files {
		r.Files[i].text(&said, in, r.Device, zone)
	}
	switch e := r.Entered; {
	case r.DryRun:
		said.WriteString(in.say(importDry))
	case e != nil:
		said.WriteString(in.say(importDone, e.New, e.Past, e.Known, r.Batch))
		for _, code := range slices.Sorted(maps.Keys(e.Refused)) {
			said.WriteString(in.say(importRefused, e.Refused[code], code, e.FirstFault[code].Message))
		}
	}
	_, err = io.WriteString(out, said.String())
	return err
}

func (f *importedFile) text(out *strings.Builder, in tongue, device string, zone *time.Location) {
	m := protocols.MeasureByID(f.Measure)
	if f.Readings == 0 {
		out.WriteString(in.say(importNone, f.File, in.say(m.Title)))
	} else {
		out.WriteString(in.say(importRead, f.File, in.say(m.Title), f.Readings, device, in.stamp(f.First, zone), in.stamp(f.Last, zone), zone))
	}
	for _, d := range f.Distribution {
		title := m.Components[m.Component(d.Component)].Title
		out.WriteString(in.say(importLies, in.say(title), in.exact(d.At[0]), in.exact(d.At[4]), d.Unit, in.exact(d.At[2]), in.exact(d.At[1]), in.exact(d.At[3])))
	}
	if f.Limited > 0 {
		out.WriteString(in.say(importLimited, f.Limited))
	}
	for _, aside := range f.LeftAside {
		out.WriteString(in.say(importAside, aside.Rows, in.where(aside.Line, aside.Column), in.say(aside.Why)))
	}
	for _, o := range f.Odd {
		out.WriteString(in.say(importOdd, in.say(o.What)))
	}
}
