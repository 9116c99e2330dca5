package engine

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
	"vigie/protocols/engine/internal/plan"
)

// A snapshot holds what cannot be told from the readings since Lookback: how
// far evaluation has come, where each rule stood when, and what was reported.
// All numbers are varints:
//
//	version, edition, due
//	clusters: number, then of each the mark it has reached: moment and turn
//	rules:    number, then of each, in the protocol's order
//	          changes:  number, then of each moment, level, run and what waits
//	          episodes: number, then of each start, end and level
//
// A moment is the difference to the one before. Where a rule stands now is its
// last change. The edition tells the version of the protocol: where the rules of
// one version stood says nothing about those of another. Version 1 lacked it.
const snapshotVersion = 2

// edition identifies a version of a protocol.
func editionOf(p *protocols.Protocol) int {
	return int(crc32.Update(crc32.ChecksumIEEE([]byte(p.ID+"@")), crc32.IEEETable, []byte(p.Version)) >> 1)
}

// Lookback is how much history evaluation needs.
func (s *State) Lookback() time.Duration { return s.lookback }

// Since tells from when on Load needs history.
func (s *State) Since(snapshot []byte, from time.Time) time.Time {
	if len(snapshot) == 0 {
		return from.Add(-s.lookback)
	}
	d := decoder{rest: snapshot}
	mine := d.opens(editionOf(s.plan.Protocol))
	unsettled := []moment.Instant{d.moment()}
	if !mine {
		unsettled = append(unsettled, d.waits()...)
	}
	if first := slices.Min(unsettled); d.err == nil && first < from.UnixNano() {
		from = moment.Time(first)
	}
	return from.Add(-s.lookback)
}

// Snapshot appends what must be kept beside the readings.
func (s *State) Snapshot(dst []byte) []byte {
	s.dirty, s.keptDue = false, s.due()
	e := encoder{to: dst}
	e.count(snapshotVersion)
	e.count(editionOf(s.plan.Protocol))
	e.moment(s.keptDue)
	e.count(len(s.clusters))
	for i := range s.clusters {
		e.moment(s.clusters[i].done.At)
		e.count(int(s.clusters[i].done.Turn))
	}
	e.count(len(s.rules))
	for i := range s.rules {
		e.rule(&s.rules[i])
	}
	return e.to
}

// Load brings the state to where a former one was.
func (s *State) Load(snapshot []byte, history []*protocols.Reading, since time.Time) error {
	reached := make([]moment.Mark, len(s.clusters))
	for i := range reached {
		reached[i] = moment.DayEnd.At(moment.FarPast)
	}
	s.dirty, s.keptDue = false, moment.FarFuture
	if err := s.restore(snapshot, reached, history); err != nil {
		return err
	}
	for _, r := range history {
		if place := s.plan.Places[r.Measure.Ordinal()]; place >= 0 {
			at := &reached[s.plan.Measures[place].Cluster]
			if m := moment.Reading.At(r.Time.UnixNano()); at.Before(m) {
				*at = m
			}
		}
	}
	from := moment.Of(since, moment.FarPast)
	for i := range s.clusters {
		c := &s.clusters[i]
		s.empty(c)
		c.done, c.from = reached[i], moment.FarPast
		if from != moment.FarPast {
			c.from = from + int64(s.lookback)
		}
		s.await(c, from)
		s.feedUntil(c, moment.FarFuture, history)
		s.closeBefore(c, c.done.Next())
		s.schedule(c)
	}
	return nil
}

// restore reads a snapshot; an empty one is that of a new enrolment, and one of
// another version of the protocol is taken for it, but for what waits there.
func (s *State) restore(snapshot []byte, reached []moment.Mark, history []*protocols.Reading) error {
	for i := range s.rules {
		r := &s.rules[i]
		r.standing, r.open, r.name = atRest, -1, ""
		r.log, r.episodes = r.log[:0], r.episodes[:0]
	}
	if len(snapshot) == 0 {
		return nil
	}
	d := decoder{rest: snapshot}
	switch mine := d.opens(editionOf(s.plan.Protocol)); {
	case d.err != nil:
		return fmt.Errorf("%w: %w", protocols.ErrSnapshot, d.err)
	case !mine:
		s.dirty = true
		d.moment() // it was due then
		if since := d.waits(); len(since) > 0 {
			s.takeOver(since, history)
		}
		return nil
	}
	s.keptDue = d.moment()
	d.expect(len(s.clusters), "groups of rules")
	for i := range reached {
		reached[i] = moment.Mark{At: d.moment(), Turn: moment.Turn(d.count(int(moment.Deadline)))}
	}
	d.expect(len(s.rules), "rules")
	for i := range s.rules {
		d.rule(&s.rules[i])
	}
	if d.err == nil && len(d.rest) > 0 {
		d.fail("bytes are left over")
	}
	if d.err != nil {
		return fmt.Errorf("%w: %w", protocols.ErrSnapshot, d.err)
	}
	return nil
}

// encoder writes a snapshot.
type encoder struct {
	to   []byte
	last moment.Instant // the moment written before
}

