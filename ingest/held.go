package ingest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// Held are episodes of the past that went on where a part of an import ended. They are
// neither over nor known to hold: a later part tells. They stand beside the state of
// their enrolment, in the same record, so that whoever evaluates it next knows them, on
// whatever node, and they go when the patient is erased.
//
// So are episodes that a part seems to hold behind its last reading and that a reading of
// later has ended: what lies between is not silence, it is the next part, which is asked anew.
// For the same reason a sweep between two parts finds nothing behind the last reading of the
// first: see protocols.OnItsWay.
//
// An episode of the past that ends is dropped. One that still holds at the end of the import is
// raised; so is one that a reading of the present confirms, and one of an import that
// was broken off, an hour after its last part. Where several imports of one patient go
// on, or strikes of such, each may end what another holds: the last of them raises it.
type held struct {
	Until    time.Time            `json:"until"`           // when they are raised if nothing comes
	Acts     map[string]time.Time `json:"acts,omitempty"`  // what goes on, and until when if nothing of it comes
	Parts    map[string]part      `json:"parts,omitempty"` // how far each import has come
	Findings []protocols.Finding  `json:"findings"`
}

// part is how far an import has come.
type part struct {
	Last     time.Time `json:"last"` // the time of its latest reading
	Measures []string  `json:"measures"`
}

// empty reports whether nothing is held, and no import goes on.
func (h *held) empty() bool { return len(h.Findings)+len(h.Parts) == 0 }

// last is the time of the latest reading of an import that goes on; zero for none.
func (h *held) last() (last time.Time) {
	for _, p := range h.Parts {
		if p.Last.After(last) {
			last = p.Last
		}
	}
	return last
}

// goesOn notes that there is more of an act.
func (h *held) goesOn(act string, until time.Time) {
	if h.Acts == nil {
		h.Acts = map[string]time.Time{}
	}
	h.Acts[act] = until
	h.wait(until)
}

// ends notes that an act is at its end.
func (h *held) ends(act string, now time.Time) {
	delete(h.Acts, act)
	delete(h.Parts, act)
	h.wait(now)
}

// wait holds what is held until a time, or as long as an act goes on.
func (h *held) wait(until time.Time) {
	h.Until = until
	for _, end := range h.Acts {
		if end.After(h.Until) {
			h.Until = end
		}
	}
}

// entering and strikingOut name acts that may come in several parts.
func entering(device string) string   { return "import of " + device }
func strikingOut(batch string) string { return "strike of " + batch }

// heldFor is how long an import that was broken off may wait to be resumed.
const heldFor = time.Hour

// mostHeld is how many findings of one episode are held: its beginning, its rises, and the
// latest readings for which it holds.
const mostHeld = 64

// episode names a stretch of time for which a rule held.
type episode struct{ enrolment, rule, name string }

func episodeOf(f *protocols.Finding) episode { return episode{f.Enrolment, f.Rule, f.Episode} }

// sealed marks a kept state with held episodes. A program that does not know them cannot
// read it, and computes the state again.
const sealed = 0xfe

// seal puts held episodes before a snapshot.
func (h *held) seal(snapshot []byte) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write the episodes that are held: %w", err)
	}
	record := binary.AppendUvarint([]byte{sealed}, uint64(len(text)))
	return append(append(record, text...), snapshot...), nil
}

// unseal parts a kept state into held episodes and the snapshot.
func unseal(record []byte) (h held, snapshot []byte, err error) {
	if len(record) == 0 || record[0] != sealed {
		return h, record, nil
	}
	size, n := binary.Uvarint(record[1:])
	rest := record[1+max(n, 0):]
	if n <= 0 || size > uint64(len(rest)) {
		return h, nil, fmt.Errorf("%w: it ends within the episodes that are held", ErrDamaged)
	}
	if err := json.Unmarshal(rest[:size], &h); err != nil {
		return held{}, nil, fmt.Errorf("%w: read the episodes that are held: %w", ErrDamaged, err)
	}
	return h, rest[size:], nil
}

// loadState reads the kept state of an enrolment; ErrDamaged where it is not what was written.
func loadState(tx Tx, enrolment string) (h held, snapshot []byte, version int64, err error) {
	record, version, err := tx.LoadState(enrolment)
	if err == nil {
		h, snapshot, err = unseal(record)
	}
	return h, snapshot, version, err
}

// ended reports whether an episode is held with its end.
func (h *held) ended(of episode) bool {
	return slices.ContainsFunc(h.Findings, func(f protocols.Finding) bool { return f.Kind == protocols.Ended && episodeOf(&f) == of })
}

