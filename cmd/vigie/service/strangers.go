package service

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// strangers is a slog.Handler that keeps those who are not let in from filling the
// log. A record with "from", the address of whoever caused it, is told once a minute
// for each address and message; the others are counted, and the count is told at the
// end of the minute. What they sent is cut to a few bytes.
type strangers struct {
	slog.Handler
	told *told
}

const (
	fromKey = "from"
	// strangersEvery is how often one address is told of with one message.
	strangersEvery = time.Minute
	// strangersMost bounds how many pairs of address and message are told of in that
	// time; all others are counted together.
	strangersMost = 200
	// shortWords bounds what strangers sent, longWords anything else, in bytes.
	shortWords = 64
	longWords  = 4 << 10
)

// told is what was said of strangers in the present minute.
type told struct {
	now   func() time.Time
	mu    sync.Mutex
	until time.Time
	heard map[heard]*untold
}

// heard is what one line is told for.
type heard struct{ message, from string }

// untold counts what was not told.
type untold struct {
	level slog.Level
	count int
}

func newStrangers(next slog.Handler, now func() time.Time) *strangers {
	return &strangers{next, &told{now: now, heard: map[heard]*untold{}}}
}

// Handle is part of slog.Handler. Records for debugging are told as they come.
func (s *strangers) Handle(ctx context.Context, r slog.Record) error {
	from, ok := fromOf(r)
	cut := longWords
	if ok {
		if cut = shortWords; r.Level > slog.LevelDebug && !s.told.first(ctx, s.Handler, r.Level, heard{r.Message, from}) {
			return nil
		}
	}
	return s.Handler.Handle(ctx, shortened(r, cut))
}

// WithAttrs is part of slog.Handler.
func (s *strangers) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &strangers{s.Handler.WithAttrs(attrs), s.told}
}

// WithGroup is part of slog.Handler.
func (s *strangers) WithGroup(name string) slog.Handler {
	return &strangers{s.Handler.WithGroup(name), s.told}
}

// Flush tells what the minute counted, once that is over.
func (s *strangers) Flush(ctx context.Context) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	s.told.turn(ctx, s.Handler)
}

// End tells the counts of the minute that is not over yet: nothing follows.
func (s *strangers) End(ctx context.Context) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	s.told.tell(ctx, s.Handler)
}

// first reports whether a line is the first of its kind in this minute, and counts it
// otherwise.
func (t *told) first(ctx context.Context, to slog.Handler, level slog.Level, what heard) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(ctx, to)
	known, ok := t.heard[what]
	if !ok && len(t.heard) < strangersMost {
		t.heard[what] = &untold{level: level}
		return true
	}
	if !ok {
		what = heard{message: what.message, from: "others"}
		if known, ok = t.heard[what]; !ok {
			known = &untold{level: level}
			t.heard[what] = known
		}
	}
	known.count++
	return false
}

// turn tells the counts of a minute that is over and begins another, under the lock.
func (t *told) turn(ctx context.Context, to slog.Handler) {
	now := t.now()
	if now.Before(t.until) && t.until.Sub(now) <= strangersEvery { // longer when the clock was put back
		return
	}
	t.tell(ctx, to)
	t.until = now.Add(strangersEvery)
}

// tell tells what was counted, and forgets it, under the lock.
func (t *told) tell(ctx context.Context, to slog.Handler) {
	byCount := slices.SortedFunc(maps.Keys(t.heard), func(a, b heard) int { return cmp.Compare(t.heard[b].count, t.heard[a].count) })
	const mostLines = 20
	for i, what := range byCount {
		counted := t.heard[what]
		if counted.count == 0 || i == mostLines {
			break
		}
		r := slog.NewRecord(t.now(), counted.level, what.message, 0)
		r.AddAttrs(slog.String(fromKey, what.from), slog.Int("more_times", counted.count))
		if to.Enabled(ctx, counted.level) {
			_ = to.Handle(ctx, r) // as for any line, there is nowhere else to say so
		}
	}
	clear(t.heard)
}

// fromOf is the address that caused a record, without its port.
func fromOf(r slog.Record) (from string, ok bool) {
	r.Attrs(func(a slog.Attr) bool {
		if ok = a.Key == fromKey; ok {
			from = networkOf(a.Value.String())
		}
		return !ok
	})
	return from, ok
}

// networkOf is the address of a host; of IPv6 the network, as anybody has many
// addresses in it.
func networkOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host[:min(len(host), shortWords)]
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return network.String()
}

// shortened is a record whose words have at most so many bytes each. Stacks are the
// program's own, and as long as they are.
func shortened(r slog.Record, most int) slog.Record {
	long := false
	r.Attrs(func(a slog.Attr) bool {
		long = a.Key != stackKey && len(wordsOf(a.Value)) > most
		return !long
	})
	if !long {
		return r
	}
	short := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if words := wordsOf(a.Value); a.Key != stackKey && len(words) > most {
			a.Value = slog.StringValue(cutTo(words, most))
		}
		short.AddAttrs(a)
		return true
	})
	return short
}

const stackKey = "stack"

// wordsOf is the text of a value that may be long.
func wordsOf(v slog.Value) string {
	switch v.Kind() {
	case slog.KindString, slog.KindAny:
		return v.String()
	}
	return ""
}

// cutTo is text without what is beyond so many bytes, whole characters only.
func cutTo(text string, most int) string {
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.ToValidUTF8(text[:most], "?") + "…"
}
