package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest/stores/sqlite"
)

// trial is one service under one kind of fault, with a ward to watch over.
type trial struct {
	wrongClock bool // see judge
	movedClock bool // see judge
	bench      *bench
	ward       *ward
	folder     string
	node       *node
	crowd      *crowd
	said       func() string // what the service said
	ready      string        // address that answers when the service can do its work
}

// newTrial prepares a store with the ward in it, and a process that is not
// started yet. environment is what its configuration differs in.
func (b *bench) newTrial(ctx context.Context, w *ward, environment ...string) (*trial, error) {
	return b.newTrialIn(ctx, b.newFolder(), w, environment...)
}

func (b *bench) newFolder() string {
	b.trials++
	return filepath.Join(b.folder, fmt.Sprintf("trial-%d", b.trials))
}

// newTrialIn is newTrial with the store in that folder.
func (b *bench) newTrialIn(ctx context.Context, folder string, w *ward, environment ...string) (*trial, error) {
	b.people.forget()
	host, port, err := net.SplitHostPort(b.people.smtp.Addr().String())
	if err != nil {
		return nil, err
	}
	return b.newQuiet(ctx, folder, w, append([]string{
		"VIGIE_MAIL_HOST=" + host, "VIGIE_MAIL_PORT=" + port, "VIGIE_MAIL_TLS=none", "VIGIE_MAIL_FROM=vigie@example.org",
		"VIGIE_WEBHOOK_SECRET=between us and nobody else",
	}, environment...)...)
}

// newQuiet is a trial whose service tells nobody.
func (b *bench) newQuiet(ctx context.Context, folder string, w *ward, environment ...string) (*trial, error) {
	t := &trial{bench: b, ward: w, folder: folder}
	if err := t.enrol(ctx); err != nil {
		return nil, err
	}
	broker, err := servers.FreeAddress()
	if err != nil {
		return nil, err
	}
	page, err := servers.FreeAddress()
	if err != nil {
		return nil, err
	}
	t.node = &node{command: []string{b.options.Vigie, "serve"}, page: page, env: append([]string{
		"VIGIE_DATA=" + folder, "VIGIE_PROTOCOLS_FOLDERS=" + b.protocols,
		"VIGIE_BROKER_INSIDE_LISTEN=" + broker, "VIGIE_HTTP_LISTEN=" + page, "VIGIE_HTTP_TOKENS_NURSE=" + token,
		"VIGIE_LIMITS_DEVICE_RATE=1000000",
	}, environment...)}
	t.said, t.ready = t.node.log, "http://"+page+"/readyz"
	t.crowd = newCrowd(ctx, t.ward, window, func() string { return broker })
	return t, nil
}

// enrol makes the store and puts the ward into it.
func (t *trial) enrol(ctx context.Context) error {
	if err := os.MkdirAll(t.folder, 0o700); err != nil {
		return err
	}
	return t.read(func(store *sqlite.Store) error {
		_, err := store.Import(ctx, &t.ward.registry, "crash test", t.ward.begin)
		return err
	})
}

// read opens the store, beside a service that may be running.
func (t *trial) read(work func(*sqlite.Store) error) error {
	store, err := sqlite.Open(filepath.Join(t.folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	return errors.Join(work(store), store.Close())
}

// window is how many messages a device has on the way.
const window = 5

// close ends the trial, however it went.
func (t *trial) close() error {
	if t.crowd != nil {
		t.crowd.close()
	}
	if t.node != nil {
		return t.node.end()
	}
	return nil
}

// finish lets the devices publish all they have, waits until it is acknowledged,
// kept, and every message sent, and judges what is kept.
func (t *trial) finish(ctx context.Context) (*judge, error) {
	t.crowd.allow(1, 1)
	if err := t.await(ctx, t.ward.readings()); err != nil {
		return nil, err
	}
	return t.judge(ctx)
}

// await waits for that many acknowledgements.
func (t *trial) await(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := t.crowd.await(ctx, count); err != nil {
		return fmt.Errorf("%w; the service said: %s", err, lastLines(t.said(), 5))
	}
	return nil
}

func (t *trial) judge(ctx context.Context) (*judge, error) {
	got, err := t.settled(ctx)
	if err != nil {
		return nil, err
	}
	want, err := t.bench.undisturbed(ctx, t.ward)
	if err != nil {
		return nil, err
	}
	j := &judge{out: t.bench.out, wrongClock: t.wrongClock, movedClock: t.movedClock}
	j.readings(t.crowd, got)
	j.alerts(got, want)
	j.messages(t.bench.people, got, want)
	return j, j.meant()
}

// isReady reports whether the service can do its work: commit, and hear its broker.
func (t *trial) isReady(ctx context.Context) bool { return answers(ctx, t.ready) }

// awaitReady waits until it can.
func (t *trial) awaitReady(ctx context.Context) error {
	return until(ctx, "the service to be ready", func() bool { return t.isReady(ctx) })
}

// settled waits until all readings are kept and no message waits to be sent, or
// until nothing changes any more, and returns what is kept then. A service that is
// on its way back to its broker has not lost what waits for it there.
func (t *trial) settled(ctx context.Context) (*record, error) {
	const quiet = 20 * time.Second
	if err := t.awaitReady(ctx); err != nil {
		return nil, fmt.Errorf("%w; the service said: %s", err, lastLines(t.said(), 5))
	}
	moved, before := time.Now(), ""
	for {
		got, err := t.look(ctx)
		if err != nil {
			return nil, err
		}
		waiting := got.waiting()
		if got.kept() == t.ward.readings() && waiting == 0 {
			return got, nil
		}
		now := fmt.Sprintf("%d readings are kept, %d messages wait", got.kept(), waiting)
		if now != before {
			moved, before = time.Now(), now
		}
		if time.Since(moved) > quiet {
			fmt.Fprintf(t.bench.out, "  %s, and nothing moves; the service said: %s\n", now, lastLines(t.said(), 5))
			return got, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// look reads the store as it is now.
func (t *trial) look(ctx context.Context) (got *record, err error) {
	err = t.read(func(store *sqlite.Store) error {
		got, err = readRecord(ctx, t.ward, store)
		return err
	})
	return got, err
}

// undisturbed is what is kept of a ward when nothing ever goes wrong. The same
// ward is asked for by several trials and lived through once.
func (b *bench) undisturbed(ctx context.Context, w *ward) (*record, error) {
	if kept := b.expected[w]; kept != nil {
		return kept, nil
	}
	t, err := b.newQuiet(ctx, b.newFolder(), w)
	if err != nil {
		return nil, err
	}
	kept, err := t.live(ctx)
	if err := errors.Join(err, t.close()); err != nil {
		return nil, fmt.Errorf("live through the ward undisturbed: %w", err)
	}
	b.expected[w] = kept
	return kept, nil
}

// live lets the ward publish everything, and reads what is kept of it.
func (t *trial) live(ctx context.Context) (*record, error) {
	if err := t.node.start(); err != nil {
		return nil, err
	}
	t.crowd.allow(1, 1)
	if err := t.await(ctx, t.ward.readings()); err != nil {
		return nil, err
	}
	return t.look(ctx)
}
