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
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/trail"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
)

// auditCommand is `vigie audit`.
func auditCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "audit",
		Short: "Traces : qui a vu ou fait quoi, pour qui, quand (who saw or did what, whose, when)",
	}
	command.AddCommand(auditSearchCommand(), auditVerifyCommand(), auditExportCommand())
	return command
}

// auditFlags narrow what is searched or exported.
type auditFlags struct{ patient, account, from, to, zone string }

func (f *auditFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.patient, "patient", "", "pseudonymous id of the patient")
	flags.StringVar(&f.account, "account", "", "login of an account")
	flags.StringVar(&f.from, "from", "", "beginning: a day or an instant")
	flags.StringVar(&f.to, "to", "", "end: a day (included) or an instant")
	flags.StringVar(&f.zone, "time-zone", "Europe/Paris", "zone of days and times written without one, and of those that are shown")
}

// rows finds what the flags ask for, newest first.
func (f *auditFlags) rows(ctx context.Context, tools *service.Tools, limit int) ([]trail.Row, *time.Location, error) {
	zone, err := time.LoadLocation(f.zone)
	if err != nil {
		return nil, nil, fmt.Errorf("--time-zone: %w", err)
	}
	span, err := spanOf(f.from, f.to, f.zone)
	if err != nil {
		return nil, nil, err
	}
	filter := trail.Filter{Patient: f.patient, From: span.From, To: span.To, Limit: limit}
	if f.account != "" {
		accounts, err := tools.Accounts()
		if err != nil {
			return nil, nil, err
		}
		account, err := accounts.Store.AccountByLogin(ctx, strings.ToLower(f.account))
		if err != nil {
			return nil, nil, fmt.Errorf("--account %s: %w", f.account, err)
		}
		filter.Account = account.ID
	}
	store, _ := tools.Traces()
	rows, err := store.Find(ctx, filter)
	return rows, zone, err
}

func auditSearchCommand() *cobra.Command {
	var flags auditFlags
	var limit int
	command := &cobra.Command{
		Use: "search", Short: "Chercher dans les traces, les plus récentes d'abord (search, newest first)", Args: cobra.NoArgs,
		Example: "  vigie audit search --patient p-0012 --from 2026-11-01",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTools(cmd, func(tools *service.Tools) error {
				rows, zone, err := flags.rows(cmd.Context(), tools, limit)
				if err != nil {
					return err
				}
				return writeEntries(cmd.OutOrStdout(), rows, zone)
			})
		},
	}
	flags.register(command)
	command.Flags().IntVar(&limit, "limit", 100, "at most so many entries; all when 0")
	return command
}

// withTools opens the store for a command.
func withTools(cmd *cobra.Command, work func(*service.Tools) error) (err error) {
	tools, err := openTools(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return work(tools)
}

// mostNamed is how many patients of an entry a line names.
const mostNamed = 5

func writeEntries(out io.Writer, rows []trail.Row, zone *time.Location) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range rows {
		e, err := rows[i].Entry()
		if err != nil {
			return err
		}
		if e.Kind != trail.Read && e.Kind != trail.Act {
			continue
		}
		roles := make([]string, len(e.Roles))
		for i, role := range e.Roles {
			roles[i] = string(role)
		}
		whom := strings.Join(e.Patients[:min(len(e.Patients), mostNamed)], " ")
		if more := len(e.Patients) - mostNamed; more > 0 {
			whom += fmt.Sprintf(" +%d", more)
		}
		if e.Everyone {
			whom = "*"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.At.In(zone).Format("2006-01-02 15:04:05"), harmless(e.Name), strings.Join(roles, ","), e.Deed, harmless(e.About), harmless(whom), harmless(e.From), harmless(e.Reason))
	}
	return table.Flush()
}

