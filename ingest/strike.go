package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// Striking is what a person says of readings of a patient: that they are not to be used, or,
// to undo that, that they are after all. It is about what was measured in [From, To), of
// one device, id, import or measure where these are named.
type Striking struct {
	Patient  string
	From, To time.Time
	Device   string
	ID       string
	Batch    string // only what was entered by this import, see BatchName
	Measure  *protocols.Measure
	Author   string
	Reason   string
	// Wide has an undo take back only what these acts struck out, whoever struck out the
	// rest for a reason of its own; nil for everything that is named.
	Wide *WideStrikes
}

// names reports whether a strike is about a reading.
func (s *Striking) names(r *protocols.Reading) bool {
	return (s.Device == "" || r.Device == s.Device) && (s.ID == "" || r.ID == s.ID) && (s.Measure == nil || r.Measure == s.Measure) &&
		(s.Batch == "" || r.Origin != nil && r.Origin.Batch == s.Batch) &&
		!r.Time.Before(s.From) && r.Time.Before(s.To)
}

// Mark is one reading that was struck out, by whom and why, and whether that was undone.
type Mark struct {
	Reading Name
	Values  []protocols.Value
	Author  string
	Reason  string
	At      time.Time
	// Undone is when it was taken back; zero while it stands.
	Undone       time.Time
	UndoneBy     string
	UndoneReason string
}

// Of reports whether a mark is about a reading: another one of the same name, with other
// values, stands in the place of one that was struck out.
func (m *Mark) Of(r *protocols.Reading) bool {
	n := NameOf(r)
	return m.Reading.Device == n.Device && m.Reading.ID == n.ID && m.Reading.Measure == n.Measure && m.Reading.Time.Equal(n.Time) && slices.Equal(m.Values, r.Values)
}

// MostStruck is how many readings one transaction may strike out: a month of a glucose
// sensor. An import is struck out as one however long it is, in as many as it takes.
const MostStruck = 10_000

// Why readings cannot be struck out, or that cannot be undone.
var (
	ErrNoneToStrike = errors.New("there is no such reading")
	ErrStruckBefore = errors.New("these readings are struck out already")
	ErrNotStruck    = errors.New("these readings are not struck out")
	ErrManyToStrike = fmt.Errorf("one act strikes out %d readings at most", MostStruck)
	ErrReplaced     = errors.New("the device has told the reading anew since, and that one stands: strike it out first")
	ErrOnlyBeyond   = errors.New("the store has forgotten these readings, or what came before them: InfluxDB has the only copy")
)

// Strike marks readings as not to be used, and evaluates again as if they had never been:
// what rested on them alone is closed in that person's name. What is told twice of one
// measurement goes with it. It returns the readings. The errors of this file say why it
// cannot be done.
func (p *Pipeline) Strike(ctx context.Context, s Striking) ([]*protocols.Reading, error) {
	return p.strikeAll(ctx, s, false)
}

// Unstrike takes that back: the readings are evaluated as if they came now.
func (p *Pipeline) Unstrike(ctx context.Context, s Striking) ([]*protocols.Reading, error) {
	return p.strikeAll(ctx, s, true)
}

// strikeAll strikes out the readings of an import, which may be many: the latest first, so
// that few are evaluated again each time, and the earliest first to undo it. An act that was
// cut short goes on where it is asked for again; what it has done until then is returned
// beside the error.
func (p *Pipeline) strikeAll(ctx context.Context, about Striking, undo bool) (struck []*protocols.Reading, err error) {
	for {
		s := &striking{Striking: about, undo: undo, goesOn: len(struck) > 0}
		some, err := p.strike(ctx, s)
		done := len(struck) > 0 && errors.Is(err, s.nothing(true)) // somebody else has done the rest
		if err != nil && !done {
			slices.SortFunc(struck, canonical)
			return struck, err
		}
		struck = append(struck, some...)
		switch {
		case !s.rest || done:
			slices.SortFunc(struck, canonical)
			return struck, nil
		case undo:
			about.From = some[len(some)-1].Time
		default:
			about.To = some[0].Time.Add(1)
		}
	}
}

// Tried is what a strike would do.
type Tried struct {
	Readings []*protocols.Reading
	Findings []protocols.Finding
}

// TryStrike says what Strike would do, or Unstrike with undo, and does nothing.
func (p *Pipeline) TryStrike(ctx context.Context, about Striking, undo bool) (Tried, error) {
	s := &striking{Striking: about, undo: undo, try: true}
	_, err := p.strike(ctx, s)
	if errors.Is(err, errTried) {
		err = nil
	}
	return Tried{s.readings, s.findings}, err
}

// errTried ends a transaction that was to be tried only.
var errTried = errors.New("tried only")

