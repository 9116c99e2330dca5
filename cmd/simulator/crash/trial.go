package crash

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
}

// newTrial prepares a store with the ward in it, and a process that is not
// started yet. environment is what its configuration differs in.
func (b *bench) newTrial(ctx context.Context, w *ward, environment ...string) (*trial, error) {
	b.trials++
	t := &trial{bench: b, ward: w, folder: filepath.Join(b.folder, fmt.Sprintf("trial-%d", b.trials))}
	return t, t.prepare(ctx, t.folder, environment)
}

// prepare makes the store in data.
func (t *trial) prepare(ctx context.Context, data string, environment []string) error {
	b := t.bench
	b.people.forget()
	t.folder = data
	c := b.config(data)
	tools, err := service.OpenTools(ctx, c)
	if err != nil {
		return err
	}
	if _, err := tools.Import(ctx, &t.ward.registry, "crash test", t.ward.begin); err != nil {
		return errors.Join(err, tools.Close())
	}
	if err := tools.Close(); err != nil {
		return err
	}
	broker, err := freeAddress()
	if err != nil {
		return err
	}
	page, err := freeAddress()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(b.people.smtp.Addr().String())
	if err != nil {
		return err
	}
	t.node = &node{program: b.options.Vigie, env: append([]string{
		"VIGIE_DATA=" + data, "VIGIE_PROTOCOLS_FOLDERS=" + b.protocols,
		"VIGIE_BROKER_INSIDE_LISTEN=" + broker, "VIGIE_HTTP_LISTEN=" + page, "VIGIE_HTTP_TOKENS_NURSE=a token that is long enough for anybody",
		"VIGIE_MAIL_HOST=" + host, "VIGIE_MAIL_PORT=" + port, "VIGIE_MAIL_TLS=none", "VIGIE_MAIL_FROM=vigie@example.org",
		"VIGIE_WEBHOOK_SECRET=between us", "VIGIE_LIMITS_DEVICE_RATE=1000000",
	}, environment...)}
	t.crowd = newCrowd(ctx, t.ward, window, func() string { return broker })
	return nil
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

// finish lets the devices publish all they have, waits until it is acknowledged
// and every message is sent, and judges what is kept.
func (t *trial) finish(ctx context.Context) (*judge, error) {
	t.crowd.allow(1, 1)
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := t.crowd.await(waiting, t.ward.readings()); err != nil {
		return nil, fmt.Errorf("%w; the service said: %s", err, lastLines(t.node.log(), 5))
	}
	tools, err := service.OpenTools(ctx, t.bench.config(t.folder))
	if err != nil {
		return nil, err
	}
	j, err := t.judge(waiting, tools)
	return j, errors.Join(err, tools.Close())
}

func (t *trial) judge(ctx context.Context, tools *service.Tools) (*judge, error) {
	if err := settled(ctx, tools); err != nil {
		return nil, fmt.Errorf("%w; the service said: %s", err, lastLines(t.node.log(), 5))
	}
	got, err := readRecord(ctx, t.ward, tools.Store, tools.Alerts)
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
	return j, nil
}

// settled waits until no message waits to be sent.
func settled(ctx context.Context, tools *service.Tools) error {
	for {
		summary, err := tools.Alerts.Summary(ctx, "")
		if err != nil || summary.Waiting == 0 {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d messages to people were not sent: %w", summary.Waiting, ctx.Err())
		}
	}
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
