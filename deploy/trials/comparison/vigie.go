package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigie/seeds"
)

// vigie is a running Vigie with a crowd enrolled.
type vigie struct {
	*process
	data   string // folder of its store
	broker string // address of the broker inside; empty when it is closed
	page   string // URL of its pages
	pulses int64  // readings sent while it looked at new patients
}

// enrol makes a store in a folder in which that many patients are enrolled. They
// are followed since this morning, so that nobody has missed a reading yet, or for so
// many days before.
func enrol(ctx context.Context, place string, patients, days int) (err error) {
	now := time.Now()
	crowd, err := seeds.Crowd(patients, now.AddDate(0, 0, 30-days), measure, password)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	_, err = store.Import(ctx, &crowd, "bench", now)
	return err
}

// startVigie starts a program of the service over a store. More settings may be
// given, as KEY=value of the environment.
func (b *bench) startVigie(program, data string, settings ...string) (*vigie, error) {
	environment := append([]string{
		"VIGIE_DATA=" + data, "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0", "VIGIE_LOG_LEVEL=warn",
		// A device that publishes a year in a second is no device: the limit is
		// for real ones.
		"VIGIE_LIMITS_DEVICE_RATE=1000000",
	}, settings...)
	ready := "broker "
	for _, setting := range settings {
		if setting == noBroker {
			ready = "page "
		}
	}
	p, err := startProcess("vigie", ready, environment, program, "serve")
	if err != nil {
		return nil, err
	}
	return &vigie{process: p, data: data, broker: strings.TrimPrefix(p.word("broker "), "tcp://"), page: p.word("page ")}, nil
}

// noBroker closes the broker inside.
const noBroker = "VIGIE_BROKER_INSIDE_ENABLED=false"

// counter is the sum of a counter among the metrics of the service.
func (v *vigie) counter(ctx context.Context, name string) (sum int64, err error) {
	body, err := get(ctx, v.page+"/metrics")
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		metric, value, _ := strings.Cut(lines.Text(), " ")
		if metric, _, _ = strings.Cut(metric, "{"); metric != name {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s: %w", name, err)
		}
		sum += int64(n)
	}
	return sum, lines.Err()
}

// counted is the sum of a counter of all nodes.
func counted(ctx context.Context, nodes []*vigie, name string) (sum int64, err error) {
	for _, node := range nodes {
		got, err := node.counter(ctx, name)
		if err != nil {
			return 0, err
		}
		sum += got
	}
	return sum, nil
}

// accepted checks that the service has accepted so many readings, and nothing
// but them.
func accepted(ctx context.Context, nodes []*vigie, wanted int64) error {
	for name, wanted := range map[string]int64{"vigie_readings_accepted_total": wanted, "vigie_readings_set_aside_total": 0} {
		if got, err := counted(ctx, nodes, name); err != nil || got != wanted {
			return errors.Join(fmt.Errorf("%s is %d where it has to be %d", name, got, wanted), err)
		}
	}
	return nil
}
