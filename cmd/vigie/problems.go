package main

import (
	"fmt"
	"io"

	"vigie/protocols"
	"vigie/protocols/document"
)

// severities says how grave a problem is.
var severities = map[document.Severity]protocols.Text{
	document.Error: {FR: "erreur", EN: "error"}, document.Warning: {FR: "avertissement", EN: "warning"},
}

// listProblems writes problems of our files as compilers do: where each stands, what is
// wrong, with what, and the way out on a line of its own. One without a line stands in no
// file: it was typed.
func listProblems(out io.Writer, in tongue, problems []document.Problem) error {
	for _, p := range problems {
		place, path, wayOut := "", "", ""
		if p.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
		}
		if p.Path != "" {
			path = " (" + harmless(p.Path) + ")"
		}
		if said := in.say(p.Suggestion); said != "" {
			wayOut = "    " + harmless(said) + "\n"
		}
		if _, err := fmt.Fprintf(out, "%s%s %s: %s%s\n%s", place, in.say(severities[p.Severity]), p.Code, harmless(in.say(p.Message)), path, wayOut); err != nil {
			return err
		}
	}
	return nil
}