func (p *Pipeline) strike(ctx context.Context, s *striking) (struck []*protocols.Reading, err error) {
	err = p.do(ctx, func() error {
		began := time.Now()
		err := ErrConflict
		for i := 0; i < conflicts && errors.Is(err, ErrConflict); i++ {
			err = p.committer.guarded(func() error { return p.committer.strike(ctx, s) })
		}
		if err == nil && p.config.Committed != nil {
			p.config.Committed(p.committer.summary(began))
		}
		return err
	})
	return s.readings, err
}

// striking is a strike at work.
type striking struct {
	Striking
	undo     bool
	try      bool                 // leave all as it was
	rest     bool                 // there are more of this import
	goesOn   bool                 // some of this import were before
	every    []*protocols.Reading // in canonical order, with those of later transactions
	readings []*protocols.Reading // in canonical order, with their twins
	findings []protocols.Finding  // of a try
	marks    []Mark               // those that an undo may take back, where Wide says so
}

// mine reports whether a reading is struck out by what an undo takes back.
func (s *striking) mine(r *protocols.Reading) bool {
	return !s.undo || s.Wide == nil || slices.ContainsFunc(s.marks, func(m Mark) bool { return m.Of(r) })
}

// strike does it in one transaction.
func (c *committer) strike(ctx context.Context, s *striking) error {
	w := &c.work
	w.reset(ctx, c.config.Now(), nil)
	if err := c.directory.begin(ctx); err != nil {
		return err
	}
	if err := c.followers(ctx, s.Patient); err != nil {
		return err
	}
	if s.undo && s.Wide != nil {
		marks, err := c.config.Store.Marks(ctx, s.Patient, s.From, s.To)
		if err != nil {
			return fmt.Errorf("see by what readings are struck out: %w", err)
		}
		s.marks = slices.DeleteFunc(marks, func(m Mark) bool { return !m.Undone.IsZero() || !s.Wide.Made(&m) })
	}
	if err := c.config.Store.Update(ctx, func(tx Tx) error { return c.strikeIn(tx, s) }); err != nil {
		return err
	}
	c.remember()
	return nil
}

// followers takes the enrolments of a patient into the work at hand.
func (c *committer) followers(ctx context.Context, patient string) error {
	enrolments, err := c.config.Store.EnrolmentsOf(ctx, patient)
	if err != nil {
		return fmt.Errorf("list the enrolments of a patient: %w", err)
	}
	for i := range enrolments {
		e := c.directory.enrol(&enrolments[i])
		if e.fault != nil {
			continue
		}
		if _, err := c.directory.evaluator(e); err != nil {
			continue // it is told, and evaluates nothing
		}
		c.concern(e, c.work.now)
	}
	return nil
}

// strikeIn is the transaction. What is known is loaded before the readings are marked:
// that is how it was evaluated.
func (c *committer) strikeIn(tx Tx, s *striking) error {
	w := &c.work
	c.expect(tx)
	if err := s.choose(tx); err != nil {
		return c.elsewhere(s, err)
	}
	if err := c.claim(tx); err != nil { // also of what is in memory: a try keeps nothing that would tell
		return err
	}
	if err := c.unchanged(tx); err != nil {
		return err
	}
	if err := c.bringAll(tx); err != nil {
		return err
	}
	if s.rest && !s.goesOn {
		if err := c.wholeOfAll(tx, s); err != nil {
			return err
		}
	}
	evaluate := c.evaluateWithout
	if s.undo {
		evaluate = c.evaluateWith
	}
	if err := evaluate(tx, s); err != nil {
		return err
	}
	for i := range w.findings {
		if f := &w.findings[i]; f.Kind == protocols.Withdrawn || f.Kind == protocols.Revised {
			f.Author, f.Reason = s.Author, s.Reason
		}
	}
	c.quiet(s)
	if s.try {
		s.findings = slices.Clone(w.findings)
		return errTried
	}
	c.holdAmid(s)
	if err := c.handOn(tx); err != nil {
		return err
	}
	return c.saveStates(tx)
}

// quiet takes out the episodes that are over, and began before the time from which on
// their enrolment is told, as an import does that finds them. What one that was told has
// turned into is told, and so is what comes back of readings that came by themselves.
func (c *committer) quiet(s *striking) {
	w := &c.work
	if s.undo && s.Batch == "" {
		return
	}
	withdrawn := map[episode]bool{} // of what rule, whatever the episode
	for i := range w.findings {
		if f := &w.findings[i]; f.Kind == protocols.Withdrawn {
			withdrawn[episode{f.Enrolment, f.Rule, ""}] = true
		}
	}
	var past map[episode]bool
	w.findings, past = withoutPast(w.findings, func(f *protocols.Finding) bool {
		return c.isPast(f) && !withdrawn[episode{f.Enrolment, f.Rule, ""}]
	})
	c.untold(past)
}

