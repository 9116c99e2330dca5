package main

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/words"
)

// protocolsShowCommand is `vigie protocols show`. open opens the store that the
// command line names; it is called only when a patient is named.
func protocolsShowCommand(open openPast) *cobra.Command {
	var form sheetForm
	var patient string
	var settings []string
	command := &cobra.Command{
		Use:   "show FILE",
		Short: "Écrire un protocole comme un clinicien le lit, à imprimer et signer (write a protocol as a clinician reads it)",
		Example: `  vigie protocols show heart-failure
  vigie protocols show heart-failure --patient p-0012 --format html > p-0012.html
  vigie protocols show diabetes --settings severe-count=2 --language en`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readProtocol(args[0])
			if err != nil {
				return err
			}
			p, own, err := followed(cmd, open, patient, args[0], p)
			if err != nil {
				return err
			}
			over, err := readSettings(settings, p)
			if err != nil {
				return err
			}
			return form.write(cmd.OutOrStdout(), words.Show(p, own.With(over), form.language), true)
		},
	}
	form.flags(command)
	command.Flags().StringVar(&patient, "patient", "", "with the settings of this patient of the store (pseudonymous id)")
	command.Flags().StringArrayVar(&settings, "settings", nil, "with these settings: name=value, or a file; may be repeated")
	return command
}

// followed reads the settings that a patient has under p, which was asked for by
// name; none when no patient is named. With an id for a name, it is the version
// that the patient is followed under.
func followed(cmd *cobra.Command, open openPast, patient, name string, p *protocols.Protocol) (_ *protocols.Protocol, own protocols.Settings, err error) {
	if patient == "" {
		return p, nil, nil
	}
	store, err := open(cmd)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	e, err := enrolmentUnder(cmd.Context(), store, patient, p.ID)
	if err != nil {
		return nil, nil, err
	}
	if used := store.Protocol(e.Protocol, e.Version); used != nil && used.ID == name {
		p = used
	}
	if e.Protocol != p.ID || e.Version != p.Version {
		return nil, nil, fmt.Errorf("%s is under %s version %s, not under %s version %s; name the file of that version", patient, e.Protocol, e.Version, p.ID, p.Version)
	}
	own, err = e.LocalSettings()
	return p, own, err
}

func protocolsDiffCommand() *cobra.Command {
	var form sheetForm
	command := &cobra.Command{
		Use:   "diff FILE FILE",
		Short: "Dire ce qui change pour un patient d'un protocole à l'autre (say what changes for a patient)",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var pair [2]*protocols.Protocol
			for i, name := range args {
				s, err := openProtocol(name)
				if err != nil {
					return err
				}
				if pair[i], err = s.protocol(); err != nil {
					return err
				}
			}
			return form.write(cmd.OutOrStdout(), words.Diff(pair[0], pair[1], form.language), false)
		},
	}
	form.flags(command)
	return command
}

// sheetForm is how a sheet is written: its format and its language.
type sheetForm struct{ format, language string }

func (f *sheetForm) flags(command *cobra.Command) {
	command.Flags().StringVar(&f.format, "format", "markdown", "markdown or html")
	command.Flags().StringVar(&f.language, "language", "fr", "fr or en")
}

func (f *sheetForm) write(out io.Writer, sheet *words.Sheet, sign bool) error {
	if f.language != "fr" && f.language != "en" {
		return fmt.Errorf("--language %s: use fr or en", f.language)
	}
	signature := ""
	if sign {
		signature = protocols.Text{FR: "Lu et validé par …………………………………, le ……………………, signature :", EN: "Read and validated by …………………………………, on ……………………, signature:"}.In(f.language)
	}
	switch f.format {
	case "markdown":
		_, err := io.WriteString(out, sheetMarkdown(sheet, signature))
		return err
	case "html":
		return sheetPage.Execute(out, map[string]any{"Sheet": sheet, "Language": f.language, "Signature": signature})
	}
	return fmt.Errorf("--format %s: use markdown or html", f.format)
}

func sheetMarkdown(sheet *words.Sheet, signature string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", sheet.Title)
	for _, line := range sheet.Lead {
		fmt.Fprintf(&b, "\n%s\n", line)
	}
	for _, part := range sheet.Parts {
		fmt.Fprintf(&b, "\n## %s\n\n", part.Heading)
		for _, line := range part.Lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
		for i, item := range part.Items {
			if i > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "### %s\n\n", item.Title)
			for _, line := range item.Lines {
				steps, says := words.Depth(line)
				fmt.Fprintf(&b, "%s- %s\n", strings.Repeat("  ", steps), says)
			}
		}
	}
	if signature != "" {
		fmt.Fprintf(&b, "\n%s\n", signature)
	}
	return b.String()
}

// sheetPage is one self-contained page, made to be printed.
var sheetPage = template.Must(template.New("sheet").Funcs(template.FuncMap{
	"depth": func(line string) string { steps, _ := words.Depth(line); return fmt.Sprint("d", min(steps, 4)) },
	"says":  func(line string) string { _, says := words.Depth(line); return says },
}).Parse(`<!doctype html>
<html lang="{{.Language}}">
<meta charset="utf-8">
<title>{{.Sheet.Title}}</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; border-bottom: 1px solid #999; margin-top: 2rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; break-after: avoid } ul { margin: .2rem 0 } section { break-inside: avoid }
.d1 { margin-left: 1.5rem } .d2 { margin-left: 3rem } .d3 { margin-left: 4.5rem } .d4 { margin-left: 6rem }
footer { margin-top: 4rem }
</style>
<h1>{{.Sheet.Title}}</h1>
{{range .Sheet.Lead}}<p>{{.}}</p>
{{end}}{{range .Sheet.Parts}}<h2>{{.Heading}}</h2>
{{if .Lines}}<ul>
{{range .Lines}}<li>{{.}}</li>
{{end}}</ul>
{{end}}{{range .Items}}<section><h3>{{.Title}}</h3>
<ul>
{{range .Lines}}<li class="{{depth .}}">{{says .}}</li>
{{end}}</ul></section>
{{end}}{{end}}{{if .Signature}}<footer>{{.Signature}}</footer>
{{end}}</html>
`))
