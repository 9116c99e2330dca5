package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"vigie/deploy/servers"
)

// outside makes a trial whose devices publish to a Mosquitto of their own, which
// keeps what it holds on disk.
func (b *bench) outside(ctx context.Context, w *ward) (*trial, *servers.Server, error) {
	folder := b.newFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, err
	}
	broker, err := servers.StartMosquitto(folder, servers.MosquittoConf{Persistence: true, Extra: "max_inflight_messages 1000\n"})
	if errors.Is(err, servers.ErrMissing) {
		return nil, nil, fmt.Errorf("%w: mosquitto is not installed", errSkipped)
	}
	if err != nil {
		return nil, nil, err
	}
	t, err := b.newTrialIn(ctx, filepath.Join(folder, "data"), w,
		"VIGIE_BROKER_INSIDE_ENABLED=false", "VIGIE_BROKER_OUTSIDE_URL=mqtt://"+broker.Address, "VIGIE_BROKER_OUTSIDE_CLIENT_ID=vigie")
	if err != nil {
		return nil, nil, errors.Join(err, broker.Kill())
	}
	t.crowd.close()
	t.crowd = newCrowd(ctx, w, window, func() string { return broker.Address })
	return t, broker, nil
}

// killedOutside kills the service while Mosquitto goes on taking readings. What
// Mosquitto has acknowledged must come to be kept.
func killedOutside(b *bench, ctx context.Context) (r row, err error) {
	times := max(3, b.options.Kills/4)
	t, broker, err := b.outside(ctx, b.wardFor(times))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, broker.Stop()) }()
	return t.interrupted(ctx, times, rudely, t.kill)
}

// brokerKilled kills Mosquitto, every other time before the service has found its
// way back: then what waits at Mosquitto has waited through several of its lives.
// What Mosquitto acknowledges it has not always saved yet, and the promise begins
// with its own file: an acknowledgement that came after that was last written is
// taken back, and said so. Its device sends the reading again.
func brokerKilled(b *bench, ctx context.Context) (r row, err error) {
	times := max(4, b.options.Kills/10)
	t, broker, err := b.outside(ctx, b.wardFor(times))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close(), broker.Stop()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	takenBack, alone := 0, 0
	for i := range times {
		if err := t.moment(ctx, i, times+1, false); err != nil {
			return r, err
		}
		if !t.isReady(ctx) {
			alone++
		}
		saved, err := t.killBroker(ctx, broker)
		if err != nil {
			return r, err
		}
		takenBack += t.crowd.takeBack(saved)
		if err := broker.Start(); err != nil {
			return r, err
		}
		if i%2 == 1 {
			continue
		}
		if err := t.awaitReady(ctx); err != nil {
			return r, err
		}
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	if said(t.said(), forgotten) {
		return r, errors.New("the session of the service was forgotten by a Mosquitto that had its file")
	}
	note := fmt.Sprintf("%s, %d times before the service was back", j.atStake(), alone)
	if takenBack > 0 {
		note += fmt.Sprintf(", %d acknowledged and not yet saved by Mosquitto: sent again", takenBack)
	}
	return row{counts: j.counts, times: times, note: note}, nil
}

// forgotten is what the service says when a broker has lost its session.
const forgotten = "the broker has forgotten the session"

// killBroker kills Mosquitto, waits until every device has noticed, and returns when
// it last saved what it holds.
func (t *trial) killBroker(ctx context.Context, broker *servers.Server) (saved time.Time, err error) {
	if err := broker.Kill(); err != nil {
		return saved, err
	}
	if err := until(ctx, "the devices to miss their broker", t.crowd.offline); err != nil {
		return saved, err
	}
	file, err := os.Stat(database(broker))
	if err != nil {
		return saved, fmt.Errorf("see when Mosquitto saved: %w", err)
	}
	return file.ModTime(), nil
}

// database is where Mosquitto saves what it holds.
func database(broker *servers.Server) string { return filepath.Join(broker.Dir, "mosquitto.db") }

// brokerForgets kills Mosquitto and takes its file away. What it held would be gone
// with it, whatever the service does: so everything is kept by the service before,
// and devices publish again once it is back. The service has to say that it was
// forgotten, and go on.
func brokerForgets(b *bench, ctx context.Context) (r row, err error) {
	t, broker, err := b.outside(ctx, b.wardFor(3))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close(), broker.Stop()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	t.crowd.allow(1, 2)
	half := t.ward.readings() / 2
	if err := t.await(ctx, half); err != nil {
		return r, err
	}
	err = until(ctx, "the service to keep what Mosquitto acknowledged", func() bool {
		got, err := t.look(ctx)
		return err == nil && got.kept() == half
	})
	if err != nil {
		return r, err
	}
	if _, err := t.killBroker(ctx, broker); err != nil {
		return r, err
	}
	if err := errors.Join(os.Remove(database(broker)), broker.Start()); err != nil {
		return r, err
	}
	if err := until(ctx, "the service to say that it was forgotten", func() bool { return said(t.said(), forgotten) }); err != nil {
		return r, err
	}
	if err := t.awaitReady(ctx); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: 1, note: j.atStake() + ", and the operator was told"}, nil
}

// answers reports whether an address answers that all is well.
func answers(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}
