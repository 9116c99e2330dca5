package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/seeds"
)

// enrolmentCommand is `vigie enrolment`.
func enrolmentCommand(open opener) *cobra.Command {
	command := &cobra.Command{
		Use:   "enrolment",
		Short: "Inclusions : lister, ajouter, valider, renouveler, changer de version, suspendre, clore (list, add, validate, renew, migrate, pause, close)",
	}
	command.AddCommand(enrolmentList(), enrolmentAdd(open), enrolmentValidate(open), enrolmentRenew(open), enrolmentMigrate(open), enrolmentPause(open), enrolmentResume(open), enrolmentClose(open))
	return command
}

func enrolmentRenew(open opener) *cobra.Command {
	var e edit
	var until, as string
	command := &cobra.Command{
		Use:   "renew ENROLMENT --until DAY",
		Short: "Renouveler la prescription (renew the prescription)",
		Long: `Renouvelle une prescription : une autre inclusion commence où celle-ci finit, avec les
mêmes appareils, réglages et consentement. Le passé du patient reste ; une pause finit avec
la prescription sous laquelle elle a été décidée.

Renew a prescription: another enrolment begins where this one ends, with the same
devices, settings and consent. A pause ends with the prescription under which it was
decided. --until is the last day, which is included.`,
		Args: cobra.ExactArgs(1),
		RunE: e.enrolment(open, func(former *registry.Enrolment, zone *time.Location) (edited, error) {
			end, err := lastDay("until", until, zone)
			return enrolment(former.Renewed(cmp.Or(as, former.ID+"-"+former.Prescription.In(zone).Format(time.DateOnly)), end)), err
		}),
	}
	e.flags(command)
	command.Flags().StringVar(&until, "until", "", "the last day: 2027-06-30, one year later at most")
	command.Flags().StringVar(&as, "as", "", "the id of the new enrolment; the former one with the day on which it begins")
	return command
}

func enrolmentValidate(open opener) *cobra.Command {
	var e edit
	command := &cobra.Command{
		Use:   "validate ENROLMENT --author PHYSICIAN",
		Short: "Valider une inclusion proposée (validate a proposed enrolment)",
		Long: `Note qu'un médecin valide une inclusion proposée, avec ses réglages. Le suivi commence
alors, ou plus tard si l'inclusion le dit. --author est le médecin.

Note that a physician validates a proposed enrolment with its settings. The patient is
followed from then on, or later where the enrolment says so.`,
		Args: cobra.ExactArgs(1),
		RunE: e.enrolment(open, func(former *registry.Enrolment, _ *time.Location) (edited, error) {
			if !former.Proposed {
				return edited{}, fmt.Errorf("%s is not a proposal: nothing is to be validated", former.ID)
			}
			return enrolment(former.ValidatedBy(e.author, clock().UTC().Truncate(time.Second))), nil
		}),
	}
	e.flags(command)
	return command
}

func enrolmentMigrate(open opener) *cobra.Command {
	var e edit
	var to, all string
	command := &cobra.Command{
		Use:   "migrate ENROLMENT | --all PROTOCOL@VERSION --to VERSION",
		Short: "Passer à une autre version du protocole (move to another version of the protocol)",
		Long: `Suit le patient, dès maintenant, sous une autre version de son protocole. Avec --all, tous
ceux qui sont suivis sous une version passent ensemble, ou aucun. --dry-run dit d'abord
lesquels, et rejoue leurs trente derniers jours sous les deux versions : ce qui aurait
sonné, règle par règle.

Follow the patient, from now on, under another version of the protocol. With --all,
whoever is followed under a version moves at once, or nobody. --dry-run says first who, and
replays their last thirty days under both versions: what would have rung, rule by rule.`,
		Example: "  vigie enrolment migrate --all heart-failure@3 --dry-run",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if (len(args) == 1) == (all != "") {
				return errors.New("name one enrolment, or all of a version with --all heart-failure@3")
			}
			return e.run(command, open, func(store registryStore) (edited, error) {
				former := make([]registry.Enrolment, 1)
				if all != "" {
					var err error
					if former, err = underVersion(command.Context(), store, all, clock()); err != nil {
						return edited{}, err
					}
				} else {
					one, _, err := knownEnrolment(command, store, args[0])
					if err != nil {
						return edited{}, err
					}
					former[0] = *one
				}
				var moved edited
				for i := range former {
					moved.Enrolments = append(moved.Enrolments, former[i].Under(cmp.Or(to, store.Latest(former[i].Protocol))))
				}
				if !e.dryRun {
					return moved, nil
				}
				return moved, foresee(command, store, former, moved.Enrolments, clock())
			})
		},
	}
	e.flags(command)
	command.Flags().StringVar(&to, "to", "", "the version; the one that came last unless said")
	command.Flags().StringVar(&all, "all", "", "every enrolment that is not over under this version: heart-failure@3")
	return command
}

