package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"vigie/cmd/console"
)

// progress draws a bar on a terminal, and nothing anywhere else.
type progress struct {
	out   io.Writer
	in    tongue
	of    noun
	total int

	mutex sync.Mutex
	done  int
	drawn time.Time
	begun time.Time
}

func newProgress(out io.Writer, in tongue, of noun, total int) *progress {
	if !console.Lively(out) || total <= 0 {
		out = nil
	}
	return &progress{out: out, in: in, of: of, total: total, begun: time.Now()}
}

// add counts n more done.
func (p *progress) add(n int) {
	if p.out == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done += n
	if now := time.Now(); now.Sub(p.drawn) > 100*time.Millisecond {
		p.drawn = now
		p.draw()
	}
}

// at says that so many of a number are done. The number may be known only then.
func (p *progress) at(done, of int) {
	if p.out == nil || of <= 0 {
		return
	}
	p.mutex.Lock()
	p.done, p.total = 0, of
	p.mutex.Unlock()
	p.add(done)
}

func (p *progress) draw() {
	const width = 32
	full := min(width, width*p.done/p.total)
	fmt.Fprintf(p.out, "\r\x1b[K%s%s %3d %%  %d/%d %s", strings.Repeat("█", full), strings.Repeat("░", width-full), 100*p.done/p.total, p.done, p.total, p.in.say(p.of.several))
}

// end clears the bar and leaves one line on how long it took.
func (p *progress) end() {
	if p.out == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Fprint(p.out, "\r\x1b[K"+p.in.say(progressEnd, p.in.some(p.done, p.of), time.Since(p.begun).Round(10*time.Millisecond)))
}
