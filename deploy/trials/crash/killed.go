package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// scale is how large the ward of a trial is.
func (b *bench) scale(interruptions int) (patients, readings int) {
	if b.options.Quick {
		return 16, 20 * (interruptions + 1)
	}
	return 40, 12 * (interruptions + 1)
}

// wardFor makes a ward that has something to publish between so many
// interruptions.
func (b *bench) wardFor(interruptions int) *ward {
	patients, readings := b.scale(interruptions)
	return newWard(patients, readings, time.Now().Add(-15*time.Minute), b.people.hook.URL)
}

// killed kills the service at random moments.
func killed(b *bench, ctx context.Context) (row, error) {
	t, err := b.newTrial(ctx, b.wardFor(b.options.Kills))
	if err != nil {
		return row{}, err
	}
	return t.interrupted(ctx, b.options.Kills, rudely, t.kill)
}

// killedOnPostgres is the same where the readings are in PostgreSQL: what of a commit was
// under way when its connection broke is there as a whole, or not at all.
func killedOnPostgres(b *bench, ctx context.Context) (r row, err error) {
	times := max(3, b.options.Kills/2)
	t, err := b.newTrial(ctx, b.wardFor(times))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	store, end, err := b.sharedStore(ctx, t.ward)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, end()) }()
	t.node.env = append(t.node.env, "VIGIE_STORE_POSTGRES_URL="+store.url)
	if err := t.shaken(ctx, times, rudely, t.kill); err != nil {
		return r, err
	}
	t.crowd.allow(1, 1)
	if err := t.await(ctx, t.ward.readings()); err != nil {
		return r, err
	}
	got, err := recordOf(ctx, t.ward, store)
	if err != nil {
		return r, err
	}
	want, err := b.undisturbed(ctx, t.ward)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.readings(t.crowd, got)
	j.rang(got, want)
	return row{counts: j.counts, times: times, note: fmt.Sprintf("%d rules rang", j.alarms)}, j.meant()
}

// kill kills the service and notes when.
func (t *trial) kill() error {
	err := t.node.kill()
	t.bench.people.killed()
	return err
}

// stopped stops the service as an operator does.
func stopped(b *bench, ctx context.Context) (row, error) {
	times := max(3, b.options.Kills/5)
	t, err := b.newTrial(ctx, b.wardFor(times))
	if err != nil {
		return row{}, err
	}
	return t.interrupted(ctx, times, politely, func() error { return t.node.stop() })
}

// manner is how a service is ended.
type manner bool

const (
	rudely   manner = true // one time in eight before it has even come up
	politely manner = false
)

// interrupted ends and starts the service so many times while its devices
// publish, and judges.
func (t *trial) interrupted(ctx context.Context, times int, how manner, end func() error) (r row, err error) {
	defer func() {
		if closing := t.close(); err == nil {
			err = closing
		}
	}()
	if err := t.shaken(ctx, times, how, end); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: times, note: j.atStake()}, nil
}

// shaken starts the service, ends it so many times while its devices publish, and
// leaves it running.
func (t *trial) shaken(ctx context.Context, times int, how manner, end func() error) error {
	if err := t.node.start(); err != nil {
		return err
	}
	for i := range times {
		early := how == rudely && i > 0 && rand.IntN(8) == 0
		if err := t.moment(ctx, i, times+1, early); err != nil {
			return err
		}
		if err := end(); err != nil {
			return err
		}
		if err := t.node.launch(); err != nil {
			return err
		}
	}
	return t.node.answers()
}

// moment waits for a random moment in a part of the devices' lives, while what
// they publish is on its way.
func (t *trial) moment(ctx context.Context, part, of int, early bool) error {
	t.crowd.allow(part+1, of)
	if early {
		return pause(ctx, time.Duration(rand.IntN(300))*time.Millisecond)
	}
	if err := t.node.answers(); err != nil {
		return err
	}
	before := t.crowd.acked.Load()
	due := int64(t.ward.readings() * (part + 1) / of)
	if due > before {
		if err := t.await(ctx, int(before+rand.Int64N(due-before))); err != nil {
			return err
		}
	}
	return pause(ctx, time.Duration(rand.IntN(5000))*time.Microsecond)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
