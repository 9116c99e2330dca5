package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"vigie/deploy/servers"
)

// lab is a trial whose service has a clock that can be moved.
type lab struct {
	*trial
	clock string // address that takes steps of it
}

// newLab starts a service over a store with the ward in it. environment is what its
// configuration differs in.
func (b *bench) newLab(ctx context.Context, w *ward, environment ...string) (*lab, error) {
	t, err := b.newTrial(ctx, w, environment...)
	if err != nil {
		return nil, err
	}
	l := &lab{trial: t}
	if l.clock, err = servers.FreeAddress(); err != nil {
		return nil, err
	}
	t.node.command = []string{b.options.Moved, l.clock}
	if err := t.node.start(); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return l, nil
}

// step moves the clock of the service.
func (l *lab) step(by time.Duration) error {
	conn, err := net.Dial("tcp", l.clock)
	if err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, by); err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	return nil
}

// until waits for something that has to come.
func until(ctx context.Context, what string, came func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !came() {
		if pause(ctx, 50*time.Millisecond) != nil {
			return errors.New("waiting in vain: " + what)
		}
	}
	return nil
}

// clockSteps moves the clock two hours forth and back, and back and forth. What
// the ward measures lies before all of these times, so that the clock makes no
// reading one of the future.
func clockSteps(b *bench, ctx context.Context) (r row, err error) {
	steps := []time.Duration{2 * time.Hour, -2 * time.Hour, -2 * time.Hour, 2 * time.Hour}
	times := len(steps) * max(1, b.options.Kills/20)
	patients, readings := b.scale(times)
	l, err := b.newLab(ctx, newWard(patients, readings, time.Now().Add(-3*time.Hour), b.people.hook.URL))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	l.wrongClock, l.movedClock = true, true
	for i := range times {
		l.crowd.allow(i+1, times+1)
		if err := l.await(ctx, l.ward.readings()*(i+1)/(times+1)-len(l.ward.devices)); err != nil {
			return r, err
		}
		if err := l.step(steps[i%len(steps)]); err != nil {
			return r, err
		}
	}
	j, err := l.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: times, note: j.atStake()}, nil
}

// peopleRefuse lets the mail server and the webhook answer that it is not the
// time, and then take what comes.
func peopleRefuse(b *bench, ctx context.Context) (r row, err error) {
	l, err := b.newLab(ctx, b.wardFor(6))
	if err != nil {
		return r, err
	}
	b.people.refusing.Store(true)
	defer b.people.refusing.Store(false)
	defer func() { err = errors.Join(err, l.close()) }()
	l.movedClock = true
	l.crowd.allow(1, 2)
	for range 5 {
		before := b.people.refused.Load()
		if err := until(ctx, "messages that are refused", func() bool { return b.people.refused.Load() > before }); err != nil {
			return r, err
		}
		if err := l.step(2 * time.Minute); err != nil {
			return r, err
		}
	}
	refused := b.people.refused.Load()
	b.people.refusing.Store(false)
	hurrying, stop := context.WithCancel(ctx)
	hurried := make(chan error, 1)
	go func() { hurried <- l.hurry(hurrying) }()
	j, err := l.finish(ctx)
	stop()
	if err := errors.Join(err, <-hurried); err != nil {
		return r, err
	}
	return row{counts: j.counts, times: int(refused), note: j.atStake()}, nil
}

// hurry moves the clock on, so that what is to be tried again later is tried soon.
func (l *lab) hurry(ctx context.Context) error {
	for i := 0; i < 60 && pause(ctx, 100*time.Millisecond) == nil; i++ {
		if err := l.step(time.Minute); err != nil {
			return err
		}
	}
	return nil
}
