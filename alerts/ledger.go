package alerts

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"vigie/protocols"
)

// RuleKey names a rule at work: for an enrolment, a device or both.
type RuleKey struct{ Enrolment, Device, Rule string }

// EpisodeKey names one episode of it.
type EpisodeKey struct {
	RuleKey
	Episode string
}

// EpisodeOf is the episode that a finding is about.
func EpisodeOf(f *protocols.Finding) EpisodeKey {
	return EpisodeKey{RuleKey{f.Enrolment, f.Device, f.Rule}, f.Episode}
}

// Entry is an alert as a store keeps it. Number grows in the order of raising; it is 0
// for one that no store has seen.
type Entry struct {
	Number int64
	Alert  Alert

	// Rewrite asks a store that changes the alert to write the whole of it, because what it
	// holds is damaged.
	Rewrite bool

	kept           Alert // as the store has it
	added, changed bool
	order          int // among those that were added
}

// Counted reports whether nothing but the readings that an alert counts has changed:
// stores write that without touching what worklists are sorted by.
func (e *Entry) Counted() bool {
	same := e.kept
	same.Occurrences, same.At, same.LastAt, same.EpisodeAt = e.Alert.Occurrences, e.Alert.At, e.Alert.LastAt, e.Alert.EpisodeAt
	return reflect.DeepEqual(same, e.Alert)
}

// Explains reports whether the explanation is another than the store has.
func (e *Entry) Explains() bool {
	return e.Alert.Explanation != nil && e.Alert.Explanation != e.kept.Explanation
}

// Pages is what a ledger reads from a store, in the transaction in which it is
// written back. What is not there is nil, and no error.
type Pages interface {
	// Standing returns the alert that stands for an episode.
	Standing(EpisodeKey) (*Entry, error)
	// OfRule returns the unresolved alerts of a rule, and the one that was resolved last.
	OfRule(RuleKey) ([]*Entry, error)
	// OpenOf returns the alerts of a patient that nobody has answered.
	OpenOf(patient string) ([]*Entry, error)
	// ByID returns one alert with its explanation.
	ByID(id string) (*Entry, error)
}

// Ledger knows, within one transaction, which alert stands for which episode and what
// has changed. A store opens one, lets findings or an act work on it, and writes what
// Changes returns. The zero value is not ready: see NewLedger.
type Ledger struct {
	pages     Pages
	directory Directory

	entries  map[string]*Entry
	standing map[EpisodeKey]*Entry
	rules    map[RuleKey][]*Entry
	patients map[string][]*Entry
	knownOf  map[RuleKey][]*Entry // of entries, by rule and by patient
	knownFor map[string][]*Entry
	changes  Changes
	err      error
}

// Changes are what a store has to write, in the order in which it happened.
type Changes struct {
	Added    []*Entry
	Changed  []*Entry // known to the store, each once
	Stands   []Stands // an episode is now stood for by another alert
	Events   []Event
	Outgoing []Outgoing
}

// Stands says which alert stands for an episode.
type Stands struct {
	Episode EpisodeKey
	Entry   *Entry
}

// NewLedger opens a ledger on the pages of a store.
func NewLedger(pages Pages, directory Directory) *Ledger {
	return &Ledger{
		pages: pages, directory: directory,
		entries: map[string]*Entry{}, standing: map[EpisodeKey]*Entry{}, rules: map[RuleKey][]*Entry{}, patients: map[string][]*Entry{},
		knownOf: map[RuleKey][]*Entry{}, knownFor: map[string][]*Entry{},
	}
}

// Find enters what findings do, one after the other.
func (l *Ledger) Apply(findings []protocols.Finding) (Changes, error) {
	for i := range findings {
		if err := l.apply(&findings[i]); err != nil {
			return Changes{}, fmt.Errorf("rule %s of enrolment %q: %w", findings[i].Rule, findings[i].Enrolment, err)
		}
	}
	return l.changes, nil
}

