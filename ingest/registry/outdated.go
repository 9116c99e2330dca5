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
	for _, name := range Purposes {
		was, is := former.Consent.Purpose(name), next.Consent.Purpose(name)
		stopped := was.Withdrawn
		if !was.Given {
			stopped = was.Date
		}
		if !stopped.IsZero() && is.At(stopped) && is.Date.Before(stopped) {
			back = append(back, outdated{"consent." + name + ".date", protocols.Text{
				FR: fmt.Sprintf("ce consentement a été retiré ou refusé le %s : donné de nouveau, il porte une date plus récente", stopped.Format("02/01/2006")),
				EN: fmt.Sprintf("this consent was withdrawn or refused on %s: given anew, it has a later date", stopped.Format(time.DateOnly)),
			}})
		}
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
		wayOut := protocols.Say("exporter de nouveau le registre, et modifier ce fichier", "export the registry again, and change that file")
		if strings.HasPrefix(old.field, "settings.") {
			wayOut = protocols.Say("%s, ou le nommer : --allow-loosening %s", "%s, or name it: --allow-loosening %s", wayOut, looseningName(old.field, e.ID))
		}
		c.refuse(path+"."+old.field, "outdated", old.text, wayOut)
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
	c := checker{decoder: newDecoder(), doc: doc}
	eachItem("enrolments", reg.Enrolments, func(e *Enrolment, path string) {
		for _, name := range keys(e.Settings) {
			if date := e.Settings[name].Date; date.After(now.Add(earliestZone)) {
				c.refuse(path+".settings."+name, "future-setting", protocols.Text{
					FR: fmt.Sprintf("ce réglage est daté du %s, dans l'avenir", date.Format("02/01/2006")),
					EN: fmt.Sprintf("this setting is dated %s, which is in the future", date.Format(time.DateOnly)),
				}, protocols.Say("écrire le jour de la décision", "write the day on which it was decided"))
			}
		}
	})
	return c.Problems
}
