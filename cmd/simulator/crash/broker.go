package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

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

// brokerKilled kills Mosquitto. What it acknowledges it has not always saved yet:
// the promise begins with its own file. An acknowledgement that came after
// Mosquitto last wrote that file is taken back, and said so. It is let run until
// the service is back: killed several times before its subscriber returns, version
// 2.0.11 has been seen to forget the subscription, and then it acknowledges what
// nobody gets.
func brokerKilled(b *bench, ctx context.Context) (r row, err error) {
	times := max(3, b.options.Kills/10)
	t, broker, err := b.outside(ctx, b.wardFor(times))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close(), broker.Stop()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	takenBack := 0
	ready := "http://" + t.node.page + "/readyz"
	for i := range times {
		if err := t.moment(ctx, i, times+1, false); err != nil {
			return r, err
		}
		if err := broker.Kill(); err != nil {
			return r, err
		}
		if err := until(ctx, "the devices to miss their broker", t.crowd.offline); err != nil {
			return r, err
		}
		saved, err := os.Stat(filepath.Join(broker.Dir, "mosquitto.db"))
		if err != nil {
			return r, fmt.Errorf("see when Mosquitto saved: %w", err)
		}
		takenBack += t.crowd.takeBack(saved.ModTime())
		if err := broker.Start(); err != nil {
			return r, err
		}
		if err := until(ctx, "the service to be back", func() bool { return answers(ctx, ready) }); err != nil {
			return r, err
		}
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	note := j.note()
	if takenBack > 0 {
		note += fmt.Sprintf(", %d acknowledged and not yet saved by Mosquitto: sent again", takenBack)
	}
	return row{counts: j.counts, times: times, note: note}, nil
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
