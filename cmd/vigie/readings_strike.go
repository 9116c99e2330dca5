package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
)

const strikeHelp = `Raye des mesures d'un patient, avec un motif, dans la base d'un service arrêté : elles
restent, marquées, et ne comptent plus. Les alertes qui ne tenaient qu'à elles sont
closes au nom de l'auteur. readings unstrike les rétablit. Quand un service tourne, il le
fait lui-même : POST /api/v1/readings/strike. Sans --patient, les mesures de --device chez
tous ceux qu'il a mesurés, l'un après l'autre : une commande interrompue se répète. --dry-run
dit d'abord ce qui changerait.

Strikes readings of a patient out, with a reason, in the store of a service that is
stopped: they stay, marked, and count no more. Alerts that rested on them alone are closed
in the author's name. readings unstrike takes it back. A service that runs does so itself:
POST /api/v1/readings/strike. Without --patient, the readings of --device in all whom it
measured, one after the other: a command that was broken off is repeated. --dry-run first
says what would change.`

// strikeFlags are what the command line of `vigie readings strike` says.
type strikeFlags struct {
	patient, at, from, to, zone, device, id, batch, measure, author, reason string
	dryRun                                                                  bool
}

// readingsStrikeCommands strike readings out, and take that back.
func readingsStrikeCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, c := range []struct {
		name, short string
		undo        bool
	}{
		{"strike", "Rayer des mesures (strike readings out)", false},
		{"unstrike", "Rétablir des mesures rayées (take back that readings are struck out)", true},
	} {
		var flags strikeFlags
		command := &cobra.Command{
			Use:     c.name + " --patient P --at T --reason R --author A",
			Short:   c.short,
			Long:    strikeHelp,
			Example: "  vigie readings " + c.name + " --patient p-0012 --at 2026-03-02T07:02:00+01:00 --reason \"son mari\" --author \"Mme Hoarau\"",
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd, c.undo) },
		}
		f := command.Flags()
		f.StringVar(&flags.patient, "patient", "", "pseudonymous id of the patient")
		f.StringVar(&flags.at, "at", "", "when the reading was measured: an instant")
		f.StringVar(&flags.from, "from", "", "of several, the beginning: a day or an instant")
		f.StringVar(&flags.to, "to", "", "of several, the end: a day (included) or an instant")
		f.StringVar(&flags.zone, "time-zone", "Europe/Paris", "zone of days and times written without one")
		f.StringVar(&flags.device, "device", "", "only what this device measured")
		f.StringVar(&flags.id, "id", "", "only the reading of this id")
		f.StringVar(&flags.batch, "batch", "", "only what this import entered: \"import 2026-03-02T09:00:00Z k3j9qx2a\"")
		f.BoolVar(&flags.dryRun, "dry-run", false, "say what would change, and change nothing")
		f.StringVar(&flags.measure, "measure", "", "only this measure, as weight")
		f.StringVar(&flags.reason, "reason", "", "why: who was on the scale, what was wrong")
		f.StringVar(&flags.author, "author", "", "who strikes it out; kept with it")
		commands = append(commands, command)
	}
	return commands
}

