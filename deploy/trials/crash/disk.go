package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// diskFull gives the service a small file system, fills it, and makes room again.
func diskFull(b *bench, ctx context.Context) (r row, err error) {
	folder := b.newFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return r, err
	}
	unmount, err := mountSmall(folder)
	if err != nil {
		return r, fmt.Errorf("%w: %w", errSkipped, err)
	}
	defer func() { err = errors.Join(err, unmount()) }()
	t, err := b.newTrialIn(ctx, filepath.Join(folder, "data"), b.wardFor(12))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	t.crowd.allow(1, 12)
	if err := t.await(ctx, t.ward.readings()/12-len(t.ward.devices)); err != nil {
		return r, err
	}
	ballast := filepath.Join(folder, "ballast")
	if err := fill(ballast); err != nil {
		return r, err
	}
	t.crowd.allow(11, 12)
	if err := until(ctx, "the service to say that the disk is full", func() bool { return said(t.said(), "the disk is full, make room") }); err != nil {
		return r, err
	}
	before := t.crowd.acked.Load()
	if err := pause(ctx, 2*time.Second); err != nil {
		return r, err
	}
	waited := t.crowd.acked.Load() == before
	if err := os.Remove(ballast); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	note := j.atStake()
	if !waited {
		note += ", some readings still found room meanwhile"
	}
	return row{counts: j.counts, times: 1, note: note}, nil
}

// said reports whether one line of a log says something.
func said(log, what string) bool {
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, what) {
			return true
		}
	}
	return false
}

// fill writes a file until there is no room left.
func fill(name string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err = file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !isFull(err) {
		return errors.Join(fmt.Errorf("fill the disk: %w", err), file.Close())
	}
	return file.Close()
}
