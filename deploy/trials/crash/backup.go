package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// backedUp makes a backup while devices publish, kills the service, loses its
// disk, and goes on from the backup elsewhere. What was acknowledged before the
// backup began must be in it; what came later is sent again.
func backedUp(b *bench, ctx context.Context) (r row, err error) {
	w := b.wardFor(12)
	t, err := b.newTrial(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	t.crowd.allow(1, 2)
	if err := t.await(ctx, w.readings()/4); err != nil {
		return r, err
	}
	t.crowd.allow(3, 4)
	file := filepath.Join(b.folder, fmt.Sprintf("backup-%d.db", b.trials))
	began := time.Now()
	if err := b.vigie(ctx, t.folder, "backup", file); err != nil {
		return r, err
	}
	if err := errors.Join(t.kill(), t.close()); err != nil {
		return r, err
	}
	before := t.crowd
	sentAgain := before.takeBack(began)

	folder := b.newFolder()
	if err := b.vigie(ctx, folder, "restore", file); err != nil {
		return r, err
	}
	next := &trial{bench: b, ward: w, folder: folder, node: t.node}
	next.said, next.ready = t.said, t.ready
	next.node.env = append(next.node.env, "VIGIE_DATA="+folder)
	got, err := next.look(ctx)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.readings(before, got)
	r = row{counts: j.counts, times: 1}

	next.crowd = newCrowd(ctx, w, window, before.address)
	defer next.crowd.close()
	if err := next.node.start(); err != nil {
		return r, err
	}
	next.crowd.allow(1, 1)
	if err := next.await(ctx, w.readings()); err != nil {
		return r, err
	}
	if got, err = next.settled(ctx); err != nil {
		return r, err
	}
	want, err := b.undisturbed(ctx, w)
	if err != nil {
		return r, err
	}
	after := &judge{out: b.out}
	after.readings(next.crowd, got)
	after.alerts(got, want)
	if err := after.meant(); err != nil {
		return r, err
	}
	r.counts.add(after.counts)
	r.note = fmt.Sprintf("%s; %d acknowledged after the backup began: sent again", after.atStake(), sentAgain)
	return r, nil
}

// vigie runs one of its tools on the store in a folder.
func (b *bench) vigie(ctx context.Context, data string, args ...string) error {
	command := exec.CommandContext(ctx, b.options.Vigie, append(args, "--data", data)...)
	command.Env = append(command.Environ(), "VIGIE_PROTOCOLS_FOLDERS="+b.protocols)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("vigie %s: %w: %s", args[0], err, out)
	}
	return nil
}
