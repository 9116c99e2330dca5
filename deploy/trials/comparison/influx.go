package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// points is how many points InfluxDB has written to a database since it started.
// The server's own counters are asked, which costs it next to nothing.
func (b *bench) points(ctx context.Context, database string) (int64, error) {
	body, err := get(ctx, b.influx.URL+"/debug/vars")
	if err != nil {
		return 0, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return 0, fmt.Errorf("read the counters of InfluxDB: %w", err)
	}
	var written int64
	for name, raw := range all {
		if !strings.HasPrefix(name, "shard:") {
			continue
		}
		var shard struct {
			Tags   struct{ Database string }
			Values struct{ WritePointsOk int64 }
		}
		if err := json.Unmarshal(raw, &shard); err != nil {
			return 0, fmt.Errorf("read the counters of InfluxDB: %w", err)
		}
		if shard.Tags.Database == database {
			written += shard.Values.WritePointsOk
		}
	}
	return written, nil
}

// present waits until InfluxDB has written so many points.
func (b *bench) present(ctx context.Context, database string, wanted int64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		written, err := b.points(ctx, database)
		if err == nil && written >= wanted {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("InfluxDB has %d of %d points: %w", written, wanted, ctx.Err()), err)
		}
	}
}

// distinct counts the points that a database holds: two readings in one point
// would count once.
func (b *bench) distinct(ctx context.Context, database string) (int64, error) {
	body, err := get(ctx, b.influx.URL+"/query?"+url.Values{"db": {database}, "q": {`SELECT count("systolic") FROM "` + measure + `"`}}.Encode())
	if err != nil {
		return 0, err
	}
	var answer struct {
		Results []struct{ Series []struct{ Values [][]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("count the points of InfluxDB: %w", err)
	}
	if len(answer.Results) != 1 || len(answer.Results[0].Series) != 1 {
		return 0, fmt.Errorf("count the points of InfluxDB: it answers %s", body)
	}
	count, ok := answer.Results[0].Series[0].Values[0][1].(float64)
	if !ok {
		return 0, fmt.Errorf("count the points of InfluxDB: it answers %s", body)
	}
	return int64(count), nil
}

// drop removes a database, so that it costs the next measurement nothing.
func (b *bench) drop(database string) error {
	answer, err := http.PostForm(b.influx.URL+"/query", url.Values{"q": {fmt.Sprintf("DROP DATABASE %q", database)}})
	if err != nil {
		return fmt.Errorf("drop the database %s: %w", database, err)
	}
	return answer.Body.Close()
}

func get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, answer.Status, body)
	}
	return body, err
}