func (e *encoder) count(n int)    { e.to = binary.AppendUvarint(e.to, uint64(n)) }
func (e *encoder) number(n int64) { e.to = binary.AppendVarint(e.to, n) }

// How a moment is written: most are whole seconds, a few are no moment at all.
const (
	writtenPast = iota
	writtenFuture
	writtenSeconds
	writtenNanoseconds
)

// moment writes the difference to the moment before.
func (e *encoder) moment(at moment.Instant) {
	switch difference := at - e.last; {
	case at == moment.FarPast:
		e.count(writtenPast)
		return
	case at == moment.FarFuture:
		e.count(writtenFuture)
		return
	case difference%int64(time.Second) == 0:
		e.count(writtenSeconds)
		e.number(difference / int64(time.Second))
	default:
		e.count(writtenNanoseconds)
		e.number(difference)
	}
	e.last = at
}

func (e *encoder) rule(r *ruleState) {
	e.count(len(r.log))
	for i := range r.log {
		e.moment(r.log[i].at)
		e.standing(&r.log[i].standing)
	}
	e.count(len(r.episodes))
	for i := range r.episodes {
		e.moment(r.episodes[i].start)
		e.moment(r.episodes[i].end)
		e.count(int(r.episodes[i].level))
	}
}

func (e *encoder) standing(s *standing) {
	e.number(int64(s.level))
	e.count(int(s.run))
	waits := 0
	for i, since := range s.waiting {
		if since != 0 {
			waits |= 1 << i
		}
	}
	e.count(waits)
	for i, since := range s.waiting {
		if since != 0 {
			e.moment(since)
			e.number(int64(s.asked[i]))
		}
	}
}

// decoder reads what encoder writes. After the first error everything it reads
// is zero.
type decoder struct {
	rest []byte
	last moment.Instant
	err  error
}

// opens reads the beginning of a snapshot and reports whether the rest is of that
// edition.
func (d *decoder) opens(edition int) bool {
	switch version := d.count(math.MaxInt32); {
	case d.err != nil:
		return false
	case version == 1:
		return true
	case version != snapshotVersion:
		d.fail(fmt.Sprintf("its version is %d, this program reads %d", version, snapshotVersion))
		return false
	}
	return d.count(math.MaxInt32) == edition && d.err == nil
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s, %d bytes before its end", why, len(d.rest))
	}
	d.rest = nil
}

func (d *decoder) number() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 {
		d.fail("it breaks off")
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

// count reads a number from 0 to limit.
func (d *decoder) count(limit int) int {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.fail("it breaks off")
		return 0
	}
	d.rest = d.rest[size:]
	if n > uint64(limit) {
		d.fail(fmt.Sprintf("%d stands where at most %d can", n, limit))
		return 0
	}
	return int(n)
}

// expect reads a count that is known before.
func (d *decoder) expect(n int, what string) {
	if got := d.count(math.MaxInt32); d.err == nil && got != n {
		d.fail(fmt.Sprintf("it has %d %s, the protocol %d", got, what, n))
	}
}

// farthest is how far from 1970 a moment of a state can lie, either way: of the lives that
// are followed, and so that two of them can be subtracted. What a damaged snapshot tells of
// the year 2262 would have days end there without end.
const farthest = 140 * 365 * 24 * int64(time.Hour)

func (d *decoder) moment() moment.Instant {
	unit := int64(1)
	switch d.count(writtenNanoseconds) {
	case writtenPast:
		return moment.FarPast
	case writtenFuture:
		return moment.FarFuture
	case writtenSeconds:
		unit = int64(time.Second)
	}
	n := d.number()
	if n < -farthest/unit || n > farthest/unit || d.last+n*unit < -farthest || d.last+n*unit > farthest {
		d.fail("it tells of a moment that nobody lives in")
		return d.last
	}
	d.last += n * unit
	return d.last
}

func (d *decoder) rule(r *ruleState) {
	for range d.count(maxChanges) {
		at := d.moment()
		r.log = append(r.log, change{at, d.standing(len(r.plan.Names))})
	}
	for range d.count(math.MaxInt16) {
		e := episode{start: d.moment(), end: d.moment(), level: int8(d.count(len(r.plan.Names) - 1))}
		e.nth = beganAt(r.episodes, e.start)
		r.episodes = append(r.episodes, e)
	}
	if d.err != nil {
		return
	}
	r.standing = r.stood(moment.FarFuture)
	r.sortEpisodes()
	if r.active() != (r.open >= 0) {
		d.fail("an episode goes on without its rule, or a rule without its episode")
	}
}

func (d *decoder) standing(levels int) standing {
	s := standing{level: int8(d.number()), run: int16(d.count(math.MaxInt16))}
	if s.level < -1 || int(s.level) >= levels {
		d.fail("there is no such level")
	}
	waits := d.count(1<<plan.MaxLevels - 1)
	for i := range s.waiting {
		if waits&(1<<i) != 0 {
			if s.waiting[i] = d.moment(); s.waiting[i] == moment.FarPast || s.waiting[i] == moment.FarFuture {
				d.fail("a level waits since no moment") // and would wait for it without end
			}
			s.asked[i] = int8(d.number())
		}
	}
	return s
}
