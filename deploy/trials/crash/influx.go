package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// fed makes a lab whose service feeds an InfluxDB.
func (b *bench) fed(ctx context.Context, w *ward) (*lab, *servers.InfluxServer, error) {
	folder := b.newFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, err
	}
	server, err := servers.StartInflux(folder)
	if errors.Is(err, servers.ErrMissing) {
		return nil, nil, fmt.Errorf("%w: influxd is not installed", errSkipped)
	}
	if err != nil {
		return nil, nil, err
	}
	l, err := b.newLab(ctx, w, "VIGIE_INFLUX_URL="+server.URL, "VIGIE_INFLUX_BUCKET="+server.Bucket, "VIGIE_INFLUX_ORG="+server.Org, "VIGIE_INFLUX_TOKEN="+server.Token)
	if err != nil {
		return nil, nil, errors.Join(err, server.Kill())
	}
	return l, server, nil
}

// points reads how often each reading stands in InfluxDB.
func points(ctx context.Context, w *ward, server *servers.InfluxServer) (map[string]int, error) {
	client := influx.New(influx.Options{URL: server.URL, Org: server.Org, Token: server.Token, Bucket: server.Bucket})
	defer client.Close()
	found := map[string]int{}
	for _, patient := range w.registry.Patients {
		err := client.History(ctx, patient.ID, nil, w.begin.AddDate(0, 0, -1), w.begin.AddDate(0, 0, 2), func(r *protocols.Reading) bool {
			found[r.Device+"/"+r.ID]++
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// fed waits until the forwarder has come to the end of the journal.
func (l *lab) forwarded(ctx context.Context) error {
	end := int64(l.ward.readings())
	return until(ctx, "InfluxDB to be fed", func() bool {
		var seq int64
		err := l.read(func(store *sqlite.Store) (err error) {
			seq, err = store.Cursor(ctx, influx.Cursor)
			return err
		})
		return err == nil && seq >= end
	})
}

// influxAway kills InfluxDB for an hour by the clock of the service.
func influxAway(b *bench, ctx context.Context) (r row, err error) {
	l, server, err := b.fed(ctx, b.wardFor(max(6, b.options.Kills/10)))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close(), server.Kill()) }()
	third := l.ward.readings()/3 - len(l.ward.devices)
	l.crowd.allow(1, 3)
	if err := l.await(ctx, third); err != nil {
		return r, err
	}
	if err := server.Kill(); err != nil {
		return r, err
	}
	l.crowd.allow(2, 3)
	if err := l.await(ctx, 2*third); err != nil {
		return r, err
	}
	for range 6 {
		if err := l.step(10 * time.Minute); err != nil {
			return r, err
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return r, err
		}
	}
	if err := server.Start(); err != nil {
		return r, err
	}
	j, err := l.finish(ctx)
	if err != nil {
		return r, err
	}
	if err := l.forwarded(ctx); err != nil {
		return r, err
	}
	found, err := points(ctx, l.ward, server)
	if err != nil {
		return r, err
	}
	j.points(l.crowd, found, nil)
	if !said(l.said(), "InfluxDB is not fed") || !said(l.said(), "InfluxDB is fed again") {
		return r, errors.New("InfluxDB was not missed: this shows nothing")
	}
	return row{counts: j.counts, times: 1, note: fmt.Sprintf("%s, %d points in InfluxDB", j.atStake(), len(found))}, nil
}

// points counts what is acknowledged and neither in InfluxDB nor set aside with
// its reason.
func (j *judge) points(c *crowd, found map[string]int, refused map[string]bool) {
	c.acknowledged(func(device, id string) {
		key := device + "/" + id
		if found[key] == 0 && !refused[key] {
			j.lost++
			j.says("%s is not in InfluxDB", key)
		}
		if found[key] > 1 || found[key] == 1 && refused[key] {
			j.doubled++
			j.says("%s is in InfluxDB %d times", key, found[key])
		}
	})
}

// influxRefuses lets InfluxDB hold a text where some of the readings bring a
// number: it refuses these for good.
func influxRefuses(b *bench, ctx context.Context) (r row, err error) {
	l, server, err := b.fed(ctx, b.wardFor(6))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close(), server.Kill()) }()
	for _, at := range []time.Time{l.ward.begin, l.ward.begin.Add(lasts)} {
		if err := write(ctx, server, fmt.Sprintf(`oxygen-saturation reported_battery="full" %d`, at.UnixNano())); err != nil {
			return r, err
		}
	}
	j, err := l.finish(ctx)
	if err != nil {
		return r, err
	}
	if err := l.forwarded(ctx); err != nil {
		return r, err
	}
	found, err := points(ctx, l.ward, server)
	if err != nil {
		return r, err
	}
	refused, err := l.refused(ctx)
	if err != nil {
		return r, err
	}
	j.points(l.crowd, found, refused)
	if len(refused) == 0 {
		return r, errors.New("InfluxDB took everything: this shows nothing")
	}
	return row{counts: j.counts, times: len(refused), note: fmt.Sprintf("%s, %d points in InfluxDB, %d set aside with their reason", j.atStake(), len(found), len(refused))}, nil
}

// refused lists the readings that are set aside because InfluxDB refused them.
func (l *lab) refused(ctx context.Context) (map[string]bool, error) {
	refused := map[string]bool{}
	err := l.read(func(store *sqlite.Store) error {
		for filter := (ingest.SetAsideFilter{Code: influx.RefusedByInflux, Open: true}); ; {
			records, err := store.SetAsides(ctx, filter)
			if err != nil || len(records) == 0 {
				return err
			}
			for _, r := range records {
				if r.Reasons[0].Message == "" {
					return fmt.Errorf("%s of %s is set aside and nothing says why", r.Reading, r.Device)
				}
				refused[r.Device+"/"+r.Reading] = true
				filter.Before = r.ID
			}
		}
	})
	return refused, err
}

// write writes a line to InfluxDB, as somebody else does.
func write(ctx context.Context, server *servers.InfluxServer, line string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/v2/write?bucket="+url.QueryEscape(server.Bucket)+"&org="+url.QueryEscape(server.Org), strings.NewReader(line))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Token "+server.Token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("write to InfluxDB: %s", answer.Status)
	}
	return nil
}
