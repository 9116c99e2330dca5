package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// outdated is something in an enrolment that is older than what is kept.
type outdated struct {
	field string // "consent.date"
	text  protocols.Text
}

// broughtBack lists what an enrolment would bring back that was withdrawn or replaced
// since: the mark of a file that was exported before.
func broughtBack(former, next *Enrolment) (back []outdated) {
	kept, given := former.Consent, next.Consent
	stopped := kept.Withdrawn
	if !kept.Given {
		stopped = kept.Date
	}
	goesOn := given.Given && (given.Withdrawn.IsZero() || given.Withdrawn.After(stopped))
	if !stopped.IsZero() && goesOn && given.Date.Before(stopped) {
		back = append(back, outdated{"consent.date", protocols.Text{
			FR: fmt.Sprintf("le consentement a été retiré ou refusé le %s : un consentement donné de nouveau porte une date plus récente", stopped.Format("02/01/2006")),
			EN: fmt.Sprintf("the consent was withdrawn or refused on %s: a consent that is given anew has a later date", stopped.Format(time.DateOnly)),
		}})
	}
	for _, name := range keys(next.Settings) {
		before, had := former.Settings[name]
		if after := next.Settings[name]; had && after.Value != before.Value && after.Date.Before(before.Date) {
			back = append(back, outdated{"settings." + name, protocols.Text{
				FR: fmt.Sprintf("le réglage %s gardé date du %s : celui-ci est plus ancien", name, before.Date.Format("02/01/2006")),
				EN: fmt.Sprintf("the setting %s that is kept is of %s: this one is older", name, before.Date.Format(time.DateOnly)),
			}})
		}
	}
	return back
}

// checkOutdated reports what an enrolment would bring back.
func (c *checker) checkOutdated(e *Enrolment, path string) {
	former, err := c.known.Enrolment(c.ctx, e.ID)
	if c.missing(err) {
		return
	}
	for _, old := range broughtBack(former, e) {
		where := path + "." + old.field
		c.at(where, "outdated", "export the registry again, and change that file", "%s: %s", where, old.text.EN)
		said := &c.problems[len(c.problems)-1]
		said.Message.FR = where + " : " + old.text.FR
		said.Suggestion.FR = "exportez de nouveau le registre, et modifiez ce fichier"
		if strings.HasPrefix(old.field, "settings.") {
			name := looseningName(old.field, e.ID)
			said.Suggestion.FR += ", ou nommez-le : --allow-loosening " + name
			said.Suggestion.EN += ", or name it: --allow-loosening " + name
		}
	}
}

// AllowNamed leaves out what is said of settings older than those kept where they are
// named, see Registry.Loosening.
func AllowNamed(reg *Registry, problems []document.Problem) []document.Problem {
	allowed := map[string]bool{}
	for i := range reg.Enrolments {
		for name := range reg.Enrolments[i].Settings {
			if field := "settings." + name; slices.Contains(reg.Loosening, looseningName(field, reg.Enrolments[i].ID)) {
				allowed[fmt.Sprintf("enrolments[%d].%s", i, field)] = true
			}
		}
	}
	return slices.DeleteFunc(problems, func(p document.Problem) bool { return p.Code == "outdated" && allowed[p.Path] })
}

// earliestZone is by how much the day may be ahead of UTC where a file was written: in
// Kiribati.
const earliestZone = 14 * time.Hour

// Ahead lists the settings that are dated in the future: nobody has decided them yet,
// and as the latest they would win over what is decided until then.
func Ahead(doc *document.Node, reg *Registry, now time.Time) []document.Problem {
	c := checker{doc: doc}
	eachItem("enrolments", reg.Enrolments, func(e *Enrolment, path string) {
		for _, name := range keys(e.Settings) {
			if date := e.Settings[name].Date; date.After(now.Add(earliestZone)) {
				where := path + ".settings." + name
				c.at(where, "future-setting", "write the day on which it was decided", "%s is dated %s, which is in the future", where, date.Format(time.DateOnly))
				said := &c.problems[len(c.problems)-1]
				said.Message.FR = fmt.Sprintf("%s est daté du %s, dans l'avenir", where, date.Format("02/01/2006"))
				said.Suggestion.FR = "écrivez le jour de la décision"
			}
		}
	})
	return c.problems
}
