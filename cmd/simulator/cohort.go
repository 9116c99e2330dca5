package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
	"vigie/seeds"
	"vigie/seeds/devices"
)

func cohortCommand() *cobra.Command {
	var start string
	command := &cobra.Command{
		Use:   "cohort",
		Short: "Écrit le registre de la cohorte de démonstration (print the demonstration cohort's registry)",
		Long: `Écrit le registre de la cohorte de démonstration en YAML, pour un service qui n'est
pas la démonstration : à importer avec « vigie registry import », avant de faire
vivre ses appareils avec « simulator fleet ».

Print the registry of the demonstration cohort as YAML, for a service that is not
the demonstration: import it with "vigie registry import", then let its devices
live with "simulator fleet".`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			at, err := parseStart(start)
			if err != nil {
				return err
			}
			reg, err := seeds.Cohort(at)
			if err != nil {
				return err
			}
			return registry.Write(command.OutOrStdout(), &reg)
		},
	}
	command.Flags().StringVar(&start, "start", "", "when the demonstration begins, RFC 3339; now when empty")
	return command
}

func parseStart(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--start %q is no time: write it as 2026-11-21T08:00:00+01:00", text)
	}
	return at, nil
}

// fleet is what `simulator fleet` was asked.
type fleet struct {
	target
	passwords string
	start     string
	speed     float64
	history   time.Duration
	duration  time.Duration
	seed      uint64
}

func fleetCommand() *cobra.Command {
	var f fleet
	command := &cobra.Command{
		Use:   "fleet --passwords FILE",
		Short: "Fait vivre la cohorte de démonstration (let the demonstration cohort live)",
		Long: `Connecte les appareils de la cohorte de démonstration, transmet ce qu'ils ont mesuré
avant le début, et les laisse vivre sur une horloge accélérée.

Connect the devices of the demonstration cohort, upload what they have measured
before the start, and let them live on at an accelerated clock. The summary is
one JSON object.

A service whose clock is not accelerated sets aside what is measured in its
future: give a --start in the past, or --speed 1.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return f.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	flags := command.Flags()
	f.flags(flags)
	flags.StringVar(&f.passwords, "passwords", "", "file written by vigie registry import --passwords")
	flags.StringVar(&f.start, "start", "", "when it begins, RFC 3339; now when empty")
	flags.Float64Var(&f.speed, "speed", 600, "times as fast as real time")
	flags.DurationVar(&f.history, "history", 28*24*time.Hour, "how far back the devices have measured")
	flags.DurationVar(&f.duration, "duration", 0, "how long to live, in real time; until interrupted when 0")
	flags.Uint64Var(&f.seed, "seed", 1, "another seed, other readings")
	if err := command.MarkFlagRequired("passwords"); err != nil {
		panic("simulator: fleet has no flag passwords")
	}
	return command
}

func (f *fleet) run(ctx context.Context, stdout, stderr io.Writer) error {
	start, err := parseStart(f.start)
	if err != nil {
		return err
	}
	cohort, err := seeds.Cohort(start)
	if err != nil {
		return err
	}
	lives, err := seeds.Lives()
	if err != nil {
		return err
	}
	_, passwords, err := readPasswords(f.passwords)
	if err != nil {
		return err
	}
	clock := devices.NewAccelerated(start, f.speed)
	made, err := devices.NewFleet(devices.Plan{
		Registry: cohort, Passwords: passwords, Scenarios: lives, Broker: f.broker, Prefix: f.prefix, Clock: clock, History: f.history, Seed: f.seed,
		Trouble: func(device string, err error) { fmt.Fprintf(stderr, "%s: %v\n", device, err) },
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-made.Uploaded():
			fmt.Fprintf(stderr, "%d devices have uploaded %d readings; time runs\n", made.Devices(), made.Counts().Acknowledged)
			clock.Start()
			if f.duration > 0 {
				time.AfterFunc(f.duration, stop)
			}
		case <-ctx.Done():
		}
	}()
	if err := made.Run(ctx); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(made.Counts())
}

// crowd is what `simulator crowd` was asked.
type crowd struct {
	devices      int
	measure      string
	password     string
	passwordFile string
	start        string
}

func crowdCommand() *cobra.Command {
	var c crowd
	command := &cobra.Command{
		Use:   "crowd --devices N",
		Short: "Écrit le registre d'une foule, pour la charge (print the registry of a crowd, for load)",
		Long: `Écrit, en CSV, le registre d'une foule de patients qui n'existent pas, avec un
appareil chacun, pour mettre un service en charge avec « simulator load ».

Print, as CSV, the registry of a crowd of patients who do not exist, with a device
each, for a service that is to be put under load: import it with "vigie registry
import", then run "simulator load" with the same number of devices and password.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.OutOrStdout()) },
	}
	flags := command.Flags()
	flags.IntVar(&c.devices, "devices", 100, "how many")
	flags.StringVar(&c.measure, "measure", "blood-pressure", "what they measure: blood-pressure, weight, heart-rate, oxygen-saturation or glucose")
	flags.StringVar(&c.password, "password", "", "password of all devices, 16 characters at least")
	flags.StringVar(&c.passwordFile, "password-file", "", "file that holds it")
	flags.StringVar(&c.start, "start", "", "when the load begins, RFC 3339; now when empty")
	return command
}