func (l *Ledger) apply(f *protocols.Finding) error {
	key := EpisodeOf(f)
	standing, err := l.stands(key)
	if err != nil {
		return err
	}
	before := Before{Standing: standing.alert(), Others: l.others, Team: l.team}
	if standing == nil || standing.Alert.State == Resolved {
		of, err := l.of(key.RuleKey)
		if err != nil {
			return err
		}
		before.Current, before.Last = current(of).alert(), last(of).alert()
	}
	care, err := CareFor(l.directory, f.Enrolment)
	if err != nil {
		return err
	}
	change := Apply(before, *f, care, f.Found)
	if entry := l.enter(change.Next); entry != nil {
		l.stand(key, entry)
	}
	l.follow(change)
	return l.err
}

// Act changes one alert: act gets it as it is and returns what follows. ErrNotFound
// when there is no such alert; an error of act is returned and changes nothing.
func (l *Ledger) Act(id string, act func(On) (Change, error)) (Changes, error) {
	entry, err := l.pages.ByID(id)
	if err != nil {
		return Changes{}, err
	}
	if entry == nil {
		return Changes{}, ErrNotFound
	}
	entry = l.know(entry)
	a := &entry.Alert
	key := EpisodeKey{RuleKey{a.Enrolment, a.Device, a.Rule}, a.Episode}
	of, err := l.of(key.RuleKey)
	if err != nil {
		return Changes{}, err
	}
	care, err := CareFor(l.directory, a.Enrolment)
	if err != nil {
		return Changes{}, err
	}
	before := Before{Standing: a, Current: current(of).alert(), Last: last(of).alert(), Newest: newest(of).alert(), Others: l.others, Team: l.team}
	change, err := act(On{*a, care, before})
	if err != nil {
		return Changes{}, err
	}
	l.enter(change.Next)
	if added := l.enter(change.Added); added != nil {
		l.stand(key, added)
	}
	l.follow(change)
	return l.changes, l.err
}

// enter writes down what an alert is from now on; nil when nothing changes.
func (l *Ledger) enter(next *Alert) *Entry {
	if next == nil {
		return nil
	}
	entry := l.entries[next.ID]
	if entry == nil && next.Follows != "" {
		// What comes back has one name, whether time or a reading brings it: another
		// transaction may just have done so.
		known, err := l.pages.ByID(next.ID)
		if err != nil {
			l.err = err
		}
		if known != nil {
			return l.know(known)
		}
	}
	switch {
	case entry == nil:
		entry = l.add(next)
	case !entry.changed && !entry.added:
		entry.changed = true
		l.changes.Changed = append(l.changes.Changed, entry)
	}
	entry.Alert = *next
	return entry
}

// add takes in an alert that no store has seen.
func (l *Ledger) add(next *Alert) *Entry {
	entry := &Entry{Alert: *next, added: true, order: len(l.changes.Added)}
	l.index(entry)
	l.changes.Added = append(l.changes.Added, entry)
	if next.Explanation == nil && next.Follows != "" {
		l.explainAs(next, next.Follows)
	}
	return entry
}

// explainAs has an alert that comes back without an explanation of its own say what
// the one before it said.
func (l *Ledger) explainAs(next *Alert, follows string) {
	before, err := l.pages.ByID(follows)
	if err != nil {
		l.err = err
	} else if before != nil {
		next.Explanation = before.Alert.Explanation
	}
}

// stand has an alert stand for an episode.
func (l *Ledger) stand(key EpisodeKey, entry *Entry) {
	if l.standing[key] == entry {
		return
	}
	l.standing[key] = entry
	l.changes.Stands = append(l.changes.Stands, Stands{key, entry})
}

func (l *Ledger) follow(change Change) {
	l.changes.Events = append(l.changes.Events, change.Events...)
	l.changes.Outgoing = append(l.changes.Outgoing, change.Outgoing...)
}

// stands returns the alert that stands for an episode; nil for none.
func (l *Ledger) stands(key EpisodeKey) (*Entry, error) {
	if known, ok := l.standing[key]; ok {
		return known, nil
	}
	entry, err := l.pages.Standing(key)
	if err != nil {
		return nil, err
	}
	entry = l.know(entry)
	l.standing[key] = entry
	return entry, nil
}

