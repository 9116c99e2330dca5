// Package rehearsal plays stories on the whole service, with its clock moved: devices
// connect to its broker, people act through its interface for programs, messages
// reach a mail server and a webhook of this package. The clock jumps from one moment
// at which something is due to the next, so that a month takes about a second.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/seeds/stories"
)

// Options are how stories are played.
type Options struct {
	// Postgres is the URL of an empty database or schema; the embedded store when
	// empty.
	Postgres string
	// Protocols are folders of care protocols beside those that ship.
	Protocols []string
	// Kill says whether the service is to be killed, and started again at once, before
	// it does what is due at a moment. The story must come out the same. May be nil.
	Kill func() bool
	// Walk has the clock stop every so often, instead of wherever something is due: it
	// shows that nothing is due in between. 0 to jump.
	Walk time.Duration
	// Chronicle, when not nil, is told in a line what happens.
	Chronicle io.Writer
	// Log is that of the service; none when nil.
	Log *slog.Logger
}

// Result is how a story came out.
type Result struct {
	// Problems are about the story itself: who is followed, in the main. When one is
	// an error, the story was not played to its end.
	Problems    []document.Problem
	Differences []Difference
}

// Passed reports whether the story was played and all of it came as it is written.
func (r *Result) Passed() bool { return len(r.Problems) == 0 && len(r.Differences) == 0 }

// Difference is one thing that came otherwise than the story says.
type Difference struct {
	Line, Column int // of what was expected
	Moment       string
	What         protocols.Text
	Wanted, Came []string // one a line, in the words of a story
}

// Play plays one story. An error is a fault of the stage or of the service, not a
// difference.
func Play(ctx context.Context, story *stories.Story, options Options) (result Result, err error) {
	s, err := newStage(ctx, story, options)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if len(s.result.Problems) > 0 {
		return s.result, nil
	}
	for i := range story.Course {
		step := &story.Course[i]
		if err := s.advance(step.At); err != nil {
			return s.result, fmt.Errorf("line %d, before %s: %w", step.Line, s.moment(step.At), err)
		}
		if err := s.play(step); err != nil {
			return s.result, fmt.Errorf("line %d, %s: %w", step.Line, s.moment(step.At), err)
		}
		if len(s.result.Problems) > 0 {
			return s.result, nil
		}
	}
	return s.result, s.end()
}

// play does one step, or looks at what must be so.
func (s *stage) play(step *stories.Step) error {
	switch {
	case step.Send != nil:
		return s.prepare(step)
	case step.Status != nil:
		return s.says(step)
	case step.Change != nil:
		return s.change(step.Change)
	}
	if err := s.follow(); err != nil {
		return err
	}
	switch {
	case step.Service != nil:
		return s.turn(step.Service.To)
	case step.Channel != nil:
		s.tell("%s: %s", step.Channel.What, step.Channel.To)
		return s.post.turn(step.Channel)
	case step.Act != nil:
		return s.act(step)
	case step.Told != nil:
		s.told(step)
		return nil
	case step.List != nil:
		return s.list(step)
	case step.Alert != nil:
		return s.look(step)
	}
	return nil
}

// differ notes a difference.
func (s *stage) differ(line, column int, what protocols.Text, wanted, came []string) {
	s.result.Differences = append(s.result.Differences, Difference{line, column, s.moment(s.Now()), what, wanted, came})
}

// moment writes a time as a story does.
func (s *stage) moment(at time.Time) string {
	if at.IsZero() {
		return "—"
	}
	local, start := at.In(s.story.Zone), s.story.Start.In(s.story.Zone)
	civil := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	days := int(civil(local).Sub(civil(start)).Hours()/24) + 1
	return fmt.Sprintf("day %d %s", days, local.Format("15:04"))
}

// tell adds a line to the chronicle.
func (s *stage) tell(format string, args ...any) {
	if s.options.Chronicle != nil {
		// A chronicle that cannot be written is no reason to stop the story.
		_, _ = fmt.Fprintf(s.options.Chronicle, "%-13s %s\n", s.moment(s.Now()), fmt.Sprintf(format, args...))
	}
}

// Text is a difference as a person reads it: its place, and what was expected and
// came, line by line.
func (d *Difference) Text(file, language string) string {
	what, wanted, came := d.What.In("en"), "expected", "came"
	if language == "fr" {
		what, wanted, came = d.What.FR, "attendu", "venu"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s:%d:%d: %s : %s\n", file, d.Line, d.Column, d.Moment, what)
	for _, part := range []struct {
		word, sign string
		lines      []string
	}{{wanted, "−", d.Wanted}, {came, "+", d.Came}} {
		for _, line := range part.lines {
			fmt.Fprintf(&out, "    %s %-8s %s\n", part.sign, part.word, line)
		}
	}
	return out.String()
}
