package ingest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"vigie/protocols"
)

// committer does the work of batches, one after another, in one goroutine.
type committer struct {
	config    Config
	directory *directory
	queue     *queue
	work      work
	outage    atomic.Pointer[outage] // the latest
	floods    []string               // devices whose flooding is still to be reported
	junk      map[string]junk        // of the present day, by device
	crowded   int                    // batches until other nodes count as gone
}

func newCommitter(config Config, directory *directory, queue *queue) *committer {
	c := &committer{config: config, directory: directory, queue: queue}
	c.outage.Store(&outage{})
	return c
}

// A transaction that fails is tried again after these waits. After them its
// messages are tried one by one, so that one that cannot be committed does not
// take the others with it.
var retries = [...]time.Duration{20 * time.Millisecond, 200 * time.Millisecond, time.Second}

// conflicts is how often a batch is done again because another node was faster.
const conflicts = 20

// hopeless is after how many failures in a row, one message each, the store is
// at fault and not the messages.
const hopeless = 3

// commit takes items to their end: committed and acknowledged, or failed.
func (c *committer) commit(ctx context.Context, items []*item) {
	if len(items) == 0 {
		return
	}
	began := time.Now()
	err := c.try(ctx, items)
	for i := 0; err != nil && i < len(retries); i++ {
		c.config.Logger.Warn("a batch could not be committed, trying again", "messages", len(items), "in", retries[i], "error", err)
		c.wait(ctx, retries[i])
		err = c.try(ctx, items)
	}
	switch {
	case err == nil:
		c.succeed(items, began)
	case len(items) == 1:
		c.fail(items, err)
	default:
		c.oneByOne(ctx, items)
	}
}

// oneByOne commits items each in its own transaction. What a device sent behind
// one that failed fails with it, so that they come again in their order.
func (c *committer) oneByOne(ctx context.Context, items []*item) {
	failed := 0
	for len(items) > 0 {
		began := time.Now()
		one, rest := items[:1], items[1:]
		err := c.try(ctx, one)
		switch {
		case err == nil:
			failed = 0
			c.succeed(one, began)
		case failed == hopeless-1:
			c.fail(items, err)
			return
		default:
			failed++
			if !errors.Is(err, errFault) {
				one, rest = behind(one[0], items)
			}
			c.fail(one, err)
		}
		items = rest
	}
}

// behind parts items into those of the sender of one, and the others.
func behind(one *item, items []*item) (same, others []*item) {
	for _, it := range items {
		if it.sender == one.sender {
			same = append(same, it)
		} else {
			others = append(others, it)
		}
	}
	return same, others
}

// fail turns items away, and what their devices have queued behind them. Behind a
// message that meets a fault of the program nothing is held back: it will meet it
// again, and would silence its device for good.
func (c *committer) fail(items []*item, err error) {
	queued := 0
	if !errors.Is(err, errFault) {
		withdrawn := c.queue.withdraw(items)
		queued = len(withdrawn)
		items = append(items[:len(items):len(items)], withdrawn...)
	}
	c.config.Logger.Error("messages could not be committed; their devices will send them again", "messages", len(items), "queued", queued, "error", err)
	for _, it := range items {
		it.message.Done(err)
	}
}

func (c *committer) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// try commits items in one transaction. On an error nothing of them is kept, and
// what was evaluated is forgotten.
func (c *committer) try(ctx context.Context, items []*item) (err error) {
	for range conflicts {
		if err = c.once(ctx, items); !errors.Is(err, ErrConflict) {
			return err
		}
		c.directory.expects = false
		if !errors.Is(err, ErrRegistry) {
			c.crowded = crowd
		}
	}
	return err
}

func (c *committer) once(ctx context.Context, items []*item) error {
	return c.guarded(func() error {
		if err := c.resolve(ctx, items); err != nil {
			return err
		}
		return c.config.Store.Update(ctx, c.apply)
	})
}

// errFault is what a panic becomes.
var errFault = errors.New("a fault of the program")

// guarded does a transaction. A fault of the program is an error of it, and after
// an error what was evaluated is forgotten.
func (c *committer) guarded(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			c.config.Logger.Error("a transaction met a fault of the program", "fault", fault, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errFault, fault)
		}
		if err != nil && !(c.work.unlooked && errors.Is(err, ErrRegistry)) {
			c.forget()
		}
	}()
	return work()
}

// forget drops the evaluations that a failed transaction has changed.
func (c *committer) forget() {
	for _, e := range c.work.touched {
		c.directory.forget(e)
	}
	for _, d := range c.work.devices {
		d.statusKnown = false
	}
}

// apply is the transaction of a batch.
func (c *committer) apply(tx Tx) error {
	w := &c.work
	c.expect(tx)
	w.unlooked = true
	if err := c.load(tx); err != nil {
		return err
	}
	c.foresee(tx)
	if err := c.keep(tx); err != nil {
		return err
	}
	w.unlooked = false
	if err := c.replace(tx); err != nil {
		return err
	}
	if err := c.evaluate(tx); err != nil {
		return err
	}
	c.enter()
	c.holdBetween()
	w.contradict()
	if len(w.records) > 0 {
		if err := w.recognise(tx); err != nil {
			return err
		}
		if err := c.setAside(tx); err != nil {
			return err
		}
	}
	if err := c.contradictions(tx); err != nil {
		return err
	}
	if err := c.technical(tx); err != nil {
		return err
	}
	if err := c.handOn(tx); err != nil {
		return err
	}
	if err := c.settle(tx); err != nil {
		return err
	}
	return c.saveStates(tx)
}