func (f *strikeFlags) about(undo bool) (about workspace.Striking, err error) {
	about = workspace.Striking{Patient: f.patient, Device: f.device, ID: f.id, Batch: f.batch, Author: f.author, Reason: f.reason, Undo: undo}
	if f.patient == "" && (f.device == "" || f.at != "" || f.id != "") {
		return about, errors.New("say whose reading it is with --patient, or of which device with --device for all whom it measured between --from and --to")
	}
	if f.reason == "" || f.author == "" {
		return about, errors.New("say why with --reason, and who says so with --author")
	}
	if f.measure != "" {
		if about.Measure = protocols.MeasureByID(f.measure); about.Measure == nil {
			return about, fmt.Errorf("--measure %q is not known: vigie measures lists them", f.measure)
		}
	}
	if f.at != "" && f.from+f.to == "" {
		zone, err := time.LoadLocation(f.zone)
		if err != nil {
			return about, fmt.Errorf("the time zone %q is not known: use an IANA name such as Europe/Paris", f.zone)
		}
		about.From, err = momentOf("--at", f.at, zone, 0)
		about.To = about.From.Add(1)
		return about, err
	}
	if f.batch != "" && f.at+f.from+f.to == "" {
		about.From, about.To = time.Unix(0, 0).UTC(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
		return about, nil
	}
	span, err := spanOf(f.from, f.to, f.zone)
	if err == nil && (f.at != "" || span.From.IsZero() || span.To.IsZero()) {
		err = errors.New("say when the reading was measured with --at, or between which moments with --from and --to, or by which import with --batch")
	}
	about.From, about.To = span.From, span.To
	return about, err
}

func (f *strikeFlags) run(cmd *cobra.Command, undo bool) error {
	about, err := f.about(undo)
	if err != nil {
		return err
	}
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	options := service.Options{Config: c, Now: time.Now, Log: logTo(os.Stderr, c.Log, new(slog.LevelVar))}
	if f.patient != "" {
		if err := f.note(cmd, f.patient); err != nil {
			return err
		}
		return f.strike(cmd, options, about)
	}
	return f.runWide(cmd, options, about)
}

// runWide does so for all whom a device measured. The trail and the store have it before the
// first of them is touched.
func (f *strikeFlags) runWide(cmd *cobra.Command, options service.Options, about workspace.Striking) error {
	patients, err := f.fed(cmd)
	if err != nil {
		return err
	}
	for _, patient := range patients {
		if err := f.note(cmd, patient); err != nil {
			return err
		}
	}
	act, strikes, err := service.BeginWide(cmd.Context(), options, about, patients, f.dryRun)
	if err != nil {
		return running(err)
	}
	about.Wide = strikes
	for _, patient := range patients {
		about.Patient = patient
		var refused *alerts.Refused
		if err := f.strike(cmd, options, about); err != nil && !errors.As(err, &refused) {
			return err
		} else if err != nil {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", harmless(patient), refused.Text.In("en")); err != nil {
				return err
			}
		}
	}
	if f.dryRun {
		return nil
	}
	return service.EndWide(cmd.Context(), options, act)
}

// strike does so for one patient, or says what it would do.
func (f *strikeFlags) strike(cmd *cobra.Command, options service.Options, about workspace.Striking) error {
	if f.dryRun {
		readings, changed, err := service.TryStrike(cmd.Context(), options, about)
		if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d readings, %d alerts would change\n", harmless(about.Patient), readings, changed)
		}
		return running(err)
	}
	struck, err := service.Strike(cmd.Context(), options, about)
	if err != nil {
		return running(err)
	}
	for _, r := range struck {
		said := "struck out"
		if about.Undo {
			said = "counts again"
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s %s: %s\n", r.Time.Format(time.RFC3339), r.Measure.ID, harmless(r.Device), harmless(r.ID), said); err != nil {
			return err
		}
	}
	return nil
}

// running says what to do where a service runs.
func running(err error) error {
	if errors.Is(err, service.ErrRunning) {
		return fmt.Errorf("%w; it does so itself: POST /api/v1/readings/strike", service.ErrRunning)
	}
	return err
}

// fed lists the patients whom the device measured.
func (f *strikeFlags) fed(cmd *cobra.Command) (patients []string, err error) {
	tools, err := openTools(cmd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return tools.Registry.PatientsFed(cmd.Context(), f.device)
}

// note writes the act into the trail, before it is done.
func (f *strikeFlags) note(cmd *cobra.Command, patient string) (err error) {
	if f.dryRun {
		return nil
	}
	tools, err := openTools(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return tools.Note(cmd.Context(), access.Who{}, "", f.author, patient, f.reason)
}