// of lists the alerts of a rule that Pages.OfRule names, with what has changed since.
func (l *Ledger) of(key RuleKey) ([]*Entry, error) {
	if known, ok := l.rules[key]; ok {
		return known, nil
	}
	read, err := l.pages.OfRule(key)
	if err != nil {
		return nil, err
	}
	of := l.knowAll(read, l.knownOf[key])
	l.rules[key] = of
	return of, nil
}

// others lists the alerts of a patient that nobody has answered. It is called by a
// pure function: an error is kept, and undoes everything.
func (l *Ledger) others(patient string) []*Alert {
	entries, ok := l.patients[patient]
	if !ok {
		read, err := l.pages.OpenOf(patient)
		if err != nil {
			l.err = err
			return nil
		}
		entries = l.knowAll(read, l.knownFor[patient])
		l.patients[patient] = entries
	}
	var open []*Alert
	for _, e := range entries {
		if e.Alert.State == Open {
			open = append(open, &e.Alert)
		}
	}
	return open
}

// team returns a care team by its id. It is called by a pure function, as others.
func (l *Ledger) team(id string) Team {
	team, err := teamIn(l.directory, id)
	if err != nil {
		l.err = err
	}
	return team
}

// know returns the entry of an alert as it is in this transaction.
func (l *Ledger) know(read *Entry) *Entry {
	if read == nil {
		return nil
	}
	if known, ok := l.entries[read.Alert.ID]; ok {
		return known
	}
	read.kept = read.Alert
	l.index(read)
	return read
}

// index finds an entry again by all that it is looked for by.
func (l *Ledger) index(entry *Entry) {
	a := &entry.Alert
	l.entries[a.ID] = entry
	l.knownFor[a.Patient] = append(l.knownFor[a.Patient], entry)
	rule := RuleKey{a.Enrolment, a.Device, a.Rule}
	l.knownOf[rule] = append(l.knownOf[rule], entry)
	if of, read := l.rules[rule]; read {
		l.rules[rule] = append(of, entry)
	}
	if open, read := l.patients[a.Patient]; read {
		l.patients[a.Patient] = append(open, entry)
	}
}

// knowAll returns what was read, and those known already that belong to it.
func (l *Ledger) knowAll(read, known []*Entry) []*Entry {
	all := slices.Clone(known)
	for _, entry := range read {
		if entry = l.know(entry); !slices.Contains(all, entry) {
			all = append(all, entry)
		}
	}
	slices.SortFunc(all, func(a, b *Entry) int { return a.compare(b) })
	return all
}

// compare puts alerts in the order of raising.
func (e *Entry) compare(other *Entry) int {
	added := func(e *Entry) int {
		if e.added {
			return 1
		}
		return 0
	}
	return cmp.Or(e.Alert.RaisedAt.Compare(other.Alert.RaisedAt), cmp.Compare(added(e), added(other)),
		cmp.Compare(e.Number, other.Number), cmp.Compare(e.order, other.order))
}

// current is the latest unresolved alert of those of a rule; nil for none.
func current(of []*Entry) (latest *Entry) {
	for _, e := range of {
		if e.Alert.State != Resolved && (latest == nil || e.compare(latest) > 0) {
			latest = e
		}
	}
	return latest
}

// last is the alert of a rule that was resolved last; nil for none.
func last(of []*Entry) (latest *Entry) {
	for _, e := range of {
		if e.Alert.State == Resolved && (latest == nil || cmp.Or(e.Alert.ResolvedAt.Compare(latest.Alert.ResolvedAt), e.compare(latest)) > 0) {
			latest = e
		}
	}
	return latest
}

// newest is the alert of a rule whose evidence is the latest, whatever became of it:
// the one that tells where the patient stands. Nil for none.
func newest(of []*Entry) (latest *Entry) {
	for _, e := range of {
		if latest == nil || cmp.Or(e.Alert.LastAt.Compare(latest.Alert.LastAt), e.compare(latest)) > 0 {
			latest = e
		}
	}
	return latest
}

func (e *Entry) alert() *Alert {
	if e == nil {
		return nil
	}
	return &e.Alert
}