// holds reports whether an episode is held.
func (h *held) holds(of episode) bool {
	return slices.ContainsFunc(h.Findings, func(f protocols.Finding) bool { return episodeOf(&f) == of })
}

// add holds one more finding.
func (h *held) add(f *protocols.Finding) {
	h.Findings = append(h.Findings, *f)
	n, oldest := 0, -1
	for i := range h.Findings {
		if episodeOf(&h.Findings[i]) != episodeOf(f) {
			continue
		}
		if n++; oldest < 0 && h.Findings[i].Kind == protocols.Again {
			oldest = i
		}
	}
	if n > mostHeld && oldest >= 0 {
		h.Findings = slices.Delete(h.Findings, oldest, oldest+1)
	}
}

// take gives back what is held of an episode.
func (h *held) take(of episode) (findings []protocols.Finding) {
	h.Findings = slices.DeleteFunc(h.Findings, func(f protocols.Finding) bool {
		if episodeOf(&f) != of {
			return false
		}
		findings = append(findings, f)
		return true
	})
	return findings
}

// hold takes the episodes of the past that this part of an import leaves open out of the
// findings.
func (c *committer) hold(act string) { c.holdThese(act, raised(c.work.findings, c.isPast)) }

// holdBehind takes out of the findings what is over and began behind the last reading of a
// part: the next part tells whether it was.
func (c *committer) holdBehind(act string, last time.Time) {
	_, behind := withoutPast(slices.Clone(c.work.findings), func(f *protocols.Finding) bool { return f.At.After(last) })
	c.holdThese(act, behind)
}

// notePart notes how far an import has come.
func (c *committer) notePart(act string, readings []protocols.Reading) {
	p := part{Last: readings[len(readings)-1].Time}
	for i := range readings {
		if id := readings[i].Measure.ID; !slices.Contains(p.Measures, id) {
			p.Measures = append(p.Measures, id)
		}
	}
	for _, e := range c.work.touched {
		if e.held.Parts == nil {
			e.held.Parts = map[string]part{}
		}
		e.held.Parts[act] = p
		e.held.goesOn(act, c.work.now.Add(heldFor))
		e.heldMoved = true
	}
}

// holdBetween is holdBehind for readings that come by themselves between two parts of an
// import: what began behind the part, before the first of them, and is over, waits for the
// next one. What was over long ago is history.
func (c *committer) holdBetween() {
	w := &c.work
	if w.amid {
		return
	}
	for _, e := range w.touched {
		if len(e.held.Parts) == 0 || len(e.fresh) == 0 {
			continue
		}
		last, first := e.held.last(), e.fresh[0].Time
		between := func(f *protocols.Finding) bool {
			return f.Enrolment == e.ID && f.At.After(last) && f.At.Before(first)
		}
		var past map[episode]bool
		w.findings, past = withoutPast(w.findings, func(f *protocols.Finding) bool { return between(f) && c.isPast(f) })
		c.untold(past)
		if _, these := withoutPast(slices.Clone(w.findings), between); len(these) > 0 {
			c.holdThese(slices.Collect(maps.Keys(e.held.Parts))[0], these)
		}
	}
}

// raised are the episodes that are raised and of which something is so.
func raised(findings []protocols.Finding, is func(*protocols.Finding) bool) map[episode]bool {
	these := map[episode]bool{}
	for i := range findings {
		if f := &findings[i]; f.Kind == protocols.Raised && is(f) {
			these[episodeOf(f)] = true
		}
	}
	return these
}

// askAnew drops what was held behind the last reading of a part where readings have come
// that are earlier: the evaluation finds it again, if it is so.
func (c *committer) askAnew(e *enrolment) {
	if len(e.held.Findings) == 0 || len(e.fresh) == 0 {
		return
	}
	earliest := slices.MinFunc(e.fresh, func(a, b *protocols.Reading) int { return a.Time.Compare(b.Time) }).Time
	_, again := withoutPast(slices.Clone(e.held.Findings), func(f *protocols.Finding) bool { return f.At.After(earliest) })
	for of := range again {
		e.held.take(of)
		e.heldMoved = true
	}
	e.evaluator.Forget(func(rule, name string) bool { return again[episode{e.ID, rule, name}] })
}

func (c *committer) holdThese(act string, these map[episode]bool) {
	w := &c.work
	for _, e := range w.touched {
		w.findings = slices.DeleteFunc(w.findings, func(f protocols.Finding) bool {
			if f.Enrolment != e.ID || !these[episodeOf(&f)] {
				return false
			}
			e.held.add(&f)
			return true
		})
		if len(e.held.Findings) > 0 {
			e.held.goesOn(act, w.now.Add(heldFor))
			e.heldMoved = true
		}
	}
}