// foreseenDays is how far back a dry run replays.
const foreseenDays = 30

// foresees replays what is kept, see service.Tools.Foresee.
type foresees interface {
	Foresee(ctx context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error)
}

// foresee says, for each enrolment whose alerts would have been others, which rules would
// have rung how often in the last days, and then for all of them together.
func foresee(command *cobra.Command, store registryStore, former, next []registry.Enrolment, now time.Time) error {
	reader, can := store.(foresees)
	if !can {
		return nil
	}
	span := replay.Span{From: now.AddDate(0, 0, -foreseenDays), To: now}
	var before, after []replay.Alert
	table := tabwriter.NewWriter(command.OutOrStdout(), 0, 0, 2, ' ', 0)
	tell := func(who string, changes []replay.Change) {
		for _, c := range changes {
			if c.Before != c.After {
				fmt.Fprintf(table, "%s\t%s\t%s\t%d → %d\n", who, c.Rule, c.Level, c.Before, c.After)
			}
		}
	}
	fmt.Fprintf(table, "Alertes des %d derniers jours, rejouées (alerts of the last days, replayed)\n", foreseenDays)
	for i := range former {
		if next[i].Version == former[i].Version || store.Protocol(next[i].Protocol, next[i].Version) == nil {
			continue // the check that follows says so
		}
		found, err := reader.Foresee(command.Context(), []registry.Enrolment{former[i], next[i]}, span)
		if err != nil {
			return fmt.Errorf("replay the enrolment %s: %w", former[i].ID, err)
		}
		tell(former[i].ID, replay.Changes(found[0], found[1]))
		before, after = append(before, found[0]...), append(after, found[1]...)
	}
	tell("en tout (in all)", replay.Changes(before, after))
	fmt.Fprintf(table, "%d → %d alertes en tout (alerts in all)\n", len(before), len(after))
	return table.Flush()
}

func enrolmentPause(open opener) *cobra.Command {
	var e edit
	var from, until, reason string
	command := &cobra.Command{
		Use:   "pause ENROLMENT --until DAY --reason WHY",
		Short: "Ne rien attendre du patient pour un temps (expect nothing for a time)",
		Long: `N'attend aucune mesure du patient pour un temps : hôpital, vacances. Ce qu'il transmet
est suivi tout de même. Une pause a une fin, un auteur et un motif, et reste visible.

Expect no reading of the patient for a time: hospital, holidays. What he sends is
watched all the same. --until is the day on which readings are expected again.`,
		Args: cobra.ExactArgs(1),
		RunE: e.enrolment(open, func(former *registry.Enrolment, zone *time.Location) (edited, error) {
			if until == "" {
				return edited{}, fmt.Errorf("a pause has an end: give --until")
			}
			var err error
			pause := protocols.Pause{Author: e.author, Reason: reason}
			if pause.From, err = instant("from", from, zone); err != nil {
				return edited{}, err
			}
			pause.Until, err = instant("until", until, zone)
			return enrolment(former.Paused(pause), "pauses"), err
		}),
	}
	e.flags(command)
	command.Flags().StringVar(&from, "from", "", "the day, or the moment, from which nothing is expected; now unless said")
	command.Flags().StringVar(&until, "until", "", "the day, or the moment, from which readings are expected again")
	command.Flags().StringVar(&reason, "reason", "", "why: hospital, holidays")
	return command
}

func enrolmentResume(open opener) *cobra.Command {
	var e edit
	command := &cobra.Command{
		Use:   "resume ENROLMENT",
		Short: "Finir la pause en cours (end the pause that runs)",
		Args:  cobra.ExactArgs(1),
		RunE: e.enrolment(open, func(former *registry.Enrolment, zone *time.Location) (edited, error) {
			now, err := instant("", "", zone)
			if err != nil {
				return edited{}, err
			}
			next, runs := former.Resumed(now)
			if !runs {
				return edited{}, fmt.Errorf("no pause of %s runs now", former.ID)
			}
			return enrolment(next), nil
		}),
	}
	e.flags(command)
	return command
}

