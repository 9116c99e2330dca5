package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
)

// Entered is what became of readings that a person entered from files.
type Entered struct {
	New        int                                 `json:"new"`   // kept now
	Past       int                                 `json:"past"`  // of these: measured longer ago than a device may tell, kept as history
	Known      int                                 `json:"known"` // kept before: nothing was done twice
	Refused    map[protocols.Code]int              `json:"refused,omitempty"`
	FirstFault map[protocols.Code]protocols.Reason `json:"reasons,omitempty"` // of the first that was refused, by code
	Findings   int                                 `json:"findings"`          // what the protocol found in them
}

// BatchName names the readings that are entered together at a time. No two names are the
// same: whoever strikes a batch out means no other of that second.
func BatchName(at time.Time) string {
	return "import " + at.UTC().Format(time.RFC3339) + " " + strings.ToLower(rand.Text()[:8])
}

// BatchOf names readings that are entered in several parts, after what they are: an import
// that was broken off and begun again is one batch.
func BatchOf(device string, readings []protocols.Reading) string {
	sum := sha256.New()
	fmt.Fprintln(sum, device)
	for i := range readings {
		r := &readings[i]
		fmt.Fprintln(sum, r.ID, r.Time.UnixNano(), r.Measure.ID, Amounts(r.Values))
	}
	return "import " + hex.EncodeToString(sum.Sum(nil)[:8])
}

var batchOfParts = regexp.MustCompile(`^import [0-9a-f]{16}$`)

// IsBatchOfParts reports whether BatchOf has made a name.
func IsBatchOfParts(name string) bool { return batchOfParts.MatchString(name) }

// Enter keeps readings of one device that a person enters, in one
// transaction: all of them, or none. It reorders the slice that it is given.
// They need consent and an enrolment as others do.
// Nothing is told to the device, and nothing says that it was heard. A reading that names
// its patient is refused where the device was another patient's.
//
// What was measured longer ago than a device may tell enters as history, and so does what
// was measured before an enrolment whose consent names that time: it is kept, and the
// rules know it. An episode that began then and is over is not raised; one
// that still holds is.
//
// told may be nil. It is called from time to time, on another goroutine, with how many
// readings are done, of how many. A transaction that is tried again begins anew.
func (p *Pipeline) Enter(ctx context.Context, device string, readings []protocols.Reading, told func(done, of int)) (Entered, error) {
	return p.enter(ctx, device, readings, told, false)
}

// EnterPart is Enter for a part of an import that is too long for one transaction: EnterLast
// takes the part behind which nothing follows. The parts come oldest first. An episode of
// the past that goes on at the end of a part is held, see held: the alerts are those of
// one import. A part may be entered again, and so may all of them.
func (p *Pipeline) EnterPart(ctx context.Context, device string, readings []protocols.Reading) (Entered, error) {
	return p.enter(ctx, device, readings, nil, true)
}

