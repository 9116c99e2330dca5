package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"vigie/deploy/servers"
	"vigie/ingest/stores/postgres"
)

// guide is where the configuration of the balancer stands, from the root of the repository.
const guide = "deploy/README.md"

// balanced puts two nodes with the broker inside, on one PostgreSQL, behind HAProxy as the
// guide configures it. The node that has the devices is killed; later the other one is
// stopped.
func balanced(b *bench, ctx context.Context) (r row, err error) {
	program, err := servers.Find("haproxy")
	if errors.Is(err, servers.ErrMissing) {
		return r, fmt.Errorf("%w: haproxy is not installed", errSkipped)
	}
	if err != nil {
		return r, err
	}
	w := b.wardFor(3)
	t, err := b.newTrial(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	store, end, err := b.sharedStore(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, end()) }()

	nodes := []*node{t.node, {command: t.node.command}}
	var at, checked [2]string
	for i, n := range nodes {
		var free [3]string
		for j := range free {
			if free[j], err = servers.FreeAddress(); err != nil {
				return r, err
			}
		}
		at[i], checked[i], n.page = free[0], free[1], free[2]
		n.env = append(append([]string{}, t.node.env...), "VIGIE_STORE_POSTGRES_URL="+store.url,
			"VIGIE_DATA="+filepath.Join(t.folder, fmt.Sprint("node", i)), "VIGIE_BROKER_INSIDE_LISTEN="+at[i], "VIGIE_BROKER_INSIDE_PROXIES=127.0.0.1/32",
			"VIGIE_HTTP_LISTEN="+n.page, "VIGIE_HTTP_STATUS_LISTEN="+checked[i])
	}
	defer func() { err = errors.Join(err, nodes[1].end()) }()
	front, stop, err := startBalancer(program, t.folder, at, checked)
	if err != nil {
		return r, err
	}
	defer stop()
	t.crowd.close()
	t.crowd = newCrowd(ctx, w, window, func() string { return front })
	for i, n := range nodes {
		if err := n.start(); err != nil {
			return r, err
		}
		if err := until(ctx, "both nodes to be ready", func() bool { return answers(ctx, "http://"+checked[i]+"/readyz") }); err != nil {
			return r, err
		}
	}

	t.crowd.allow(1, 3)
	if err := t.await(ctx, w.readings()/4); err != nil {
		return r, err
	}
	if err := nodes[0].kill(); err != nil {
		return r, err
	}
	t.crowd.allow(2, 3)
	if err := t.await(ctx, w.readings()/2); err != nil {
		return r, err
	}
	if err := nodes[0].start(); err != nil {
		return r, err
	}
	if err := until(ctx, "the node to be back", func() bool { return answers(ctx, "http://"+checked[0]+"/readyz") }); err != nil {
		return r, err
	}
	if err := nodes[1].stop(); err != nil {
		return r, err
	}
	t.crowd.allow(1, 1)
	if err := t.await(ctx, w.readings()); err != nil {
		return r, err
	}
	got, err := recordOf(ctx, w, store)
	if err != nil {
		return r, err
	}
	want, err := b.undisturbed(ctx, w)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.readings(t.crowd, got)
	j.rang(got, want)
	return row{counts: j.counts, times: 2, note: fmt.Sprintf("%d rules rang, one node killed, one stopped", j.alarms)}, j.meant()
}

// pooled is a PostgreSQL with a ward in it.
type pooled struct {
	*postgres.Store
	url string
}

// sharedStore starts one; end ends it.
func (b *bench) sharedStore(ctx context.Context, w *ward) (store *pooled, end func() error, err error) {
	folder, err := os.MkdirTemp("", "vigie-crash-postgres-") // who runs PostgreSQL for root reaches it there
	if err != nil {
		return nil, nil, err
	}
	database, err := servers.StartPostgres(folder)
	if errors.Is(err, servers.ErrMissing) {
		err = fmt.Errorf("%w: postgres is not installed", errSkipped)
	}
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(folder))
	}
	stop := func() error { return errors.Join(database.Kill(), os.RemoveAll(folder)) }
	opened, err := postgres.Open(ctx, database.URL, postgres.Options{Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		if _, err = opened.Import(ctx, &w.registry, "crash test", w.begin); err != nil {
			err = errors.Join(err, opened.Close())
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return &pooled{opened, database.URL}, func() error { return errors.Join(opened.Close(), stop()) }, nil
}

// startBalancer starts HAProxy as the guide says, with the addresses of this machine.
func startBalancer(program, folder string, at, checked [2]string) (front string, stop func(), err error) {
	text, err := os.ReadFile(guide)
	if err != nil {
		return "", nil, fmt.Errorf("read the configuration of the balancer: %w", err)
	}
	_, configuration, found := strings.Cut(string(text), "frontend devices\n")
	configuration, _, ended := strings.Cut(configuration, "```")
	if !found || !ended {
		return "", nil, fmt.Errorf("%s has no configuration of a balancer", guide)
	}
	if front, err = servers.FreeAddress(); err != nil {
		return "", nil, err
	}
	configuration = "frontend devices\n" + strings.Replace(configuration, "bind :8883", "bind "+front, 1)
	for i := range at {
		_, port, err := net.SplitHostPort(checked[i])
		if err != nil {
			return "", nil, err
		}
		before := fmt.Sprintf("10.0.0.1%d:1883", i+1)
		if !strings.Contains(configuration, before) {
			return "", nil, fmt.Errorf("%s does not name the node %s", guide, before)
		}
		configuration = strings.Replace(configuration, before, at[i]+" port "+port, 1)
	}
	file := filepath.Join(folder, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return "", nil, err
	}
	command := exec.Command(program, "-db", "-f", file)
	command.Stdout, command.Stderr = io.Discard, io.Discard
	if err := command.Start(); err != nil {
		return "", nil, fmt.Errorf("start the balancer: %w", err)
	}
	return front, func() {
		// It ends as it is told to; how does not matter.
		_ = command.Process.Kill()
		_ = command.Wait()
	}, nil
}
