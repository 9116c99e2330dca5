package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"vigie/cmd/console"
)

// progress tells how far something has come: a bar that moves on a terminal, a
// line now and then in a pipe.
type progress struct {
	out    io.Writer
	lively bool
	every  time.Duration

	mu   sync.Mutex // between those who publish and those who hear of trouble
	last time.Time
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, every: 5 * time.Second, last: time.Now()}
	if console.Lively(out) {
		p.lively, p.every, p.last = true, 100*time.Millisecond, time.Time{}
	}
	return p
}

// show shows done of total, unless it has just done so.
func (p *progress) show(done, total int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) < p.every {
		return
	}
	p.last = now
	p.draw(done, total, note)
}

// finish shows the last state and leaves the line.
func (p *progress) finish(done, total int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw(done, total, note)
	if p.lively {
		fmt.Fprintln(p.out)
	}
}

// say writes a line of its own.
func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\n%s\n", text)
}

func (p *progress) draw(done, total int, note string) {
	state := fmt.Sprintf("%d/%d %s", done, total, note)
	if total == 0 { // it goes on for a time, not up to a number
		state = fmt.Sprintf("%d %s", done, note)
	}
	if !p.lively {
		fmt.Fprintln(p.out, state)
		return
	}
	const width = 30
	full := 0
	if total > 0 {
		full = width * done / total
	}
	fmt.Fprintf(p.out, "\r\x1b[K[%s%s] %s", strings.Repeat("█", full), strings.Repeat("·", width-full), state)
}
