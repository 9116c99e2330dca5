package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
)

// trial is one service under one kind of fault, with a ward to watch over.
type trial struct {
	bench  *bench
	ward   *ward
	folder string
	node   *node
	crowd  *crowd
	said   func() string // what the service said
	ready  string        // address that answers when the service can do its work
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
	t := &trial{bench: b, ward: w, folder: folder}
	if err := t.enrol(ctx); err != nil {
		return nil, err
	}
	broker, err := freeAddress()
	if err != nil {
		return nil, err
	}
	page, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(b.people.smtp.Addr().String())
	if err != nil {
		return nil, err
	}
	t.node = &node{program: b.options.Vigie, page: page, env: append([]string{
		"VIGIE_DATA=" + folder, "VIGIE_PROTOCOLS_FOLDERS=" + b.protocols,
		"VIGIE_BROKER_INSIDE_LISTEN=" + broker, "VIGIE_HTTP_LISTEN=" + page, "VIGIE_HTTP_TOKENS_NURSE=a token that is long enough for anybody",
		"VIGIE_MAIL_HOST=" + host, "VIGIE_MAIL_PORT=" + port, "VIGIE_MAIL_TLS=none", "VIGIE_MAIL_FROM=vigie@example.org",
		"VIGIE_WEBHOOK_SECRET=between us", "VIGIE_LIMITS_DEVICE_RATE=1000000",
	}, environment...)}
	t.said, t.ready = t.node.log, "http://"+page+"/readyz"
	t.crowd = newCrowd(ctx, t.ward, window, func() string { return broker })
	return t, nil
}

// enrol makes the store and puts the ward into it.
func (t *trial) enrol(ctx context.Context) error {
	t.bench.people.forget()
	tools, err := service.OpenTools(ctx, t.bench.config(t.folder))
	if err != nil {
		return err
	}
	_, err = tools.Import(ctx, &t.ward.registry, "crash test", t.ward.begin)
	return errors.Join(err, tools.Close())
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
	j := &judge{out: t.bench.out}
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
		if len(got.readings) == t.ward.readings() && waiting == 0 {
			return got, nil
		}
		now := fmt.Sprintf("%d readings are kept, %d messages wait", len(got.readings), waiting)
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

// look opens the store as it is now, beside the service, and reads it.
func (t *trial) look(ctx context.Context) (*record, error) {
	tools, err := service.OpenTools(ctx, t.bench.config(t.folder))
	if err != nil {
		return nil, err
	}
	got, err := readRecord(ctx, t.ward, tools.Store, tools.Alerts)
	return got, errors.Join(err, tools.Close())
}

// config is that of a service inside this process, which tells nobody.
func (b *bench) config(data string) config.Config {
	c := config.Default()
	c.Data = data
	c.Broker.Inside.Listen = "127.0.0.1:0"
	c.HTTP.Listen = "127.0.0.1:0"
	c.HTTP.Tokens = map[string]config.Secret{"nurse": "a token that is long enough for anybody"}
	c.Protocols.Folders = []string{b.protocols}
	c.Limits.DeviceRate = 1e6
	return c
}

// undisturbed is what is kept of a ward when nothing ever goes wrong. The same
// ward is asked for by several trials and lived through once.
func (b *bench) undisturbed(ctx context.Context, w *ward) (*record, error) {
	if kept := b.expected[w]; kept != nil {
		return kept, nil
	}
	s, err := service.Start(ctx, service.Options{
		Config: b.config(filepath.Join(b.folder, fmt.Sprintf("undisturbed-%d", len(b.expected)))), Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, err
	}
	kept, err := live(ctx, s, w)
	if err := errors.Join(err, s.Close()); err != nil {
		return nil, fmt.Errorf("live through the ward undisturbed: %w", err)
	}
	b.expected[w] = kept
	return kept, nil
}

// live submits everything that a ward measures, in its order, and reads what is
// kept of it.
func live(ctx context.Context, s *service.Service, w *ward) (*record, error) {
	if _, err := s.Registry().Import(ctx, &w.registry, "crash test", w.begin); err != nil {
		return nil, err
	}
	answers := make(chan error, w.readings())
	for n := range w.life[0] {
		for i, device := range w.devices {
			s.Pipeline().Submit(ctx, ingest.Message{
				Topic: w.topic(device), Device: device, Client: device, Payload: w.life[i][n].payload, Received: time.Now(),
				Done: func(err error) { answers <- err },
			})
		}
	}
	for range w.readings() {
		if err := <-answers; err != nil {
			return nil, err
		}
	}
	return readRecord(ctx, w, s.Store(), s.Alerts())
}