// holdAmid holds what only seems to go on since the rest of an import is not struck out
// yet, or has not come back. Behind the last of it, what is held is raised.
func (c *committer) holdAmid(s *striking) {
	switch {
	case s.rest:
		c.work.amid = true
		c.hold(strikingOut(s.Batch))
	case s.goesOn:
		c.letGo(strikingOut(s.Batch))
	}
}

// choose finds the readings that a strike is about, and what is told twice with them.
func (s *striking) choose(tx Tx) error {
	s.every, s.readings, s.rest = nil, nil, false
	var all []*protocols.Reading
	if err := tx.History(s.Patient, s.Measure, s.From, s.To, func(r *protocols.Reading) bool { all = append(all, r); return true }); err != nil {
		return err
	}
	before := false
	for _, r := range all {
		switch {
		case !s.names(r):
		case r.Struck == s.undo && s.mine(r):
			s.readings = append(s.readings, r)
		default:
			before = true
		}
	}
	if s.undo && s.replaced(all) {
		return ErrReplaced
	}
	switch {
	case len(s.readings) > MostStruck && s.Batch == "":
		return ErrManyToStrike
	case len(s.readings) > MostStruck && !s.try:
		s.rest, s.every = true, slices.Clone(s.readings)
		if s.undo {
			s.readings = s.readings[:MostStruck]
		} else {
			s.readings = s.readings[len(s.readings)-MostStruck:]
		}
	case len(s.readings) == 0:
		return s.nothing(before)
	}
	s.addTwins(all)
	return nil
}

// nothing says why no reading is left to be struck out, or to be taken back: there is none,
// or it was done before.
func (s *striking) nothing(before bool) error {
	switch {
	case !before:
		return ErrNoneToStrike
	case s.undo:
		return ErrNotStruck
	}
	return ErrStruckBefore
}

// replaced reports whether another reading stands in the place of one that was struck out.
func (s *striking) replaced(all []*protocols.Reading) bool {
	standing := map[named]bool{}
	for _, r := range all {
		standing[nameOf(r)] = standing[nameOf(r)] || !r.Struck
	}
	return slices.ContainsFunc(s.readings, func(r *protocols.Reading) bool { return standing[nameOf(r)] })
}

// addTwins adds what tells the same measurements under other ids or of other devices.
func (s *striking) addTwins(all []*protocols.Reading) {
	at := map[int64][]*protocols.Reading{}
	chosen := map[*protocols.Reading]bool{}
	for _, r := range s.readings {
		at[r.Time.UnixNano()], chosen[r] = append(at[r.Time.UnixNano()], r), true
	}
	for _, r := range all {
		if !chosen[r] && r.Struck == s.undo && s.mine(r) && slices.ContainsFunc(at[r.Time.UnixNano()], r.Alike) {
			s.readings = append(s.readings, r)
		}
	}
	slices.SortFunc(s.readings, canonical)
}

// elsewhere says of readings that are not found when the store has forgotten them.
func (c *committer) elsewhere(s *striking, err error) error {
	if !errors.Is(err, ErrNoneToStrike) {
		return err
	}
	return cmp.Or(c.whole(s.Patient, s.From, s.To), err)
}

// whole returns ErrOnlyBeyond when the store has forgotten something of a patient that was
// measured in [from, to).
func (c *committer) whole(patient string, from, to time.Time) error {
	store, ok := c.config.Store.(Remembering)
	if !ok {
		return nil
	}
	forgotten, err := store.Forgotten(c.work.ctx, patient, nil, from, to)
	if err == nil && (len(forgotten.Days) > 0 || forgotten.Unrecorded.After(from)) {
		err = ErrOnlyBeyond
	}
	return err
}

// wholeOfAll returns ErrOnlyBeyond when a later transaction of the same strike would: it is
// done as one, or not at all.
func (c *committer) wholeOfAll(tx Tx, s *striking) error {
	until := s.readings[0].Time // where the latest part begins
	if s.undo {
		until = s.every[(len(s.every)-1)/MostStruck*MostStruck].Time
	}
	for _, e := range c.work.touched {
		mine, err := c.among(tx, e, s.every)
		if err != nil {
			return err
		}
		if len(mine) == 0 {
			continue
		}
		reach := e.evaluator.ReachStruck
		if s.undo {
			reach = e.evaluator.Reach
		}
		if err := c.whole(s.Patient, reach(mine), until); err != nil {
			return err
		}
	}
	return nil
}

