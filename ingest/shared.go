package ingest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"vigie/ingest/devices"
	"vigie/protocols"
)

// Shared is what a Tx offers beside when several nodes write to its store. What
// a node remembers from one transaction to the next may have changed meanwhile:
// it asks, once for a whole batch, and holds what it asked for until the
// transaction ends. Without it nothing would be wrong, but for the status of
// devices: SaveStates refuses what rests on an old state. It spares the node
// from finding out so late.
type Shared interface {
	// Claim returns the versions of the states of enrolments, by place, 0 where
	// there is none, and keeps other nodes from evaluating these enrolments.
	Claim(enrolments []string) (versions []int64, err error)
	// Recall reads the status of devices together. DeviceStatus then answers from what
	// was read, and SetDeviceStatus is an ErrConflict, at the commit at the latest, where
	// another node has changed it since.
	Recall(devices []string) error
	// Troubled returns those of the devices that are said to be offline, or have a
	// Trouble. It keeps nobody from changing it.
	Troubled(devices []string) ([]string, error)
	// Foresee tells of which devices Troubled and Recall will mostly be asked, so that
	// they can answer from what was read on the way of the next question. The slices are
	// the store's from then on.
	Foresee(troubled, recalled []string)
	// Recollect reads together what evaluations look back on. History of all
	// measures then answers from what was read, until Keep, for these patients and
	// as far back as that: other measures are not in it.
	Recollect(wanted []Past) error
}

// Expecter is what a Tx offers beside whose transaction itself finds out that the
// registry has changed: whoever begins need not ask.
type Expecter interface {
	// Expect has the transaction fail with ErrRegistry where the registry has another
	// version when the first question is asked, or after a Claim.
	Expect(version int64)
}

// ErrRegistry is the ErrConflict of a transaction that expects a former registry.
var ErrRegistry = fmt.Errorf("the registry has changed: %w", ErrConflict)

// expect says by which registry the work at hand was made out.
func (c *committer) expect(tx Tx) {
	if len(c.work.items)+len(c.work.touched) == 0 {
		return // by none
	}
	expecter, ok := tx.(Expecter)
	if c.directory.expects = ok; ok {
		expecter.Expect(c.directory.version)
	}
}

// Past is what one evaluation looks back on.
type Past struct {
	Patient string
	From    time.Time
	Uses    func(*protocols.Measure) bool
}

// claim forgets the evaluations that another node has moved on.
func (c *committer) claim(tx Tx) error {
	shared, ok := tx.(Shared)
	touched := c.work.touched
	if !ok || len(touched) == 0 {
		return nil
	}
	ids := make([]string, len(touched))
	for i, e := range touched {
		ids[i] = e.ID
	}
	versions, err := shared.Claim(ids)
	if err != nil {
		return err
	}
	for i, e := range touched {
		if !e.loaded || e.kept == versions[i] {
			continue
		}
		c.crowded = crowd
		c.directory.forget(e)
		if _, err := c.directory.evaluator(e); err != nil {
			return err
		}
	}
	return nil
}

// crowd is how many batches claim what they evaluate after another node was met: one
// that takes readings of the same patients mostly goes on to.
const crowd = 64

// remembers reports whether a node need not ask what another may have done to what it
// is about to evaluate and keep: all of that is in memory and was kept before, and no
// other node was met of late. Were a state not what it remembers, SaveStates would tell.
// So it does of a change of the registry, which wakes the enrolments that it is about.
func (c *committer) remembers(tx Tx) bool {
	if _, shared := tx.(Shared); !shared || len(c.work.touched) == 0 {
		return false
	}
	if c.crowded > 0 {
		c.crowded--
		return false
	}
	return !slices.ContainsFunc(c.work.touched, func(e *enrolment) bool { return !e.loaded || e.kept == 0 })
}

// atOnce is how many histories are read together: enough to make the way to the
// store count little, and few enough to be held in memory.
const atOnce = 32

// recollect reads together what bringing these evaluations back takes.
func (c *committer) recollect(tx Tx, cold []*enrolment) error {
	shared, ok := tx.(Shared)
	if !ok {
		return nil
	}
	wanted := make([]Past, len(cold))
	for i, e := range cold {
		wanted[i] = Past{Patient: e.Patient, From: e.From, Uses: e.evaluator.Uses}
		_, snapshot, _, err := loadState(tx, e.ID)
		if errors.Is(err, ErrDamaged) {
			continue // it is computed again from the beginning
		}
		if err != nil {
			return err
		}
		wanted[i].From = e.evaluator.Since(snapshot, c.moment(e))
	}
	return shared.Recollect(wanted)
}

// foresee says of which devices recall will ask.
func (c *committer) foresee(tx Tx) {
	shared, ok := tx.(Shared)
	if !ok {
		return
	}
	telling := map[*device]bool{}
	for _, it := range c.work.items {
		if it.device.registered && it.settle == 0 {
			telling[it.device] = telling[it.device] || it.status != nil
		}
	}
	for i := range c.work.candidates {
		if candidate := &c.work.candidates[i]; candidate.reading.Battery >= 0 {
			telling[candidate.device] = true
		}
	}
	var heard, told []string
	for device, tells := range telling {
		if tells {
			told = append(told, device.name)
		} else {
			heard = append(heard, device.name)
		}
	}
	shared.Foresee(heard, told)
}

// recall reads again what devices of this batch have said of themselves: perhaps
// they said it to another node. Of those that only send readings, without a word of
// themselves, it matters only when they are said to be offline, or are in trouble: the
// others are not held.
func (c *committer) recall(tx Tx) error {
	shared, ok := tx.(Shared)
	if !ok {
		return nil
	}
	w := &c.work
	told := map[*device]bool{}
	heard := map[string]*device{}
	for i := range w.candidates {
		if candidate := &w.candidates[i]; w.fates[i].Kept() && candidate.reading.Battery >= 0 {
			told[candidate.device] = true
		}
	}
	for _, it := range w.items {
		switch {
		case it.status != nil, it.device.registered && w.strange(it):
			told[it.device] = true
		case it.device.registered && w.heard(it):
			heard[it.device.name] = it.device
		}
	}
	maps.DeleteFunc(heard, func(_ string, device *device) bool { return told[device] })
	if len(heard) > 0 {
		troubled, err := shared.Troubled(slices.Collect(maps.Keys(heard)))
		if err != nil {
			return err
		}
		for _, name := range troubled {
			told[heard[name]] = true
			delete(heard, name)
		}
	}
	for _, device := range heard {
		device.status, device.statusKnown = devices.Silent(device.name), true
	}
	return ask(tx, slices.Collect(maps.Keys(told)))
}

// ask reads again what devices have said of themselves.
func ask(tx Tx, asked []*device) error {
	shared, ok := tx.(Shared)
	if !ok || len(asked) == 0 {
		return nil
	}
	names := make([]string, len(asked))
	for i, device := range asked {
		device.statusKnown = false
		names[i] = device.name
	}
	return shared.Recall(names)
}