func enrolmentClose(open opener) *cobra.Command {
	var e edit
	var on string
	command := &cobra.Command{
		Use:   "close ENROLMENT",
		Short: "Finir le suivi, aujourd'hui ou à un jour dit (end the follow-up)",
		Long: `Finit le suivi : à l'instant, ou à la fin d'un dernier jour. Les alertes ouvertes
restent devant l'équipe.

End the follow-up: now, or with a last day, which is included. Alerts that are open
stay in front of the team.`,
		Args: cobra.ExactArgs(1),
		RunE: e.enrolment(open, func(former *registry.Enrolment, zone *time.Location) (edited, error) {
			if on == "" {
				return enrolment(former.Closed(clock().UTC().Truncate(time.Second)), "prescription_end"), nil
			}
			end, err := lastDay("on", on, zone)
			return enrolment(former.Closed(end), "prescription_end"), err
		}),
	}
	e.flags(command)
	command.Flags().StringVar(&on, "on", "", "the last day; now unless said")
	return command
}

// consentCommand is `vigie consent`.
func consentCommand(open opener) *cobra.Command {
	command := &cobra.Command{
		Use:   "consent",
		Short: "Consentement : le noter, noter son retrait (the patient's consent)",
	}
	command.AddCommand(consentGive(open), consentWithdraw(open), consentPurpose(open), consentTeamOnly(open), consentNotice())
	return command
}

func consentGive(open opener) *cobra.Command {
	var e edit
	var on, scope, history, proof string
	var said registry.Consent
	command := &cobra.Command{
		Use:   "give ENROLMENT --scope MEASURES",
		Short: "Noter le consentement donné (note a consent that was given)",
		Args:  cobra.ExactArgs(1),
		RunE: consentChange(&e, &on, open, func(former *registry.Enrolment, at time.Time) (edited, error) {
			given := former.Consenting(at, cmp.Or(scope, former.Consent.Scope))
			given.Consent.Notice, given.Consent.How, given.Consent.By = said.Notice, said.How, said.By
			var err error
			if given.Consent.Proof, err = proofOf(proof); err != nil {
				return edited{}, err
			}
			if was := former.Consent; on == "" && was.At(at) { // it stands, and says more
				c := &given.Consent
				c.Date, c.Notice, c.How = was.Date, cmp.Or(c.Notice, was.Notice), cmp.Or(c.How, was.How)
				c.By, c.Proof = cmp.Or(c.By, was.By), cmp.Or(c.Proof, was.Proof)
			}
			if history == "" {
				given.Consent.History = former.Consent.History
				return enrolment(given), nil
			}
			zone, err := time.LoadLocation(former.Zone)
			if err != nil {
				return edited{}, err
			}
			from, err := instant("history", history, zone)
			return enrolment(given.Remembering(from)), err
		}),
	}
	e.flags(command)
	command.Flags().StringVar(&on, "on", "", "the day, or the moment, from which it holds; now unless said")
	command.Flags().StringVar(&history, "history", "", "the day from which on readings of before the enrolment may be entered")
	command.Flags().StringVar(&scope, "scope", "", "what it covers; as before unless said")
	noticeFlags(command, &said.Notice, &said.How, &said.By, &proof)
	return command
}

// noticeFlags say how a consent was taken.
func noticeFlags(command *cobra.Command, notice, how, by, proof *string) {
	command.Flags().StringVar(notice, "notice", "", "version of the information notice that the patient was given")
	command.Flags().StringVar(how, "how", "", "how it was said: written, oral or electronic")
	command.Flags().StringVar(by, "by", "", "who took it")
	command.Flags().StringVar(proof, "proof", "", "file of what was signed; its SHA-256 is kept, not the file")
}

// proofOf is the digest of what was signed; empty without a file.
func proofOf(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	signed, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--proof: %w", err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(signed)), nil
}

