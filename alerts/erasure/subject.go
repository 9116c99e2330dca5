package erasure

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Subject is whom an erasure is about.
type Subject struct {
	Patient    string
	Enrolments []string
	Devices    []string             // names of those that fed nobody else: they go
	Shared     map[string]time.Time // names of those that fed others too, and until when they fed him
	Open       int                  // alerts that are not resolved
	Waiting    int                  // errands to InfluxDB that are not carried out
	Merged     bool                 // his record is merged with another one
	Running    []string             // enrolments that have not ended

	identifiers []string
	names       [][2]string // birth name and a given name
	private     []string    // phones and carers
}

// Lookup answers a question to a store with rows of texts.
type Lookup func(sql string, args ...string) ([][]string, error)

// Find reads what a store knows of a patient, in SQL that every store understands. unit
// is that of its times.
func Find(patient string, now time.Time, unit time.Duration, ask Lookup) (*Subject, error) {
	f := finder{Subject: &Subject{Patient: patient, Shared: map[string]time.Time{}}, ask: ask, now: now, unit: unit, ends: map[string]time.Time{}, fed: map[string]bool{}}
	for _, step := range []func() error{f.enrolments, f.devices, f.serials, f.identities, f.state} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("find what is kept of patient %s: %w", patient, err)
		}
	}
	return f.Subject, nil
}

type finder struct {
	*Subject
	ask  Lookup
	now  time.Time
	unit time.Duration
	ends map[string]time.Time // by enrolment
	fed  map[string]bool      // devices
}

// enrolled is what is read of an enrolment.
type enrolled struct {
	Devices      []string  `json:"devices"`
	Prescription time.Time `json:"prescription_end"`
	Proposed     bool      `json:"proposed"`
	Consent      struct {
		Given     bool      `json:"given"`
		Withdrawn time.Time `json:"withdrawn"`
	} `json:"consent"`
}

func (e *enrolled) ends() time.Time {
	if w := e.Consent.Withdrawn; !w.IsZero() && w.Before(e.Prescription) {
		return w
	}
	return e.Prescription
}

