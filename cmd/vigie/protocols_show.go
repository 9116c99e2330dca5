package main

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"vigie/protocols"
)

func protocolsShowCommand() *cobra.Command {
	var form sheetForm
	command := &cobra.Command{
		Use:   "show FILE",
		Short: "Write a protocol as a clinician reads it, to print and sign",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := openProtocol(args[0])
			if err != nil {
				return err
			}
			p, err := s.protocol()
			if err != nil {
				return err
			}
			return form.write(cmd.OutOrStdout(), protocols.Show(p, nil, form.language), true)
		},
	}
	form.flags(command)
	return command
}

func protocolsDiffCommand() *cobra.Command {
	var form sheetForm
	command := &cobra.Command{
		Use:   "diff FILE FILE",
		Short: "Say what changes for a patient from one protocol to another",
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
			return form.write(cmd.OutOrStdout(), protocols.Diff(pair[0], pair[1], form.language), false)
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

func (f *sheetForm) write(out io.Writer, sheet *protocols.Sheet, sign bool) error {
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

func sheetMarkdown(sheet *protocols.Sheet, signature string) string {
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
				fmt.Fprintf(&b, "- %s\n", line)
			}
		}
	}
	if signature != "" {
		fmt.Fprintf(&b, "\n%s\n", signature)
	}
	return b.String()
}

// sheetPage is one self-contained page, made to be printed.
var sheetPage = template.Must(template.New("sheet").Parse(`<!doctype html>
<html lang="{{.Language}}">
<meta charset="utf-8">
<title>{{.Sheet.Title}}</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; border-bottom: 1px solid #999; margin-top: 2rem }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; break-after: avoid } ul { margin: .2rem 0 } section { break-inside: avoid }
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
{{range .Lines}}<li>{{.}}</li>
{{end}}</ul></section>
{{end}}{{end}}{{if .Signature}}<footer>{{.Signature}}</footer>
{{end}}</html>
`))