// evaluateWithout marks the readings and evaluates as if they had never been.
func (c *committer) evaluateWithout(tx Tx, s *striking) error {
	w := &c.work
	type known struct{ struck, history []*protocols.Reading }
	before := make([]known, len(w.touched))
	for i, e := range w.touched {
		mine, err := c.among(tx, e, s.readings)
		if err != nil || len(mine) == 0 {
			before[i] = known{}
			if err != nil {
				return err
			}
			continue
		}
		since := e.evaluator.ReachStruck(mine)
		if err := c.whole(s.Patient, since, mine[0].Time); err != nil {
			return err
		}
		history, err := c.history(tx, e, since)
		if err != nil {
			return err
		}
		before[i] = known{mine, history}
	}
	if err := c.mark(tx, s); err != nil {
		return err
	}
	for i, e := range w.touched {
		if k := before[i]; len(k.struck) > 0 {
			w.findings = e.evaluator.Strike(k.struck, k.history, w.now, w.findings)
			c.save(e, true)
		}
	}
	return nil
}

// evaluateWith takes the marks away and evaluates the readings as if they came now.
func (c *committer) evaluateWith(tx Tx, s *striking) error {
	if err := c.mark(tx, s); err != nil {
		return err
	}
	for _, e := range c.work.touched {
		mine, err := c.among(tx, e, s.readings)
		if err != nil {
			return err
		}
		if len(mine) == 0 {
			continue
		}
		e.fresh, e.past = e.fresh[:0], e.past[:0]
		for _, r := range mine {
			if e.Covers(r.Time) || e.Remembers(r.Time) {
				e.fresh = append(e.fresh, r)
			} else {
				e.past = append(e.past, r)
			}
		}
		if err := c.whole(s.Patient, e.evaluator.Reach(mine), mine[0].Time); err != nil {
			return err
		}
		if err := c.look(tx, e); err != nil {
			return fmt.Errorf("evaluate the enrolment %s: %w", e.ID, err)
		}
		c.save(e, true)
	}
	return nil
}

// among are those of the readings by which an enrolment is evaluated.
func (c *committer) among(tx Tx, e *enrolment, readings []*protocols.Reading) ([]*protocols.Reading, error) {
	wanted := map[named]bool{}
	for _, r := range readings {
		wanted[nameOf(r)] = true
	}
	history, err := c.history(tx, e, readings[0].Time)
	return slices.DeleteFunc(history, func(r *protocols.Reading) bool { return !wanted[nameOf(r)] }), err
}

// mark keeps what was said of the readings, for the store and for InfluxDB.
func (c *committer) mark(tx Tx, s *striking) error {
	kind, mark := Strike, tx.Strike
	if s.undo {
		kind, mark = Unstrike, tx.Unstrike
	}
	if err := mark(s.readings, s.Author, s.Reason, c.work.now); err != nil {
		return err
	}
	for _, r := range s.readings {
		if err := tx.Send(Errand{Kind: kind, At: c.work.now, Task: Task{Reading: NameOf(r)}}); err != nil {
			return err
		}
	}
	return nil
}

// replace has InfluxDB take away the mark of what was struck out and is told anew: both
// are one point there.
func (c *committer) replace(tx Tx) error {
	for i, fate := range c.work.fates {
		if fate != Replacing {
			continue
		}
		if err := tx.Send(Errand{Kind: Unstrike, At: c.work.now, Task: Task{Reading: NameOf(c.work.readings[i])}}); err != nil {
			return err
		}
	}
	return nil
}

// Pointed wraps the yield of a history so that it gets what stands in InfluxDB: two readings
// of one name are one point there, the one that replaces what was struck out. finish gives
// the last one.
func Pointed(yield func(*protocols.Reading) bool) (next func(*protocols.Reading) bool, finish func() bool) {
	var held *protocols.Reading
	next = func(r *protocols.Reading) bool {
		last := held
		held = r
		switch {
		case last == nil:
			return true
		case nameOf(last) != nameOf(r):
			return yield(last)
		case r.Struck:
			held = last
		}
		return true
	}
	return next, func() bool { return held == nil || yield(held) }
}

// Amounts writes values as stores keep them: "142000 91000 - 72000".
func Amounts(values []protocols.Value) string {
	var buf [128]byte
	text := buf[:0]
	for i, v := range values {
		if i > 0 {
			text = append(text, ' ')
		}
		if v == protocols.Missing {
			text = append(text, '-')
		} else {
			text = strconv.AppendInt(text, int64(v), 10)
		}
	}
	return string(text)
}

// ParseAmounts reads what Amounts wrote into values. A newer version may have written
// more components than this program knows, an older one fewer.
func ParseAmounts(text string, values []protocols.Value) error {
	for i := range values {
		values[i] = protocols.Missing
		var amount string
		amount, text, _ = strings.Cut(text, " ")
		if amount == "" || amount == "-" {
			continue
		}
		v, err := strconv.ParseInt(amount, 10, 64)
		if err != nil {
			return fmt.Errorf("the amounts of a stored reading cannot be read: %w", err)
		}
		values[i] = protocols.Value(v)
	}
	return nil
}