func consentNotice() *cobra.Command {
	var easy bool
	command := &cobra.Command{
		Use:   "notice",
		Short: "Écrire la note d'information à adapter, en français ou en français facile (the information notice)",
		Long: `Écrit la note d'information du patient, sous ses six titres. C'est un texte à adapter :
les passages entre crochets sont à compléter. Une note changée porte une autre version.

Writes the information notice for patients, in French, under its six headings. It is a
text to adapt: what stands in brackets is to be filled in. A notice that is changed gets
another version.`,
		Example: "  vigie consent notice --easy > note-facile.md",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(command.OutOrStdout(), seeds.Notice(easy))
			return err
		},
	}
	command.Flags().BoolVar(&easy, "easy", false, "in easy French")
	return command
}

func consentPurpose(open opener) *cobra.Command {
	var e edit
	var on, proof string
	var said registry.Purpose
	var refuse bool
	command := &cobra.Command{
		Use:   "purpose ENROLMENT research|sharing",
		Short: "Noter l'accord pour la recherche ou le partage, ou son retrait (research or sharing)",
		Long: `Note que le patient accepte la recherche, ou le partage, à part du suivi. Avec --refuse
il le refuse, ou retire son accord : cela vaut aussitôt, et le suivi continue.

Note that the patient agrees to research, or to sharing, apart from the monitoring. With
--refuse the patient refuses it, or withdraws: that holds at once, and the monitoring goes on.`,
		Example: "  vigie consent purpose e-0001 research --with 'étude OSICAT' --author 'Dr Payet'",
		Args:    cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return consentChange(&e, &on, open, func(former *registry.Enrolment, at time.Time) (edited, error) {
				said.Given = !refuse
				var err error
				if said.Proof, err = proofOf(proof); err != nil {
					return edited{}, err
				}
				next, known := former.Allowing(args[1], said, at)
				if !known {
					return edited{}, fmt.Errorf("%q is no purpose: give %s", args[1], strings.Join(registry.Purposes, " or "))
				}
				return enrolment(next), nil
			})(command, args[:1])
		},
	}
	e.flags(command)
	command.Flags().StringVar(&on, "on", "", "the day, or the moment, from which it holds; now unless said")
	command.Flags().StringVar(&said.With, "with", "", "with whom, or for which study")
	noticeFlags(command, &said.Notice, &said.How, &said.By, &proof)
	command.Flags().BoolVar(&refuse, "refuse", false, "the patient refuses it, or withdraws it")
	return command
}

func consentWithdraw(open opener) *cobra.Command {
	var e edit
	var on string
	command := &cobra.Command{
		Use:   "withdraw ENROLMENT",
		Short: "Noter le retrait, qui vaut aussitôt (note a withdrawal, at once)",
		Args:  cobra.ExactArgs(1),
		RunE: consentChange(&e, &on, open, func(former *registry.Enrolment, at time.Time) (edited, error) {
			return enrolment(former.Withdrawn(at), "consent", "prescription_end"), nil
		}),
	}
	e.flags(command)
	command.Flags().StringVar(&on, "on", "", "the day, or the moment, from which it is withdrawn; now unless said")
	return command
}

func consentTeamOnly(open opener) *cobra.Command {
	var e edit
	var lift bool
	command := &cobra.Command{
		Use:   "team-only ENROLMENT",
		Short: "Le patient refuse qu'une autre équipe ouvre son dossier (no other team may open the record)",
		Long: `Note que le patient refuse qu'un professionnel d'une autre équipe ouvre son dossier,
même avec un motif. Les accès ouverts ainsi se ferment aussitôt. --lift le permet de nouveau.

Note that the patient lets nobody of another team open the record, whatever the reason.
What was opened so closes at once. With --lift they may again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				former, _, err := knownEnrolment(command, store, args[0])
				if err != nil {
					return edited{}, err
				}
				return enrolment(former.ForTeam(!lift)), nil
			})
		},
	}
	e.flags(command)
	command.Flags().BoolVar(&lift, "lift", false, "the patient lets them again")
	return command
}

// consentChange runs a change of a consent at a moment.
func consentChange(e *edit, on *string, open opener, change func(*registry.Enrolment, time.Time) (edited, error)) func(*cobra.Command, []string) error {
	return e.enrolment(open, func(former *registry.Enrolment, zone *time.Location) (edited, error) {
		at, err := instant("on", *on, zone)
		if err != nil {
			return edited{}, err
		}
		return change(former, at)
	})
}