// untold has evaluations forget episodes that are over and that nobody was told of. Were one
// taken for told, an episode that late readings find in its place would not be.
func (c *committer) untold(past map[episode]bool) {
	if len(past) == 0 {
		return
	}
	for _, e := range c.work.touched {
		if !e.loaded {
			continue
		}
		e.evaluator.Forget(func(rule, name string) bool { return past[episode{e.ID, rule, name}] })
		e.heldMoved = true
	}
}

// told is the time from which on an enrolment is told what an import finds: what is older
// is history.
func (c *committer) told(enrolment string) time.Time {
	before := c.work.now.Add(-c.config.Limits.TooOld)
	for _, e := range c.work.touched {
		if e.ID == enrolment && e.From.After(before) {
			return e.From
		}
	}
	return before
}

// isPast reports whether a finding is of before the time from which on its enrolment is told.
func (c *committer) isPast(f *protocols.Finding) bool { return f.At.Before(c.told(f.Enrolment)) }

// confirm holds the findings of an enrolment against the episodes that are held. What ends
// them takes them away. What shows that one goes on today has it raised, and all that is
// left is raised once its time has come.
func (c *committer) confirm(e *enrolment) {
	w := &c.work
	found := w.findings
	w.findings = nil
	over := map[episode]bool{}
	for i := range found {
		f := &found[i]
		of := episodeOf(f)
		if f.Enrolment != e.ID || !e.held.holds(of) {
			w.findings = append(w.findings, *f)
			continue
		}
		e.heldMoved = true
		switch {
		case f.Kind == protocols.Withdrawn || f.Kind == protocols.Ended && !e.held.ended(of):
			e.held.take(of)
			over[of] = true
		case w.amid || c.isPast(f):
			e.held.add(f)
		default:
			w.findings = append(append(w.findings, e.held.take(of)...), *f)
		}
	}
	if !w.now.Before(e.held.Until) {
		if e.Consent.At(w.now) { // nobody is told anything more of who has withdrawn
			w.findings = append(w.findings, e.held.Findings...)
		}
		e.held, e.heldMoved = held{}, true
	}
	c.untold(over)
}

// saveStates keeps the states of the work at hand, and beside them what is held.
func (c *committer) saveStates(tx Tx) error {
	w := &c.work
	for _, e := range w.touched {
		if e.held.empty() && !e.heldMoved {
			continue
		}
		if err := c.saveHeld(e); err != nil {
			return err
		}
	}
	return tx.SaveStates(w.states)
}

// saveHeld puts what is held of an enrolment into its record.
func (c *committer) saveHeld(e *enrolment) error {
	w := &c.work
	i := slices.IndexFunc(w.states, func(s StateRecord) bool { return s.Enrolment == e.ID })
	if i < 0 {
		c.save(e, true)
		i = len(w.states) - 1
	}
	record := &w.states[i]
	switch {
	case e.heldMoved:
		record.Snapshot = e.evaluator.Snapshot(nil)
		if record.Due.IsZero() {
			record.Due = e.evaluator.Due()
		}
	case record.Snapshot == nil:
		return nil // it stands as it was kept
	}
	if e.held.empty() {
		return nil
	}
	if record.Due.IsZero() || e.held.Until.Before(record.Due) {
		record.Due = e.held.Until
	}
	var err error
	record.Snapshot, err = e.held.seal(record.Snapshot)
	return err
}

// letGo has what is held raised where an act was the last that went on.
func (c *committer) letGo(act string) {
	for _, e := range c.work.touched {
		if !e.held.empty() {
			e.held.ends(act, c.work.now)
			e.heldMoved = true
		}
	}
}

// release raises what is held of the enrolments of a device: the import is at its end.
func (c *committer) release(ctx context.Context, name string) error {
	c.work.reset(ctx, c.config.Now(), nil)
	if err := c.directory.begin(ctx); err != nil {
		return err
	}
	device, err := c.directory.device(ctx, name)
	if err != nil {
		return err
	}
	for _, e := range device.enrolments {
		if e.fault != nil {
			continue
		}
		if _, err := c.directory.evaluator(e); err == nil {
			c.concern(e, c.work.now)
		}
	}
	return c.config.Store.Update(ctx, func(tx Tx) error {
		c.expect(tx)
		if err := c.prepare(tx); err != nil {
			return err
		}
		c.letGo(entering(name))
		if err := c.handOn(tx); err != nil {
			return err
		}
		return c.saveStates(tx)
	})
}
