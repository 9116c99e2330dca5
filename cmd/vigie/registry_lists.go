package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace/roll"
	"vigie/cmd/vigie/service"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// listed is how many items of the registry are read at once.
const listedAtOnce = 1000

// allOf reads a list in parts.
func allOf[T any](ctx context.Context, read func(context.Context, string, int) ([]T, error), id func(*T) string) (all []T, err error) {
	for after := ""; ; after = id(&all[len(all)-1]) {
		part, err := read(ctx, after, listedAtOnce)
		if all = append(all, part...); err != nil || len(part) < listedAtOnce {
			return all, err
		}
	}
}

func allEnrolments(ctx context.Context, store registry.Store) ([]registry.Enrolment, error) {
	return allOf(ctx, store.Enrolments, func(e *registry.Enrolment) string { return e.ID })
}

func patientList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [WORDS]",
		Short: "Chercher des patients, ou les lister (find patients, or list them)",
		Long: `Cherche des patients par nom sans accents, référence, date de naissance, appareil ou
numéro de série ; les liste tous sans mot. La consultation est tracée.

Find patients by name without accents, id, birth date, device or serial number; list all
of them without a word. The look is traced.`,
		Example: "  vigie patient list durand 04/07/1977",
		RunE: func(cmd *cobra.Command, words []string) error {
			return withTools(cmd, func(tools *service.Tools) error { return listPatients(cmd, tools, strings.Join(words, " ")) })
		},
	}
}

func listPatients(cmd *cobra.Command, tools *service.Tools, typed string) error {
	everybody := func(*registry.Face) bool { return true }
	people, most := roll.Of(tools), 1<<30
	found, _, err := people.Find(cmd.Context(), typed, "", most, everybody)
	if typed == "" {
		found, _, err = people.List(cmd.Context(), "", most, everybody)
	}
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for i := range found {
		f := &found[i]
		var followed []string
		for _, of := range f.Followed {
			if of.Until.IsZero() || clock().Before(of.Until) {
				followed = append(followed, of.Protocol+"@"+of.Version+" ("+of.Team+")")
			}
		}
		fmt.Fprintf(table, "%s\t%s %s\t%s\t%s\t%s\n", f.Patient, harmless(f.BirthName), harmless(f.FirstGiven), f.Sex, f.BirthDate, strings.Join(followed, ", "))
	}
	return table.Flush()
}

func patientAdd(open opener) *cobra.Command {
	var e edit
	var p registry.Patient
	command := &cobra.Command{
		Use:   "add PATIENT --birth-name … --given-names … --sex F --birth-date DAY --birth-place INSEE",
		Short: "Ajouter un patient (add a patient)",
		Long: `Ajoute un patient, avec les contrôles d'un import. PATIENT est sa référence, sans rien
qui le nomme.

Add a patient, with the checks of an import. PATIENT is a reference, which names nobody.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.run(cmd, open, func(store registryStore) (edited, error) {
				p.ID = args[0]
				if known, err := store.HasPatient(cmd.Context(), p.ID); err != nil || known {
					return edited{}, errors.Join(err, fmt.Errorf("the patient %s is there already: see \"vigie patient show %s\"", p.ID, p.ID))
				}
				if p.Identity.INS == "" {
					p.Identity.OID = ""
				}
				p.Identity.FirstGiven = cmp.Or(p.Identity.FirstGiven, firstWord(p.Identity.GivenNames))
				return edited{Registry: registry.Registry{Patients: []registry.Patient{p}}}, nil
			})
		},
	}
	e.flags(command)
	traitFlags(command, &p.Identity, registry.OIDNIR)
	return command
}

func deviceAdd(open opener) *cobra.Command {
	var e edit
	var d registry.Device
	command := &cobra.Command{
		Use:   "add DEVICE --serial NUMBER --kind KIND --passwords FILE",
		Short: "Ajouter un appareil (add a device)",
		Long: `Ajoute un appareil. Il reçoit un mot de passe tiré au hasard, écrit une seule fois dans
le fichier de --passwords.

Add a device. It gets a password at random, written once to the file of --passwords.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.run(cmd, open, func(store registryStore) (edited, error) {
				d.Name = args[0]
				_, err := store.Device(cmd.Context(), d.Name)
				if err == nil {
					return edited{}, fmt.Errorf("the device %s is there already: see \"vigie device list\"", d.Name)
				}
				if !errors.Is(err, registry.ErrNotFound) {
					return edited{}, err
				}
				return edited{Registry: registry.Registry{Devices: []registry.Device{d}}}, nil
			})
		},
	}
	e.flags(command)
	flags := command.Flags()
	flags.StringVar(&e.passwords, "passwords", "", "new file for the password, as device,password")
	flags.StringVar(&d.Serial, "serial", "", "serial number")
	flags.StringVar(&d.Kind, "kind", "", "kind, see \"vigie measures\"")
	flags.StringVar(&d.Brand, "brand", "", "brand")
	flags.StringVar(&d.Model, "model", "", "model")
	return command
}

