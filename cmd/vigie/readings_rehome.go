package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace"
)

const rehomeHelp = `Donne des mesures au patient dont elles sont, par un service qui tourne : elles sont entrées
chez lui sous un de ses appareils, ses règles les voient, puis elles sont rayées chez
l'autre. Si l'une d'elles ne peut pas servir chez lui, rien ne change. Pour revenir en
arrière : readings strike --batch chez l'un, readings unstrike chez l'autre.

Gives readings to the patient whose they are, through a service that runs: they are entered
for him under a device of his, his rules see them, then they are struck out of the other.
Where one of them cannot be used for him, nothing changes. To take it back: readings strike
--batch of the one, readings unstrike of the other.`

// rehomeFlags are what the command line of `vigie readings rehome` says.
type rehomeFlags struct {
	strikeFlags
	remote   remoteFlags
	into, as string
}

// rehoming is the request. Both moments are of the readings to give; the second is excluded.
type rehoming struct {
	Patient string    `json:"patient"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Device  string    `json:"device,omitempty"`
	ID      string    `json:"id,omitempty"`
	Batch   string    `json:"batch,omitempty"`
	Measure string    `json:"measure,omitempty"`
	Reason  string    `json:"reason"`
	Into    string    `json:"into"`
	As      string    `json:"as_device"`
}

func readingsRehomeCommand() *cobra.Command {
	var flags rehomeFlags
	command := &cobra.Command{
		Use:     "rehome --patient P --at T --into P --as-device D --reason R --service URL --token-file F",
		Short:   "Donner des mesures au patient dont elles sont (give readings to the patient whose they are)",
		Long:    rehomeHelp,
		Example: `  vigie readings rehome --patient p-0012 --at 2026-03-02T07:02:00+01:00 --into p-0013 --as-device scale-0013 --reason "son mari" --service https://vigie.example.org --token-file jeton`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	f := command.Flags()
	f.StringVar(&flags.patient, "patient", "", "who was taken for the other: pseudonymous id")
	f.StringVar(&flags.into, "into", "", "whose they are: pseudonymous id")
	f.StringVar(&flags.as, "as-device", "", "a device that this patient had then, under which they are kept")
	f.StringVar(&flags.at, "at", "", "when the reading was measured: an instant")
	f.StringVar(&flags.from, "from", "", "of several, the beginning: a day or an instant")
	f.StringVar(&flags.to, "to", "", "of several, the end: a day (included) or an instant")
	f.StringVar(&flags.zone, "time-zone", "Europe/Paris", "zone of days and times written without one")
	f.StringVar(&flags.device, "device", "", "only what this device measured")
	f.StringVar(&flags.id, "id", "", "only the reading of this id")
	f.StringVar(&flags.batch, "batch", "", "only what this import entered: \"import 2026-03-02T09:00:00Z\"")
	f.StringVar(&flags.measure, "measure", "", "only this measure, as weight")
	flags.remote.register(f)
	return command
}

func (f *rehomeFlags) run(cmd *cobra.Command) error {
	if f.patient == "" || f.into == "" || f.as == "" {
		return errors.New("say who was taken for the other with --patient, whose the readings are with --into, and under which device of his they are kept with --as-device")
	}
	if f.remote.reason == "" {
		return errors.New("say why with --reason: who was on the scale")
	}
	if f.remote.service == "" || f.remote.tokenFile == "" {
		return errors.New("name the service with --service, and the file that holds the token with --token-file: it has to be that of an account that may enter readings")
	}
	f.reason, f.author = f.remote.reason, "the account of the token"
	about, err := f.about(false)
	if err != nil {
		return err
	}
	request := rehoming{about.Patient, about.From.UTC(), about.To.UTC(), about.Device, about.ID, about.Batch, f.measure, about.Reason, f.into, f.as}
	var done struct {
		Readings []struct {
			Time                time.Time
			Measure, Device, ID string
		}
		Entered workspace.Entered
	}
	if err := f.remote.ask(cmd.Context(), http.MethodPost, "/api/v1/readings/rehome", request, &done); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	for _, r := range done.Readings {
		if _, err := fmt.Fprintf(out, "%s %s %s %s: %s → %s\n", r.Time.Format(time.RFC3339), harmless(r.Measure), harmless(r.Device), harmless(r.ID), harmless(f.patient), harmless(f.into)); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "--batch %q\n", done.Entered.Batch)
	return err
}
