package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// enrolling is what `vigie enrolment add` was asked.
type enrolling struct {
	registry.Enrolment
	from, until, consented string
}

func enrolmentAdd(open opener) *cobra.Command {
	var e edit
	var asked enrolling
	command := &cobra.Command{
		Use:   "add ENROLMENT --patient PATIENT --protocol PROTOCOL --team TEAM --physician RPPS --device DEVICE --until DAY --scope TEXT",
		Short: "Inclure un patient, ou le proposer à un médecin (enrol a patient, or propose it to a physician)",
		Long: `Inclut un patient sous un protocole, avec les contrôles d'un import. Le suivi commence à
l'instant, ou au jour de --from. --scope dit ce que couvre le consentement. Avec --proposed,
rien ne commence avant qu'un médecin valide : vigie enrolment validate.

Enrol a patient under a protocol, with the checks of an import. The patient is followed
from now on, or from the day of --from. --scope is what the consent covers. With --proposed
nothing begins before a physician validates it. --until is the last day, which is included.`,
		Example: `  vigie enrolment add e-0101 --patient p-0101 --protocol heart-failure --team cardio --physician 10001234565 \
    --device scale-0101 --until 2027-05-31 --scope "poids, tension" --author "Mme Hoarau"`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				asked.ID = args[0]
				return asked.enrolment(command, store)
			})
		},
	}
	e.flags(command)
	flags := command.Flags()
	flags.StringVar(&asked.Patient, "patient", "", "whom")
	flags.StringVar(&asked.Protocol, "protocol", "", "under which protocol: vigie protocols list")
	flags.StringVar(&asked.Version, "version", "", "of the protocol; the one that came last unless said")
	flags.StringVar(&asked.Team, "team", "", "the care team")
	flags.StringVar(&asked.Zone, "zone", "", "time zone where the patient lives; that of the team unless said")
	flags.StringVar(&asked.Physician, "physician", "", "RPPS of the physician who prescribes")
	flags.StringSliceVar(&asked.Devices, "device", nil, "a device; several are several times")
	flags.StringVar(&asked.from, "from", "", "the day, or the moment, from which the patient is followed; now unless said")
	flags.StringVar(&asked.until, "until", "", "the last day of the prescription, one year later at most")
	flags.StringVar(&asked.Consent.Scope, "scope", "", "what the consent covers")
	flags.StringVar(&asked.consented, "consented", "", "the day on which it was given; now unless said")
	flags.BoolVar(&asked.Proposed, "proposed", false, "a physician has yet to validate it")
	return command
}

// enrolment is the enrolment that was asked for.
func (asked *enrolling) enrolment(command *cobra.Command, store registryStore) (edited, error) {
	ctx, e := command.Context(), asked.Enrolment
	if _, err := store.Enrolment(ctx, e.ID); !errors.Is(err, registry.ErrNotFound) {
		return edited{}, errors.Join(err, fmt.Errorf("the enrolment %s is there already: see \"vigie enrolment list\"", e.ID))
	}
	if e.Consent.Scope == "" {
		return edited{}, errors.New("nobody is followed without consent: say with --scope what it covers")
	}
	e.Consent.Given = true
	team, err := store.Team(ctx, e.Team)
	if errors.Is(err, registry.ErrNotFound) {
		return edited{}, fmt.Errorf("no team is called %q: give --team", e.Team)
	}
	if err != nil {
		return edited{}, err
	}
	e.Zone, e.Version = cmp.Or(e.Zone, team.Zone), cmp.Or(e.Version, store.Latest(e.Protocol))
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return edited{}, fmt.Errorf("--zone: %w", err)
	}
	if e.From, err = instant("from", asked.from, zone); err != nil {
		return edited{}, err
	}
	if e.Consent.Date, err = instant("consented", asked.consented, zone); err != nil {
		return edited{}, err
	}
	e.Prescription, err = lastDay("until", asked.until, zone)
	return enrolment(e), err
}