func deviceList() *cobra.Command {
	var silent int
	command := &cobra.Command{
		Use:   "list",
		Short: "Les appareils, ou ceux qui se taisent (the devices, or those that are silent)",
		Long: `Liste les appareils et leurs patients. Avec --silent 3, ceux d'un suivi en cours dont
rien n'a été mesuré depuis trois jours.

List the devices and their patients. With --silent 3, those of enrolments that run from
which nothing was measured for three days.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if silent < 0 || silent > 366 {
				return fmt.Errorf("--silent %d: give a number of days, 366 at most", silent)
			}
			return withTools(cmd, func(tools *service.Tools) error { return listDevices(cmd, tools, silent, clock()) })
		},
	}
	command.Flags().IntVar(&silent, "silent", 0, "only those from which nothing was measured for so many days")
	return command
}

func listDevices(cmd *cobra.Command, tools *service.Tools, silent int, now time.Time) error {
	ctx := cmd.Context()
	devices, err := allOf(ctx, tools.Devices, func(d *registry.Device) string { return d.Name })
	if err != nil {
		return err
	}
	enrolments, err := allEnrolments(ctx, tools)
	if err != nil {
		return err
	}
	whose := map[string][]string{}
	for i := range enrolments {
		e := &enrolments[i]
		for _, name := range e.Devices {
			if e.Covers(now) && e.Consent.At(now) && !slices.Contains(whose[name], e.Patient) {
				whose[name] = append(whose[name], e.Patient)
			}
		}
	}
	heard, err := measuredSince(ctx, tools, whose, now.AddDate(0, 0, -silent), now, silent > 0)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for i := range devices {
		d := &devices[i]
		if silent > 0 && (len(whose[d.Name]) == 0 || heard[d.Name]) {
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.Name, d.Kind, harmless(d.Brand+" "+d.Model), harmless(d.Serial), strings.Join(whose[d.Name], ", "))
	}
	return table.Flush()
}

// measuredSince are the devices that have measured something in [from, to).
func measuredSince(ctx context.Context, tools *service.Tools, whose map[string][]string, from, to time.Time, asked bool) (map[string]bool, error) {
	heard, read := map[string]bool{}, map[string]bool{}
	if !asked {
		return heard, nil
	}
	for _, patients := range whose {
		for _, patient := range patients {
			if read[patient] {
				continue
			}
			read[patient] = true
			err := tools.History(ctx, patient, nil, from, to, func(r *protocols.Reading) bool { heard[r.Device] = true; return true })
			if err != nil {
				return nil, err
			}
		}
	}
	return heard, nil
}

func enrolmentList() *cobra.Command {
	var ending int
	var protocol, team, state string
	command := &cobra.Command{
		Use:   "list",
		Short: "Les inclusions en cours, la plus proche de sa fin d'abord (running enrolments, soonest end first)",
		Long: `Liste les inclusions en cours et à venir. Avec --ending 30, celles dont la prescription
finit dans les trente jours et que rien ne renouvelle.

List the enrolments that run or are to come. With --ending 30, those whose prescription
ends within thirty days and that nothing renews.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTools(cmd, func(tools *service.Tools) error {
				all, err := allEnrolments(cmd.Context(), tools)
				if err != nil {
					return err
				}
				return listEnrolments(cmd, all, protocol, team, registry.State(state), ending, clock())
			})
		},
	}
	flags := command.Flags()
	flags.IntVar(&ending, "ending", 0, "only those that end within so many days and are not renewed")
	flags.StringVar(&protocol, "protocol", "", "only under this one: heart-failure, or heart-failure@3")
	flags.StringVar(&team, "team", "", "only of this care team")
	flags.StringVar(&state, "state", "", "only those that are proposed, validated, active, suspended or ended")
	return command
}

func listEnrolments(cmd *cobra.Command, all []registry.Enrolment, protocol, team string, state registry.State, ending int, now time.Time) error {
	if state != "" && !slices.Contains(registry.States(), state) {
		return fmt.Errorf("--state %s: give one of %v", state, registry.States())
	}
	id, version, _ := strings.Cut(protocol, "@")
	slices.SortStableFunc(all, func(a, b registry.Enrolment) int { return a.Ends().Compare(b.Ends()) })
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for i := range all {
		e := &all[i]
		stands := e.StateAt(now)
		over := stands == registry.Ended && state != registry.Ended || state != "" && stands != state
		other := id != "" && e.Protocol != id || version != "" && e.Version != version || team != "" && e.Team != team
		if over || other || ending > 0 && (e.Ends().After(now.AddDate(0, 0, ending)) || e.RenewedAmong(all)) {
			continue
		}
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			return fmt.Errorf("the time zone of enrolment %s: %w", e.ID, err)
		}
		fmt.Fprintf(table, "%s\t%s\t%s@%s\t%s\t%s\t%s\n", e.ID, e.Patient, e.Protocol, e.Version, e.Team, registry.LastDay(e.Ends(), zone).Format(time.DateOnly), stands)
	}
	return table.Flush()
}

// underVersion lists the enrolments that are not over under a version of a protocol, as
// "heart-failure@3".
func underVersion(ctx context.Context, store registryStore, named string, now time.Time) (list []registry.Enrolment, err error) {
	id, version, whole := strings.Cut(named, "@")
	if !whole {
		return nil, fmt.Errorf("--all %s: name the version, as heart-failure@3", named)
	}
	list, err = registry.Under(ctx, store, id, version, now)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("nobody is followed under %s: see \"vigie enrolment list --protocol %s\"", named, id)
	}
	return list, err
}