func (f *finder) enrolments() error {
	now, err := f.ask("SELECT id, body FROM registry_enrolments WHERE patient = $1 ORDER BY id", f.Patient)
	if err != nil {
		return err
	}
	for _, row := range now {
		e, err := f.enrolment(row)
		if err != nil {
			return err
		}
		if end := e.ends(); !e.Proposed && e.Consent.Given && (end.IsZero() || end.After(f.now)) {
			f.Running = append(f.Running, row[0])
		}
	}
	former, err := f.ask("SELECT id, body FROM registry_history WHERE kind = 'enrolment' AND body ->> 'patient' = $1 ORDER BY seq", f.Patient)
	if err != nil {
		return err
	}
	for _, row := range former {
		if _, err := f.enrolment(row); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) enrolment(row []string) (*enrolled, error) {
	e := new(enrolled)
	if err := json.Unmarshal([]byte(row[1]), e); err != nil {
		return nil, fmt.Errorf("enrolment %s: %w", row[0], err)
	}
	if _, known := f.ends[row[0]]; !known {
		f.Enrolments, f.ends[row[0]] = append(f.Enrolments, row[0]), e.ends()
	}
	for _, device := range e.Devices {
		f.fed[device] = true
	}
	return e, nil
}

// devices tells those that fed him alone from those that others have, or had.
func (f *finder) devices() error {
	for _, enrolment := range f.Enrolments {
		fed, err := f.ask("SELECT device FROM registry_feeds WHERE enrolment = $1 UNION SELECT device FROM registry_fed WHERE enrolment = $1", enrolment)
		if err != nil {
			return err
		}
		for _, row := range fed {
			f.fed[row[0]] = true
		}
	}
	for _, device := range slices.Sorted(maps.Keys(f.fed)) {
		others, err := f.ask("SELECT enrolment FROM registry_feeds WHERE device = $1 UNION SELECT enrolment FROM registry_fed WHERE device = $1", device)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(others, func(row []string) bool { return !slices.Contains(f.Enrolments, row[0]) }) {
			f.Devices = append(f.Devices, device)
			continue
		}
		if f.Shared[device], err = f.until(device); err != nil {
			return err
		}
	}
	return nil
}

// until is when a device fed him last: until it was taken from him, or his enrolment ended.
func (f *finder) until(device string) (last time.Time, err error) {
	for _, enrolment := range f.Enrolments {
		taken, err := f.ask("SELECT until FROM registry_fed WHERE device = $1 AND enrolment = $2", device, enrolment)
		if err != nil {
			return last, err
		}
		feeds, err := f.ask("SELECT device FROM registry_feeds WHERE device = $1 AND enrolment = $2", device, enrolment)
		if err != nil {
			return last, err
		}
		var until time.Time
		switch {
		case len(feeds) > 0:
			until = f.ends[enrolment]
		case len(taken) > 0:
			number, err := strconv.ParseInt(taken[0][0], 10, 64)
			if err != nil {
				return last, fmt.Errorf("until when %s fed %s: %w", device, enrolment, err)
			}
			until = time.Unix(0, 0).Add(time.Duration(number) * f.unit)
		}
		if until.After(last) {
			last = until
		}
	}
	return last, nil
}

// serials reads those of the devices that go, in every version.
func (f *finder) serials() error {
	f.identifiers = append([]string{f.Patient, "own-" + f.Patient}, f.Enrolments...)
	for _, device := range f.Devices {
		f.identifiers = append(f.identifiers, device)
		versions, err := f.ask("SELECT body ->> 'serial' FROM registry_devices WHERE id = $1 UNION SELECT body ->> 'serial' FROM registry_history WHERE kind = 'device' AND id = $1", device)
		if err != nil {
			return err
		}
		for _, row := range versions {
			f.identifiers = append(f.identifiers, row[0])
		}
	}
	return nil
}

// person is what is read of an identity.
type person struct {
	INS        string `json:"ins"`
	BirthName  string `json:"birth_name"`
	GivenNames string `json:"given_names"`
	FirstGiven string `json:"first_given_name"`
	Contact    struct {
		Phone string `json:"phone"`
		Carer struct {
			Name  string `json:"name"`
			Phone string `json:"phone"`
		} `json:"carer"`
	} `json:"contact"`
}

func (f *finder) identities() error {
	versions, err := f.ask("SELECT body FROM identities WHERE id = $1 UNION ALL SELECT body FROM identity_history WHERE id = $1", f.Patient)
	if err != nil {
		return err
	}
	for _, row := range versions {
		var p person
		if err := json.Unmarshal([]byte(row[0]), &p); err != nil {
			return fmt.Errorf("an identity: %w", err)
		}
		f.identifiers = append(f.identifiers, p.INS)
		for _, given := range append(strings.Fields(p.GivenNames), p.FirstGiven) {
			f.names = append(f.names, [2]string{p.BirthName, given})
		}
		f.private = append(f.private, p.BirthName, p.Contact.Phone, p.Contact.Carer.Name, p.Contact.Carer.Phone)
	}
	for _, list := range []*[]string{&f.identifiers, &f.private} {
		slices.Sort(*list)
		*list = slices.DeleteFunc(slices.Compact(*list), func(word string) bool { return word == "" })
	}
	return nil
}

// state reads what keeps an erasure waiting.
func (f *finder) state() error {
	alerts, err := f.ask("SELECT id FROM alerts WHERE patient = $1 AND state <> 'resolved'", f.Patient)
	if err != nil {
		return err
	}
	f.Open = len(alerts)
	waiting, err := f.ask(`SELECT task ->> 'patient' FROM errands WHERE done IS NULL AND
		(task ->> 'patient' = $1 OR (task -> 'reading') ->> 'patient' = $1 OR (task -> 'becomes') ->> 'patient' = $1)`, f.Patient)
	if err != nil {
		return err
	}
	f.Waiting = len(waiting)
	merged, err := f.ask("SELECT body FROM registry_patients WHERE (body -> 'merged') ->> 'from' = $1 OR (body -> 'merged') ->> 'into' = $1", f.Patient)
	if err != nil {
		return err
	}
	for _, row := range merged {
		var body struct {
			Merged struct {
				Into string `json:"into"`
			} `json:"merged"`
		}
		if err := json.Unmarshal([]byte(row[0]), &body); err != nil {
			return err
		}
		f.Merged = f.Merged || body.Merged.Into != ""
	}
	return nil
}

// Words says whether texts name a patient. It is made once for many texts.
type Words struct {
	// Pattern finds what only he is called by. It is understood by Go and by PostgreSQL.
	Pattern  string
	subject  *Subject
	is       *regexp.Regexp
	personal *regexp.Regexp
}

// Words are those of a subject.
func (s *Subject) Words() *Words {
	w := &Words{Pattern: wordsOf(s.identifiers), subject: s}
	w.is = regexp.MustCompile(w.Pattern)
	if len(s.private) > 0 {
		w.personal = regexp.MustCompile("(?i)" + wordsOf(s.private))
	}
	return w
}

// wordsOf is a pattern that finds one of some words, by itself.
func wordsOf(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = regexp.QuoteMeta(word)
	}
	return "(^|[^[:alnum:]_-])(" + strings.Join(quoted, "|") + ")($|[^[:alnum:]_-])"
}

// Is reports whether a text names a record, an enrolment, a device or a number of his. An
// erasure asks it of every row that is kept, and nearly all of them hold none of the words.
func (w *Words) Is(text string) bool {
	return slices.ContainsFunc(w.subject.identifiers, func(word string) bool { return strings.Contains(text, word) }) && w.is.MatchString(text)
}

// Of reports whether a text may tell of him: it has his name or a number to call as well.
func (w *Words) Of(text string) bool {
	return w.Is(text) || w.personal != nil && w.personal.MatchString(text)
}

// Says reports whether a text that came from anywhere is about him: it names him, or has
// his name and a given name.
func (w *Words) Says(text string) bool {
	if w.Is(text) {
		return true
	}
	upper := strings.ToUpper(text)
	return slices.ContainsFunc(w.subject.names, func(n [2]string) bool {
		return n[0] != "" && n[1] != "" && strings.Contains(upper, strings.ToUpper(n[0])) && strings.Contains(upper, strings.ToUpper(n[1]))
	})
}

// SetAside reports whether something that was set aside goes: what came from his devices,
// from one that others had after him while it was his, or says that it is of him.
func (s *Subject) SetAside(words *Words, device string, received time.Time, texts ...string) bool {
	if slices.Contains(s.Devices, device) {
		return true
	}
	if until, shared := s.Shared[device]; shared && !received.After(until) {
		return true
	}
	return slices.ContainsFunc(texts, words.Says)
}