// EnterLast is Enter for the last part of an import.
func (p *Pipeline) EnterLast(ctx context.Context, device string, readings []protocols.Reading) (Entered, error) {
	entered, err := p.enter(ctx, device, readings, nil, true)
	if err != nil {
		return entered, err
	}
	err = p.do(ctx, func() error {
		began := time.Now()
		err := ErrConflict
		for i := 0; i < conflicts && errors.Is(err, ErrConflict); i++ {
			err = p.committer.guarded(func() error { return p.committer.release(ctx, device) })
		}
		if err == nil {
			p.committer.remember()
		}
		if err == nil && p.config.Committed != nil {
			p.config.Committed(p.committer.summary(began))
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("raise what still holds at the end of an import: %w", err)
	}
	return entered, err
}

func (p *Pipeline) enter(ctx context.Context, device string, readings []protocols.Reading, told func(done, of int), more bool) (Entered, error) {
	fresh, err := p.notKept(ctx, device, readings)
	if err != nil {
		return Entered{}, fmt.Errorf("see what is kept already: %w", err)
	}
	known := len(readings) - len(fresh)
	if len(fresh) == 0 {
		return Entered{Known: known}, nil
	}
	it := &item{
		message: Message{Device: device, Received: p.config.Now(), Done: func(error) {}},
		sender:  device, weight: len(fresh), entered: &Entered{}, told: told, more: more, batch: Batch{Readings: fresh},
		civil: true, // the reader of a file knows where the patient lives
	}
	err = p.do(ctx, func() error {
		began := time.Now()
		items := []*item{it}
		if err := p.committer.try(ctx, items); err != nil {
			return err
		}
		p.committer.succeed(items, began)
		return nil
	})
	it.entered.Known += known
	return *it.entered, err
}

// notKept are the readings that are not kept yet, in canonical order. Keep would
// recognise each of them too, but would look each one up.
func (p *Pipeline) notKept(ctx context.Context, device string, readings []protocols.Reading) ([]protocols.Reading, error) {
	slices.SortStableFunc(readings, func(a, b protocols.Reading) int { return canonical(&a, &b) })
	assignment, err := p.config.Store.Device(ctx, device)
	if errors.Is(err, registry.ErrNotFound) || len(readings) == 0 {
		return readings, nil // each is refused for that
	}
	if err != nil {
		return nil, err
	}
	kept := make([]bool, len(readings))
	note := func(k *protocols.Reading) bool {
		i, same := slices.BinarySearchFunc(readings, k, func(r protocols.Reading, k *protocols.Reading) int { return canonical(&r, k) })
		if same && !k.Struck && slices.Equal(k.Values, readings[i].Values) {
			kept[i] = true
		}
		return true
	}
	var patients []string
	for i := range assignment.Enrolments {
		patient := assignment.Enrolments[i].Patient
		if slices.Contains(patients, patient) {
			continue
		}
		patients = append(patients, patient)
		if err := p.config.Store.History(ctx, patient, nil, readings[0].Time, readings[len(readings)-1].Time.Add(1), note); err != nil && !errors.Is(err, ErrDamaged) {
			return nil, err
		}
	}
	fresh := readings[:0]
	for i := range readings {
		if !kept[i] {
			fresh = append(fresh, readings[i])
		}
	}
	return fresh, nil
}

// begin forgets what an attempt before has counted.
func (e *Entered) begin() {
	*e = Entered{Refused: map[protocols.Code]int{}, FirstFault: map[protocols.Code]protocols.Reason{}}
}

// Unreadable adds what a format could not read to what was refused.
func (e *Entered) Unreadable(refused []Refusal) {
	if e.Refused == nil {
		e.Refused, e.FirstFault = map[protocols.Code]int{}, map[protocols.Code]protocols.Reason{}
	}
	for i := range refused {
		e.refuse(refused[i].Reasons)
	}
}

// tell says that n more steps of an import are done. Each reading is a step when it is
// kept, and one more for each enrolment that evaluates it.
func (w *work) tell(n int) {
	if len(w.items) != 1 || w.items[0].told == nil {
		return
	}
	w.done += n
	all, steps := len(w.candidates), len(w.candidates)+len(w.targets)
	w.items[0].told(min(all, all*w.done/steps), all)
}

// Add sums up what became of several parts.
func (e *Entered) Add(part *Entered) {
	e.New, e.Past, e.Known, e.Findings = e.New+part.New, e.Past+part.Past, e.Known+part.Known, e.Findings+part.Findings
	for code, n := range part.Refused {
		if e.Refused == nil {
			e.Refused, e.FirstFault = map[protocols.Code]int{}, map[protocols.Code]protocols.Reason{}
		}
		if e.Refused[code] == 0 {
			e.FirstFault[code] = part.FirstFault[code]
		}
		e.Refused[code] += n
	}
}

func (e *Entered) refuse(reasons []protocols.Reason) {
	code := reasons[0].Code
	if e.Refused[code]++; e.Refused[code] == 1 {
		e.FirstFault[code] = reasons[0]
	}
}

// enter counts what became of the readings that a person entered, and takes out of
// the findings what was over long ago.
func (c *committer) enter() {
	w := &c.work
	if len(w.items) != 1 || w.items[0].entered == nil {
		return
	}
	entered, before := w.items[0].entered, w.now.Add(-c.config.Limits.TooOld)
	for i, fate := range w.fates {
		switch {
		case fate == Contradictory:
			entered.refuse(contradicted)
		case !fate.Kept():
			entered.Known++
		default:
			entered.New++
			if w.readings[i].Time.Before(before) {
				entered.Past++
			}
		}
	}
	var past map[episode]bool
	w.findings, past = withoutPast(w.findings, c.isPast)
	c.untold(past)
	if w.items[0].more {
		w.amid = true
		act := entering(w.items[0].message.Device)
		c.hold(act)
		if part := w.items[0].batch.Readings; len(part) > 0 {
			c.holdBehind(act, part[len(part)-1].Time) // in canonical order
			c.notePart(act, part)
		}
	}
	entered.Findings = len(w.findings)
}

// withoutPast takes out the episodes that are over, and began in the past. It returns what
// is left, and those episodes.
func withoutPast(findings []protocols.Finding, isPast func(*protocols.Finding) bool) (left []protocols.Finding, past map[episode]bool) {
	past = map[episode]bool{}
	over := map[episode]bool{}
	for i := range findings {
		f := &findings[i]
		if f.Kind == protocols.Raised && isPast(f) {
			past[episodeOf(f)] = true
		}
		over[episodeOf(f)] = f.Kind == protocols.Ended
	}
	maps.DeleteFunc(past, func(of episode, _ bool) bool { return !over[of] })
	return slices.DeleteFunc(findings, func(f protocols.Finding) bool { return past[episodeOf(&f)] }), past
}
