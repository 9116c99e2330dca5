package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/seeds/stories"
)

// stage is where one story is played.
type stage struct {
	ctx     context.Context
	story   *stories.Story
	options Options
	folder  string // of everything on disk
	lives   int    // how often the service was killed: each goes on in a folder of its own
	clock   atomic.Int64
	config  config.Config
	post    *post
	service *service.Service // nil while it is stopped
	shelf   *service.Shelf
	latest  map[string]string // version of each protocol that a story means where it says none
	care    care
	devices map[string]*device
	waiting []*delivery // prepared for this moment
	held    []*delivery // devices keep them until the service is back
	back    time.Time   // when devices come back; zero when none waits
	quiet   bool        // nothing has happened since the last sweeps
	steps   int
	inbox   []arrived // what people were told since the last look
	result  Result
}

// devicesBack is how long after a start of the service devices connect again: most
// try every minute.
const devicesBack = time.Minute

// mostSteps bounds how often the clock may stop: a story of a year with a stop every
// five minutes.
const mostSteps = 110_000

func newStage(ctx context.Context, story *stories.Story, options Options) (s *stage, err error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	s = &stage{ctx: ctx, story: story, options: options, devices: map[string]*device{}}
	s.clock.Store(story.Start.Unix())
	if s.folder, err = os.MkdirTemp("", "vigie-rehearsal-"); err != nil {
		return nil, fmt.Errorf("make a folder for the story: %w", err)
	}
	if s.post, err = newPost(s); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.shelf, err = service.NewShelf(options.Protocols...); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.copy(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.configure()
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.care = newCare(s)
	if err := s.change(&story.Care); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// token opens the interface for programs.
const token = "a-token-of-the-rehearsal-and-of-nothing-else"

// tokenOf is that of somebody who acts in the story, under whose name the act is kept.
func tokenOf(person string) string { return token + " " + person }

func (s *stage) configure() {
	c := config.Default()
	c.Data = filepath.Join(s.folder, "0")
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.PublicURL = "http://vigie.example"
	c.HTTP.Tokens = map[string]config.Secret{"rehearsal": token}
	for i := range s.story.Course {
		if act := s.story.Course[i].Act; act != nil { // whoever acts is known by a token
			c.HTTP.Tokens[act.By] = config.Secret(tokenOf(act.By))
		}
	}
	c.Store.Postgres.URL = config.Secret(s.options.Postgres)
	c.Protocols.Folders = s.options.Protocols
	if len(s.story.Copies) > 0 {
		c.Protocols.Folders = append(slices.Clone(c.Protocols.Folders), s.copies())
	}
	c.Mail.Administrators = s.story.Admin
	c.Limits.Linger = 0
	s.config = c
}

func (s *stage) copies() string { return filepath.Join(s.folder, "copies") }

// versioned is the line of a protocol that names its version.
var versioned = regexp.MustCompile(`(?m)^version:.*$`)

// copy writes the protocols that the story has in one more version, beside the others. What
// says no version goes on to mean the one that was there.
func (s *stage) copy() error {
	s.latest = map[string]string{}
	for _, p := range s.shelf.LatestOfAll() {
		s.latest[p.ID] = p.Version
	}
	if len(s.story.Copies) == 0 {
		return nil
	}
	if err := os.Mkdir(s.copies(), 0o700); err != nil {
		return fmt.Errorf("make a folder for protocols: %w", err)
	}
	for i, c := range s.story.Copies {
		text := s.shelf.Text(c.Protocol, s.latest[c.Protocol])
		if text == "" {
			return fmt.Errorf("line %d: there is no protocol %q: write the id of one that ships", c.Line, c.Protocol)
		}
		text = versioned.ReplaceAllLiteralString(text, fmt.Sprintf("version: %q", c.Version))
		if err := os.WriteFile(filepath.Join(s.copies(), fmt.Sprintf("%d.yaml", i)), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write a protocol: %w", err)
		}
	}
	var err error
	s.shelf, err = service.NewShelf(append(slices.Clone(s.options.Protocols), s.copies())...)
	return err
}

// Now is the clock of the story.
func (s *stage) Now() time.Time { return time.Unix(s.clock.Load(), 0).UTC() }

func (s *stage) start() (err error) {
	s.service, err = service.Start(s.ctx, service.Options{
		Config: s.config, Now: s.Now, Log: s.options.Log, Stepped: true,
		Channels: s.post.witnessed(),
	})
	if err != nil {
		s.service = nil
		return fmt.Errorf("start the service: %w", err)
	}
	s.quiet = false
	return nil
}

func (s *stage) stop() error {
	for _, d := range s.devices {
		d.disconnect()
	}
	stopped := s.service
	s.service = nil
	if err := stopped.Close(); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return nil
}

// turn stops, kills or starts the service.
func (s *stage) turn(to string) error {
	s.tell("service: %s", to)
	running := s.service != nil
	switch {
	case to == "start" && running:
		return errors.New("the service runs already")
	case to != "start" && !running:
		return errors.New("the service does not run")
	case to == "stop":
		return s.stop()
	case to == "kill":
		return s.kill()
	}
	if len(s.held) > 0 {
		s.back = s.Now().Add(devicesBack)
	}
	return s.start()
}

// kill leaves behind what a process leaves that ends at once: the files as they are at
// this moment. The service itself is then closed, on files that nobody reads again.
// A shared database has everything that was committed in any case.
func (s *stage) kill() error {
	if s.options.Postgres == "" {
		s.lives++
		next := filepath.Join(s.folder, fmt.Sprint(s.lives))
		if err := os.CopyFS(next, os.DirFS(s.config.Data)); err != nil {
			return fmt.Errorf("keep the files of the service that is killed: %w", err)
		}
		s.config.Data = next
	}
	return s.stop()
}

func (s *stage) close() error {
	var failed []error
	if s.service != nil {
		failed = append(failed, s.stop())
	}
	if s.post != nil {
		failed = append(failed, s.post.close())
	}
	return errors.Join(append(failed, os.RemoveAll(s.folder))...)
}

// follow lets follow what happened at this moment.
func (s *stage) follow() error {
	if err := s.deliver(); err != nil {
		return err
	}
	if s.quiet || s.service == nil {
		return nil
	}
	s.quiet = true
	return s.sweep()
}

func (s *stage) sweep() error {
	if s.steps++; s.steps > mostSteps {
		return fmt.Errorf("the clock has stopped %d times: something is due again and again", mostSteps)
	}
	if s.options.Kill != nil && s.options.Kill() {
		if err := errors.Join(s.kill(), s.start()); err != nil {
			return err
		}
		s.quiet = true
	}
	if err := s.service.Step(s.ctx); err != nil {
		return err
	}
	return s.gather()
}

// advance moves the clock to a moment, and stops wherever something is due before.
func (s *stage) advance(to time.Time) error {
	if !to.After(s.Now()) {
		return nil
	}
	if err := s.follow(); err != nil {
		return err
	}
	for {
		next, err := s.next(to.Add(-time.Second))
		if err != nil {
			return err
		}
		if next.IsZero() {
			break
		}
		if err := s.reach(next); err != nil {
			return err
		}
		if err := s.deliver(); err != nil {
			return err
		}
		if err := s.sweep(); err != nil {
			return err
		}
	}
	s.quiet = false
	return s.reach(to)
}

// reach sets the clock to a moment before which nothing is due. A service that may be
// killed then has run up to the second before: it was not away.
func (s *stage) reach(at time.Time) error {
	if before := at.Add(-time.Second); s.options.Kill != nil && s.service != nil && before.After(s.Now()) {
		s.clock.Store(before.Unix())
		if err := s.service.Step(s.ctx); err != nil {
			return err
		}
	}
	s.clock.Store(at.Unix())
	return nil
}

// next is the next moment at which something is due, not after until; zero when there
// is none.
func (s *stage) next(until time.Time) (time.Time, error) {
	if s.service == nil || !until.After(s.Now()) {
		return time.Time{}, nil
	}
	next, err := s.due(until)
	if err == nil && !s.back.IsZero() && !s.back.After(until) && (next.IsZero() || s.back.Before(next)) {
		next = s.back
	}
	return next, err
}

// due is when the service next has something to do, or the next stop of a walk.
func (s *stage) due(until time.Time) (time.Time, error) {
	if s.options.Walk == 0 {
		return s.service.Due(s.ctx, until)
	}
	if next := s.Now().Add(s.options.Walk); !next.After(until) {
		return next, nil
	}
	return time.Time{}, nil
}

// end looks, at the end of the story, at what nobody looked at.
func (s *stage) end() error {
	if err := s.follow(); err != nil {
		return err
	}
	s.unlooked()
	return nil
}