func auditExportCommand() *cobra.Command {
	var flags auditFlags
	command := &cobra.Command{
		Use: "export", Short: "Écrire les traces en JSON, une par ligne (write the trail as JSON, one entry a line)", Args: cobra.NoArgs,
		Long: `Écrit les traces en JSON, une entrée par ligne, chaque chaîne dans l'ordre. Sans filtre,
le fichier se vérifie ailleurs, sans la base : vigie audit verify --file traces.jsonl.

Writes the trail as JSON, one entry a line, each chain in order. Without a filter the
file can be verified elsewhere: vigie audit verify --file trail.jsonl.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTools(cmd, func(tools *service.Tools) error {
				out := json.NewEncoder(cmd.OutOrStdout())
				if flags.patient+flags.account+flags.from+flags.to != "" {
					rows, _, err := flags.rows(cmd.Context(), tools, 0)
					for i := len(rows) - 1; i >= 0 && err == nil; i-- {
						err = out.Encode(rows[i])
					}
					return err
				}
				store, _ := tools.Traces()
				return exportTrail(cmd.Context(), store, out)
			})
		},
	}
	flags.register(command)
	return command
}

func exportTrail(ctx context.Context, store trail.Source, out *json.Encoder) error {
	heads, err := store.Heads(ctx)
	if err != nil {
		return err
	}
	for _, head := range heads {
		for after := int64(0); after < head.Seq; {
			rows, err := store.Rows(ctx, head.Chain, after, 1000)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			for i := range rows {
				if err := out.Encode(rows[i]); err != nil {
					return err
				}
			}
			after = rows[len(rows)-1].Seq
		}
	}
	return nil
}

func auditVerifyCommand() *cobra.Command {
	var seen []string
	var file, format string
	command := &cobra.Command{
		Use: "verify", Short: "Vérifier qu'aucune trace ne manque ni n'a changé (verify that nothing is missing or changed)", Args: cobra.NoArgs,
		Long: `Suit chaque chaîne depuis sa première entrée. Un trou, un changement ou une fin coupée
donne le statut 1. La dernière ligne de chaque chaîne se garde ailleurs ; --head la compare.

Follows each chain from its first entry. A gap, a change or a cut tail gives status 1.
Keep the head that is printed for each chain elsewhere; --head compares with it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := tongue(cmd.Flag("language").Value.String())
			if err := in.check(); err != nil {
				return err
			}
			heads := make([]trail.Head, len(seen))
			for i, text := range seen {
				var err error
				if heads[i], err = trail.ParseHead(text); err != nil {
					return err
				}
			}
			if file != "" {
				return verifyFile(cmd, in, file, format, heads)
			}
			return withTools(cmd, func(tools *service.Tools) error {
				store, mark := tools.Traces()
				head, known, err := mark.Load()
				if err != nil {
					return fmt.Errorf("read the mark of the trail: %w", err)
				}
				if known {
					heads = append(heads, head)
				}
				return verifyTrail(cmd, in, store, format, heads)
			})
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&seen, "head", nil, "head that was printed before, as CHAIN:NUMBER:HASH; may be repeated")
	flags.StringVar(&file, "file", "", "verify an export in place of the store")
	flags.StringVar(&format, "format", "text", "text or json")
	return speaking(command)
}

func verifyTrail(cmd *cobra.Command, in tongue, source trail.Source, format string, seen []trail.Head) error {
	report, err := trail.Verify(cmd.Context(), source, seen...)
	if err != nil {
		return err
	}
	if format == "json" {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	} else {
		err = writeVerdict(cmd.OutOrStdout(), in, &report)
	}
	if err == nil && len(report.Faults) > 0 {
		return exitStatus(1)
	}
	return err
}

var (
	chainText    = protocols.Text{FR: "%s : %d [entrée|entrées] de %s, du %s au %s", EN: "%s: %d [entry|entries] of %s, from %s to %s"}
	wholeText    = protocols.Text{FR: "Les traces sont entières.", EN: "The trail is whole."}
	notWholeText = protocols.Text{FR: "Les traces ne sont pas entières.", EN: "The trail is not whole."}
)

func writeVerdict(out io.Writer, in tongue, report *trail.Report) error {
	var b strings.Builder
	for _, c := range report.Chains {
		fmt.Fprintln(&b, in.say(chainText, c.Chain, c.Entries, c.Node, c.From.Format(time.DateOnly), c.To.Format(time.DateOnly)))
		fmt.Fprintf(&b, "  --head %s\n", c.Head)
	}
	for _, list := range [][]trail.Fault{report.Notes, report.Faults} {
		for _, f := range list {
			fmt.Fprintf(&b, "%s %s: %s\n", f.Kind, f.Chain, in.say(f.Text))
		}
	}
	verdict := wholeText
	if len(report.Faults) > 0 {
		verdict = notWholeText
	}
	fmt.Fprintln(&b, in.say(verdict))
	_, err := io.WriteString(out, b.String())
	return err
}

// exported is an export as a trail.Source.
type exported map[string][]trail.Row

func (e exported) Heads(context.Context) (heads []trail.Row, err error) {
	for _, rows := range e {
		heads = append(heads, rows[len(rows)-1])
	}
	return heads, nil
}

func (e exported) Rows(_ context.Context, chain string, after int64, limit int) (rows []trail.Row, err error) {
	for _, row := range e[chain] {
		if row.Seq > after && len(rows) < limit {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func verifyFile(cmd *cobra.Command, in tongue, name, format string, seen []trail.Head) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	chains := exported{}
	for decoder := json.NewDecoder(bufio.NewReader(file)); ; {
		var row trail.Row
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s is no export of a trail: %w", name, err)
		}
		chains[row.Chain] = append(chains[row.Chain], row)
	}
	return verifyTrail(cmd, in, chains, format, seen)
}
