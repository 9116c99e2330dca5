package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/deploy/servers"
)

// lab is a trial with the service in this process, where its clock can be moved.
type lab struct {
	*trial
	service *service.Service
	shift   atomic.Int64 // nanoseconds by which its clock is ahead
	log     servers.Journal
}

// newLab starts a service over a store with the ward in it. change is what its
// configuration differs in.
func (b *bench) newLab(ctx context.Context, w *ward, change func(*config.Config)) (*lab, error) {
	l := &lab{trial: &trial{bench: b, ward: w, folder: b.newFolder()}}
	l.said = l.log.String
	if err := l.enrol(ctx); err != nil {
		return nil, err
	}
	c := b.config(l.folder)
	host, port, err := net.SplitHostPort(b.people.smtp.Addr().String())
	if err != nil {
		return nil, err
	}
	c.Mail = config.Mail{Host: host, TLS: "none", From: "vigie@example.org"}
	if c.Mail.Port, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	c.Webhook.Secret = "between us"
	if change != nil {
		change(&c)
	}
	l.service, err = service.Start(ctx, service.Options{Config: c, Now: l.now, Log: slog.New(slog.NewTextHandler(&l.log, nil))})
	if err != nil {
		return nil, err
	}
	l.ready = l.service.Page() + "/readyz"
	broker, err := url.Parse(l.service.Broker())
	if err != nil {
		return nil, errors.Join(err, l.service.Close())
	}
	l.crowd = newCrowd(ctx, w, window, func() string { return broker.Host })
	return l, nil
}

// now is the clock of the service.
func (l *lab) now() time.Time { return time.Now().Add(time.Duration(l.shift.Load())) }

// step moves it.
func (l *lab) step(by time.Duration) { l.shift.Add(int64(by)) }

// close ends the trial, however it went.
func (l *lab) close() error {
	return errors.Join(l.trial.close(), l.service.Close())
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
	l, err := b.newLab(ctx, newWard(patients, readings, time.Now().Add(-3*time.Hour), b.people.hook.URL), nil)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for i := range times {
		l.crowd.allow(i+1, times+1)
		if err := l.await(ctx, l.ward.readings()*(i+1)/(times+1)-len(l.ward.devices)); err != nil {
			return r, err
		}
		l.step(steps[i%len(steps)])
	}
	j, err := l.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: times, note: j.note()}, nil
}

// peopleRefuse lets the mail server and the webhook answer that it is not the
// time, and then take what comes.
func peopleRefuse(b *bench, ctx context.Context) (r row, err error) {
	l, err := b.newLab(ctx, b.wardFor(6), nil)
	if err != nil {
		return r, err
	}
	b.people.refusing.Store(true)
	defer b.people.refusing.Store(false)
	defer func() { err = errors.Join(err, l.close()) }()
	l.crowd.allow(1, 2)
	for range 5 {
		before := b.people.refused.Load()
		if err := until(ctx, "messages that are refused", func() bool { return b.people.refused.Load() > before }); err != nil {
			return r, err
		}
		l.step(2 * time.Minute)
	}
	refused := b.people.refused.Load()
	b.people.refusing.Store(false)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go l.hurry(ctx)
	j, err := l.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: int(refused), note: j.note()}, nil
}

// hurry moves the clock on, so that what is to be tried again later is tried soon.
func (l *lab) hurry(ctx context.Context) {
	for i := 0; i < 60 && pause(ctx, 100*time.Millisecond) == nil; i++ {
		l.step(time.Minute)
	}
}