func (c *crowd) run(stdout io.Writer) error {
	password, err := readPassword(c.password, c.passwordFile)
	if err != nil {
		return err
	}
	if len(password) < 16 {
		return errors.New("the password of a crowd has 16 characters at least: give --password or --password-file")
	}
	start, err := parseStart(c.start)
	if err != nil {
		return err
	}
	reg, err := seeds.Crowd(c.devices, start, c.measure, password)
	if err != nil {
		return err
	}
	return writeCrowd(stdout, &reg)
}

// writeCrowd writes a crowd as one table, which may be as long as it has to.
func writeCrowd(stdout io.Writer, reg *registry.Registry) error {
	out := bufio.NewWriter(stdout)
	row := func(cells ...string) { fmt.Fprintln(out, strings.Join(cells, ",")) } // the writer keeps the error
	row("record", "id", "name", "time_zone", "opens", "closes", "days",
		"identity.ins", "identity.oid", "identity.birth_name", "identity.given_names", "identity.first_given_name", "identity.sex", "identity.birth_date", "identity.birth_place",
		"serial", "kind", "brand", "model", "secret",
		"patient", "protocol", "version", "team", "physician", "devices", "consent.given", "consent.date", "consent.scope", "from", "prescription_end")
	blank := func(n int) string { return strings.Repeat(",", n-1) }
	for _, t := range reg.Teams {
		row("teams", t.ID, t.Name, t.Zone, t.Opens, t.Closes, strings.Join(t.Days, " "), blank(24))
	}
	for _, p := range reg.Patients {
		i := p.Identity
		row("patients", p.ID, blank(5), i.INS, i.OID, i.BirthName, i.GivenNames, i.FirstGiven, i.Sex, i.BirthDate, i.BirthPlace, blank(16))
	}
	for _, d := range reg.Devices {
		row("devices", "", d.Name, blank(12), d.Serial, d.Kind, d.Brand, d.Model, d.Secret, blank(11))
	}
	for _, e := range reg.Enrolments {
		row("enrolments", e.ID, "", e.Zone, blank(16), e.Patient, e.Protocol, e.Version, e.Team, e.Physician, strings.Join(e.Devices, " "),
			"true", e.Consent.Date.Format(time.RFC3339), e.Consent.Scope, e.From.Format(time.RFC3339), e.Prescription.Format(time.RFC3339))
	}
	return out.Flush()
}

// readCredentials returns what the devices of a load connect with: those of a
// file, or so many of a crowd with one password.
func readCredentials(file string, n int, password string) (names []string, passwords map[string]string, err error) {
	if file != "" {
		names, passwords, err = readPasswords(file)
		if err == nil && n > 0 && n < len(names) {
			names = names[:n]
		}
		return names, passwords, err
	}
	passwords = make(map[string]string, n)
	for i := range n {
		name := seeds.CrowdDevice(i)
		names = append(names, name)
		passwords[name] = password
	}
	return names, passwords, nil
}

// create makes a new file, or nothing for an empty name.
func create(name string) (*os.File, error) {
	if name == "" {
		return nil, nil
	}
	return os.Create(name)
}
