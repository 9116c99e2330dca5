package rehearsal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/seeds/stories"
)

var decoder mime.WordDecoder

// alert is an alert as programs read it.
type alert map[string]any

// call asks the interface for programs, and returns its answer and the code of what
// it refuses.
func (s *stage) call(method, path string, query url.Values, answer any) (refused string, err error) {
	return s.callAs(token, method, path, query, nil, answer)
}

// callAs is call by whoever has that token.
func (s *stage) callAs(secret, method, path string, query url.Values, body any, answer any) (refused string, err error) {
	if s.service == nil {
		return "", fmt.Errorf("the service does not run")
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return "", fmt.Errorf("write a request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	address := s.service.Page() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(s.ctx, method, address, content)
	if err != nil {
		return "", fmt.Errorf("write a request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask the service: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		var problem struct{ Code, Detail string }
		if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
			return "", fmt.Errorf("%s %s: %s", method, path, response.Status)
		}
		return problem.Code, nil
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return "", fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return "", nil
}

// alerts asks for a list of alerts.
func (s *stage) alerts(query url.Values) ([]alert, error) {
	query.Set("limit", "500")
	var page struct{ Alerts []alert }
	refused, err := s.call(http.MethodGet, "/api/v1/alerts", query, &page)
	if err == nil && refused != "" {
		err = fmt.Errorf("the list is refused: %s", refused)
	}
	return slices.DeleteFunc(page.Alerts, func(a alert) bool { return !s.concerns(a.word("rule")) }), err
}

// find returns the latest alert that fits, nil when there is none. unresolved leaves
// out what is resolved, where no state is asked for.
func (s *stage) find(which stories.Which, unresolved bool) (alert, error) {
	query := url.Values{"order": {"newest"}}
	for key, value := range map[string]string{"patient": which.Patient, "rule": which.Rule, "level": which.Level, "state": which.State} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if unresolved && which.State == "" {
		query.Set("state", "open,acknowledged")
	}
	list, err := s.alerts(query)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var found alert
	refused, err := s.call(http.MethodGet, "/api/v1/alerts/"+list[0].word("id"), nil, &found)
	if err == nil && refused != "" {
		err = fmt.Errorf("the alert cannot be read: %s", refused)
	}
	return found, err
}

// act has a person act on an alert.
func (s *stage) act(step *stories.Step) error {
	a := step.Act
	if a.What == stories.HandOver {
		return s.do(step, "/api/v1/handovers", "")
	}
	if a.What == stories.Strike || a.What == stories.Unstrike {
		return s.strike(step)
	}
	if a.What == stories.Merge || a.What == stories.Unmerge {
		return s.merge(step)
	}
	found, err := s.find(a.Alert, true)
	if err != nil {
		return err
	}
	if found == nil {
		s.differ(step.Line, step.Column, protocols.Text{FR: "aucune alerte à laquelle cela s'applique", EN: "there is no alert to do this to"}, []string{tellWhich(a.Alert)}, s.standing())
		return nil
	}
	return s.do(step, "/api/v1/alerts/"+found.word("id")+"/"+a.What, found.line(s))
}

// strike has a person strike readings out, or take that back: those of the first patient
// where neither a patient nor a device is named, and of a device those of all whom it
// measured.
func (s *stage) strike(step *stories.Step) error {
	a := *step.Act
	body := maps.Clone(a.Body)
	if until, ok := body["until"]; ok {
		body["to"] = until
		delete(body, "until")
	}
	body["patient"] = a.Alert.Patient
	if a.Alert.Patient == "" && body["device"] == nil && len(s.story.Care.Patients) > 0 {
		body["patient"] = s.story.Care.Patients[0].Get("id").Text
	}
	a.Body = body
	asked := *step
	asked.Act = &a
	return s.do(&asked, "/api/v1/readings/"+a.What, fmt.Sprint(body["patient"]))
}

// merge has a person say that two records are about one person, or take that back.
func (s *stage) merge(step *stories.Step) error {
	a := step.Act
	m := registry.Merge{From: a.Alert.Patient, Author: a.By, At: s.Now()}
	m.Into, _ = a.Body["into"].(string)
	m.Reason, _ = a.Body["reason"].(string)
	err := m.Make(s.ctx, s.service.Registry())
	refused := ""
	var cannot *registry.CannotMerge
	if errors.As(err, &cannot) {
		refused = cannot.Code
	} else if err != nil {
		return err
	}
	s.tell("%s: %s %s %s%s", a.By, a.What, m.From, m.Into, ifAny(" refused: ", refused))
	if refused != a.Refused {
		s.differ(step.Line, step.Column, protocols.Text{FR: "l'acte a eu une autre réponse", EN: "the act was answered otherwise"}, []string{orDone(a.Refused)}, []string{orDone(refused)})
	}
	s.quiet = false
	return nil
}

// do asks for an act, and compares whether it was refused.
func (s *stage) do(step *stories.Step, path, about string) error {
	a := step.Act
	var answer alert
	refused, err := s.callAs(tokenOf(a.By), http.MethodPost, path, nil, a.Body, &answer)
	if err != nil {
		return err
	}
	s.tell("%s: %s %s%s", a.By, a.What, about, ifAny(" refused: ", refused))
	if refused != a.Refused {
		s.differ(step.Line, step.Column, protocols.Text{FR: "l'acte a eu une autre réponse", EN: "the act was answered otherwise"}, []string{orDone(a.Refused)}, []string{orDone(refused)})
	}
	s.quiet = false
	return nil
}

func orDone(refused string) string {
	if refused == "" {
		return "done"
	}
	return "refused: " + refused
}

func ifAny(before, word string) string {
	if word == "" {
		return ""
	}
	return before + word
}

func tellWhich(w stories.Which) string {
	return strings.TrimSpace(strings.Join([]string{w.Rule, w.Level, ifAny("patient ", w.Patient), w.State}, " "))
}

// standing lists what is not resolved, for whoever looks for something else.
func (s *stage) standing() []string {
	list, err := s.alerts(url.Values{"state": {"open,acknowledged"}})
	if err != nil {
		return []string{err.Error()}
	}
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line(s)
	}
	return lines
}

// value is a field as a story writes it, and whether the alert has it; fields within
// fields are parted by points.
func (a alert) value(name string) (string, bool) {
	var here any = map[string]any(a)
	for part := range strings.SplitSeq(name, ".") {
		inside, ok := here.(map[string]any)
		if !ok {
			return "", false
		}
		if here, ok = inside[part]; !ok {
			return "", false
		}
	}
	switch v := here.(type) {
	case nil:
		return "", false
	case string:
		return v, v != ""
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	text, err := json.Marshal(here)
	return string(text), err == nil
}

func (a alert) word(name string) string {
	text, _ := a.value(name)
	return text
}

// line is an alert in a line of a story.
func (a alert) line(s *stage) string {
	text := fmt.Sprintf("{patient: %s, rule: %s, level: %s, state: %s, active: %s}", a.word("patient"), a.word("rule"), a.word("level"), a.word("state"), a.word("active"))
	if at, err := time.Parse(time.RFC3339, a.word("at")); err == nil {
		text += " # " + s.moment(at)
	}
	return text
}

// list compares the worklist.
func (s *stage) list(step *stories.Step) error {
	query := url.Values{"state": {"open,acknowledged"}}
	for key, value := range step.List.Query {
		query.Set(key, value)
	}
	came, err := s.alerts(query)
	if err != nil {
		return err
	}
	differs := len(came) != len(step.List.Rows)
	var wanted, lines []string
	for i := range step.List.Rows {
		row := &step.List.Rows[i]
		wanted = append(wanted, s.tellLook(row))
		if i < len(came) && len(s.compare(row, came[i])) > 0 {
			differs = true
		}
	}
	for i := range came {
		lines = append(lines, came[i].line(s))
	}
	if differs {
		s.differ(step.Line, step.Column, protocols.Text{FR: "la liste est autre", EN: "the list is another"}, wanted, lines)
	}
	return nil
}

func (s *stage) tellLook(l *stories.Look) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	add("patient", l.Alert.Patient)
	add("rule", l.Alert.Rule)
	for _, f := range l.Fields {
		add(f.Name, s.written(f.Value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// written is a value as a story has it: moments by day.
func (s *stage) written(value string) string {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return s.moment(at)
	}
	return value
}

// look compares one alert.
func (s *stage) look(step *stories.Step) error {
	l := step.Alert
	found, err := s.find(l.Alert, false)
	switch {
	case err != nil:
		return err
	case l.None && found == nil:
		return nil
	case l.None:
		s.differ(l.Line, l.Column, protocols.Text{FR: "cette alerte existe", EN: "there is such an alert"}, []string{"none"}, []string{found.line(s)})
		return nil
	case found == nil:
		s.differ(l.Line, l.Column, protocols.Text{FR: "aucune alerte de ce genre", EN: "there is no such alert"}, []string{tellWhich(l.Alert)}, s.standing())
		return nil
	}
	if l.Now != nil {
		refused, err := s.call(http.MethodGet, "/api/v1/alerts/"+found.word("id")+"?now=true", nil, &found)
		if err != nil || refused != "" {
			return fmt.Errorf("ask what is true now: %w", errors.Join(err, errors.New(refused)))
		}
	}
	for _, d := range s.compare(l, found) {
		s.differ(d.Line, d.Column, d.What, d.Wanted, d.Came)
	}
	return nil
}

// compare lists what an alert says otherwise.
func (s *stage) compare(l *stories.Look, a alert) (list []Difference) {
	add := func(line, column int, fr, en, wanted, came string) {
		list = append(list, Difference{Line: line, Column: column, What: protocols.Text{FR: fr, EN: en}, Wanted: []string{wanted}, Came: []string{came}})
	}
	named := []stories.Field{{Name: "patient", Value: l.Alert.Patient, Line: l.Line, Column: l.Column}, {Name: "rule", Value: l.Alert.Rule, Line: l.Line, Column: l.Column}}
	for _, f := range append(named, l.Fields...) {
		if f.Value == "" {
			continue
		}
		came, _ := a.value(f.Name)
		if !sameValue(f.Value, came) {
			add(f.Line, f.Column, "l'alerte dit autre chose : "+f.Name, "the alert says otherwise: "+f.Name, s.written(f.Value), s.written(came))
		}
	}
	said := strings.Join([]string{a.word("title.fr"), a.word("summary.fr"), a.word("title.en"), a.word("summary.en")}, "\n")
	for _, part := range l.Says {
		if !strings.Contains(plainSpaces(said), plainSpaces(part)) {
			add(l.Line, l.Column, "l'alerte ne le dit pas", "the alert does not say so", part, said)
		}
	}
	now := strings.Join([]string{a.word("now.summary.fr"), a.word("now.summary.en")}, "\n")
	for _, part := range l.Now {
		if !strings.Contains(plainSpaces(now), plainSpaces(part)) {
			add(l.Line, l.Column, "la règle ne le dit pas maintenant", "its rule does not say so now", part, now)
		}
	}
	if l.Events != nil {
		if came := a.events(); !slices.Equal(came, l.Events) {
			add(l.Line, l.Column, "il est arrivé autre chose à l'alerte", "something else has happened to the alert", strings.Join(l.Events, ", "), strings.Join(came, ", "))
		}
	}
	return list
}

// events are the kinds of what happened to an alert.
func (a alert) events() []string {
	kinds := []string{}
	list, _ := a["events"].([]any)
	for _, item := range list {
		if event, ok := item.(map[string]any); ok {
			kinds = append(kinds, alert(event).word("kind"))
		}
	}
	return kinds
}

// plainSpaces leaves out the difference between spaces, which nobody types.
func plainSpaces(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ", "’", "'").Replace(text)
}

// sameValue compares a value of a story with one of an alert. Moments are told by
// their minute; "never" is what an alert does not have.
func sameValue(wanted, came string) bool {
	if wanted == "never" || wanted == "none" {
		return came == ""
	}
	a, errA := time.Parse(time.RFC3339, wanted)
	b, errB := time.Parse(time.RFC3339, came)
	if errA == nil && errB == nil {
		return a.Truncate(time.Minute).Equal(b.Truncate(time.Minute))
	}
	return wanted == came
}
