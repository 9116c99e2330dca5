package rehearsal

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/seeds/stories"
)

// arrived is a message with the alert it is about.
type arrived struct {
	sent
	alert alert
}

// gather notes which alerts the messages are about that came since.
func (s *stage) gather() error {
	came := s.post.taken()
	for _, m := range came {
		if m.Event == alerts.EventRenewal { // about papers: a story is about readings
			continue
		}
		a := arrived{sent: m}
		if m.Alert == "" { // a digest, which is about no alert alone
			s.note(a, string(m.Event))
			continue
		}
		if refused, err := s.call(http.MethodGet, "/api/v1/alerts/"+m.Alert, nil, &a.alert); err != nil || refused != "" {
			return fmt.Errorf("read the alert %s that a message is about: %w", m.Alert, errors.Join(err, errors.New(refused)))
		}
		s.note(a, a.alert.word("rule"))
	}
	slices.SortStableFunc(s.inbox, func(a, b arrived) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.line(s), b.line(s))
	})
	return nil
}

// note keeps a message for the next look, when the story looks at its rule.
func (s *stage) note(a arrived, rule string) {
	if s.concerns(rule) {
		s.inbox = append(s.inbox, a)
		s.tell("told: %s", a.line(s))
	}
}

// concerns reports whether the story looks at a rule.
func (s *stage) concerns(rule string) bool {
	return len(s.story.Only) == 0 || slices.Contains(s.story.Only, rule)
}

// messages lists what people were told since the last look, in order.
func (s *stage) messages() []arrived {
	list := s.inbox
	s.inbox = nil
	return list
}

// line is a message in a line of a story.
func (a *arrived) line(s *stage) string {
	if a.Alert == "" {
		return fmt.Sprintf("{at: %s, to: %s, why: %s}", s.moment(a.at), a.recipient(), a.Event)
	}
	return fmt.Sprintf("{at: %s, to: %s, why: %s, level: %s, patient: %s, rule: %s}", s.moment(a.at), a.recipient(), a.Event, a.Level, a.alert.word("patient"), a.alert.word("rule"))
}

// recipient is who was told: what stands before the @ of a mail, the channel of a system,
// the last part of the endpoint of a telephone, and else the address.
func (a *arrived) recipient() string {
	for _, kind := range alerts.Kinds() {
		if kind.Name == a.Channel && kind.System {
			return kind.Name
		}
	}
	if a.Channel == alerts.Push {
		endpoint, _, _ := strings.Cut(a.To, "#")
		return path.Base(endpoint)
	}
	name, _, _ := strings.Cut(a.To, "@")
	return name
}

// told compares what people were told since the last look.
func (s *stage) told(step *stories.Step) {
	came := s.messages()
	var missed []string
	for i := range step.Told.Messages {
		wanted := &step.Told.Messages[i]
		at := slices.IndexFunc(came, func(a arrived) bool { return a.fits(wanted) })
		if at < 0 {
			missed = append(missed, s.tellMessage(wanted))
			continue
		}
		came = slices.Delete(came, at, at+1)
	}
	if len(missed)+len(came) > 0 {
		s.differ(step.Line, step.Column, protocols.Text{FR: "on a prévenu autrement", EN: "people were told otherwise"}, missed, s.lines(came))
	}
}

func (s *stage) lines(came []arrived) []string {
	var lines []string
	for i := range came {
		lines = append(lines, came[i].line(s))
	}
	return lines
}

// fits reports whether a message is the one that was expected.
func (a *arrived) fits(m *stories.Message) bool {
	for _, pair := range [][2]string{
		{m.Why, string(a.Event)}, {m.Level, a.Level.String()}, {m.Patient, a.alert.word("patient")}, {m.Rule, a.alert.word("rule")},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return (m.To == "" || m.To == a.recipient() || m.To == a.To) &&
		(m.Subject == "" || strings.Contains(plainSpaces(a.subject), plainSpaces(m.Subject))) &&
		(m.At.IsZero() || m.At.Equal(a.at.Truncate(time.Minute))) &&
		(m.By.IsZero() || !a.at.After(m.By))
}

func (s *stage) tellMessage(m *stories.Message) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	if !m.At.IsZero() {
		add("at", s.moment(m.At))
	}
	if !m.By.IsZero() {
		add("before", s.moment(m.By))
	}
	add("to", m.To)
	add("why", m.Why)
	add("level", m.Level)
	add("patient", m.Patient)
	add("rule", m.Rule)
	add("subject", m.Subject)
	return "{" + strings.Join(parts, ", ") + "}"
}

// unlooked notes messages that no part of the story looked at.
func (s *stage) unlooked() {
	if came := s.messages(); len(came) > 0 {
		s.differ(0, 0, protocols.Text{FR: "messages que l'histoire ne dit pas", EN: "messages that the story does not tell of"}, nil, s.lines(came))
	}
}