// keep keeps the candidates. No call of the store holds more than the largest message: an
// import may have a million.
func (c *committer) keep(tx Tx) error {
	w := &c.work
	w.fates, w.done = w.fates[:0], 0
	for some := range slices.Chunk(w.readings, MaxReadings) {
		fates, err := tx.Keep(some, w.now)
		if err != nil {
			return err
		}
		w.fates = append(w.fates, fates...)
		w.tell(len(some))
	}
	return nil
}

// setAside keeps the records, but for those of messages that are tried again, whose
// record stands, and for junk beyond the quota.
func (c *committer) setAside(tx Tx) (err error) {
	w := &c.work
	if len(w.items) == 1 && w.items[0].settle != 0 {
		w.aside = make([]bool, len(w.records))
		return nil
	}
	places := c.spare()
	if len(places) == len(w.records) {
		w.aside, err = tx.SetAside(w.records)
		return err
	}
	kept := make([]SetAsideRecord, len(places))
	for i, place := range places {
		kept[i] = w.records[place]
	}
	fresh, err := tx.SetAside(kept)
	w.aside = make([]bool, len(w.records))
	for i := range fresh {
		w.aside[places[i]] = fresh[i]
	}
	return err
}

// settle marks a record that was tried again as accepted when nothing of it was
// refused.
func (c *committer) settle(tx Tx) error {
	for _, it := range c.work.items {
		if it.settle != 0 && it.recordsEnd == it.records {
			if err := tx.Settle(it.settle, c.work.now); err != nil {
				return err
			}
		}
	}
	return nil
}

// succeed acknowledges items that were committed, in their order, and answers
// the devices.
func (c *committer) succeed(items []*item, began time.Time) {
	c.remember()
	c.floods = c.floods[:0]
	for _, it := range items {
		it.message.Done(nil)
	}
	if c.config.Receipts != nil {
		for _, it := range items {
			c.answer(it)
		}
	}
	if c.config.Committed != nil {
		c.config.Committed(c.summary(began))
	}
}

// remember notes, after a commit, what is in memory and what is kept now.
func (c *committer) remember() {
	w := &c.work
	for _, e := range w.touched {
		if e.loaded {
			c.directory.touch(e)
		}
	}
	c.kept()
	c.tallied()
}

// kept notes the versions of the states that were committed.
func (c *committer) kept() {
	w := &c.work
	for i := range w.states {
		e := c.directory.enrolments[w.states[i].Enrolment]
		if e == nil {
			continue // one that is no longer registered
		}
		e.kept = w.states[i].Version + 1
	}
}

// answer sends the receipts of one message. The device knows already of what was
// tried again in vain.
func (c *committer) answer(it *item) {
	inVain := it.settle != 0 && it.records < it.recordsEnd
	if inVain || it.entered != nil || !c.config.Receipts.Wanted(it.sender) {
		return
	}
	w := &c.work
	warnings := it.batch.Warnings
	receipts := make([]Receipt, 0, it.kept+it.repeatsEnd-it.repeats+it.recordsEnd-it.records)
	for i := it.readings; i < it.readings+it.kept; i++ {
		verdict := Accepted
		switch {
		case w.fates[i] == Contradictory:
			continue // it is among the records
		case !w.fates[i].Kept():
			verdict = Duplicate
		}
		receipts = append(receipts, Receipt{ID: w.readings[i].ID, Verdict: verdict, Warnings: told(&warnings, w.candidates[i].place)})
	}
	for _, id := range w.repeats[it.repeats:it.repeatsEnd] {
		receipts = append(receipts, Receipt{ID: id, Verdict: Duplicate})
	}
	for i := it.records; i < it.recordsEnd; i++ {
		receipt := Receipt{ID: w.records[i].Reading, Verdict: SetAside, Reasons: w.records[i].Reasons}
		if receipt.ID == "" {
			receipt.Payload, receipt.Correlation = fingerprint(w.records[i].Payload), it.message.Correlation
		}
		receipts = append(receipts, receipt)
	}
	if it.summed && len(receipts) > 0 {
		receipts = []Receipt{summarise(&it.message, receipts)}
	}
	if len(receipts) > 0 {
		c.config.Receipts.Send(it.sender, receipts)
	}
}

// told takes from the warnings of a message, in the order of its readings, those
// about one of them. Those about readings before it are dropped: they are not used.
func told(warnings *[]Warning, place int) (about []protocols.Reason) {
	next := *warnings
	for len(next) > 0 && next[0].Reading <= place {
		if next[0].Reading == place {
			about = append(about, next[0].Reason)
		}
		next = next[1:]
	}
	*warnings = next
	return about
}

// summary sums up the batch that was committed.
func (c *committer) summary(began time.Time) Commit {
	w := &c.work
	commit := Commit{Messages: len(w.items), Duplicates: len(w.repeats), SetAside: w.records, Counted: w.counted, Findings: w.findings, Took: time.Since(began)}
	for _, fate := range w.fates {
		switch {
		case fate.Kept():
			commit.Accepted++
		case fate == Repeated:
			commit.Duplicates++
		}
	}
	for _, it := range w.items {
		if it.settle != 0 { // it was set aside, and told, when it came
			commit.SetAside = nil
			continue
		}
		commit.Waited = max(commit.Waited, w.now.Sub(it.message.Received))
	}
	return commit
}
