// Package workspace is where clinicians meet alerts, over HTTP: an interface for
// programs, a live stream of events, and pages for people.
//
// Programs show a bearer token; people log in with their account and get a session.
// What somebody may not see is answered like what does not exist. Health and metrics
// are open to all who reach the port.
//
//	GET  /api/v1/alerts                    list; state, level, team, patient, protocol, rule, from, to, order, limit, after
//	GET  /api/v1/alerts/{id}               one alert with explanation and events
//	POST /api/v1/alerts/{id}/acknowledge   {"note", "seen"}, all optional
//	POST /api/v1/alerts/{id}/resolve       {"outcome", "note", "seen"}, outcome required
//	POST /api/v1/alerts/{id}/undo          {}: takes back one's own latest act, for a minute
//	GET  /api/v1/messages/undelivered      messages that will never arrive
//	GET  /api/v1/patients/{id}/readings    measure, from, to, format (json or csv)
//	GET  /api/v1/patients/{id}/enrolments  how a patient is followed
//	GET  /api/v1/{patients,devices,enrolments,teams}        lists; limit, after; q finds patients
//	POST /api/v1/{patients,devices,enrolments,teams}        adds one; Idempotency-Key
//	GET, PUT, PATCH, DELETE /api/v1/{…}/{id}                one as a file of the registry holds it; its ETag names the version
//	POST /api/v1/devices/{id}/password                      another one, at random, shown once
//	…    /api/v1/enrolments/{id}/{settings,consent,pauses}  what stands in an enrolment
//	POST /api/v1/readings/import           {"patient", "device", "readings", "reason"}: readings as devices send them
//	POST /api/v1/readings/strike           {"patient", "time" or "from" and "to", "device", "id", "measure", "reason"}
//	POST /api/v1/readings/unstrike         the same: takes it back
//	GET  /api/v1/teams/{id}/duty           who is on duty and who is next; at
//	GET  /api/v1/openapi.json              all of this for programs (OpenAPI 3.1)
//	GET  /api/v1/stream                    server-sent events; resumes after Last-Event-ID or ?after=
//	GET  /api/v1/figures                   team, protocol, month or from and to or last, format (json or csv)
//	GET  /healthz, /readyz, /status, /metrics
//	GET  /, /alerts, /alerts/{id}, /patients/{id}, /patients/{id}/strike, /devices, /set-aside, /team, /account   pages
//	GET  /login, /login/code, /welcome     how people get in
//	GET  /mine                             where a patient enters readings himself
//
// An act says in "seen" how its author saw the alert, {"level", "active"}: it is
// refused when the alert has got worse since. Without it, it is done in any case.
//
// A change of the registry is made under If-Match, or If-None-Match: * for a PUT of what
// is new. PATCH takes a JSON merge patch (RFC 7396). dry_run=1 changes nothing and says
// what would change; allow_loosening=consent:e-1 names what may loosen the watch.
//
// Times are RFC 3339 in UTC. Lists of states and levels are repeated or separated
// by commas. A list is gravest first, then oldest, or with order=newest newest
// first. A page of it holds 100 alerts unless limit says otherwise, 500 at most; its
// "next" is the "after" of the following page. Every error is an
// application/problem+json (RFC 9457) with a stable "code" and a sentence in the
// language of Accept-Language, French or English.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/figures"
	"vigie/alerts/meter"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/alerts/workspace/roll"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// Options are what a workspace needs. Store, History, Accounts, Trail, TeamsOf and Now
// are required.
type Options struct {
	Store    alerts.Store
	History  History
	Accounts *access.Accounts
	Trail    Trail // who looked at whom
	// TeamsOf lists the care teams that follow a patient, or followed him.
	TeamsOf func(ctx context.Context, patient string) ([]string, error)
	// Persons says which records of patients are merged, see registry.Merge. May be nil.
	Persons func(ctx context.Context) (registry.Persons, error)
	// Fed lists the patients whom a device measures, or measured. Nothing is struck out of
	// several patients at once when nil.
	Fed func(ctx context.Context, device string) ([]string, error)
	// Tell sends a notice to teams by their channels, once for each key. May be nil.
	Tell   func(ctx context.Context, kind alerts.EventKind, teams []string, key string) error
	Tokens []Token // of the operator's programs
	Now    func() time.Time
	Log    *slog.Logger // nothing is logged when nil

	// Traces finds what is in the trail. There is no page for it when nil.
	Traces Traces
	// Looks keeps who opened whose record for the first time, so that the patient is told.
	// Nobody is told when nil.
	Looks trail.Looks
	// Reviews keeps who read through whose record. Nobody signs that when nil.
	Reviews reviews.Store
	// Figures gives what is counted. There are no figures when nil.
	Figures figures.Store
	// Roll names the patients. Pages show their ids when nil.
	Roll roll.Source
	// Change is the registry as programs read and change it; they do not when it, Enrolments
	// or Protocol is nil.
	Change Registrar
	// Protocol returns a version of a protocol, nil for one that is not at hand. May be
	// nil itself.
	Protocol func(id, version string) *protocols.Protocol

	// Library lists the newest version of each protocol, to put somebody under. Nobody is
	// enrolled on pages when nil.
	Library func() []*protocols.Protocol

	// Enrolments lists the enrolments of a patient, oldest first, and Device what is known
	// of one instrument. Pages show nothing of either when nil.
	Enrolments func(ctx context.Context, patient string) ([]registry.Enrolment, error)
	Device     func(ctx context.Context, name string) (*registry.Assignment, error)
	// Versions lists an enrolment as it was, oldest first. Pages show thresholds as they are
	// now when nil.
	Versions func(ctx context.Context, enrolment string) ([]registry.Version, error)

	// Notice is the version of the information notice that patients are given. May be empty.
	Notice string

	// Retained says what is kept how long, and Erase counts what an erasure would take out, or
	// has it taken out: the service starts anew for it. Errors of type *erasure.Refusal say why
	// not. There is no page of either when one is nil.
	Retained func(ctx context.Context) ([]erasure.Keeping, error)
	Erase    func(ctx context.Context, patient, author, reason string, dry bool) (*erasure.Effect, error)

	// Standing says where a rule of an enrolment stands at a moment: how what rang then
	// comes out now. Pages show the past alone when nil.
	Standing func(ctx context.Context, enrolment, rule string, at time.Time) (*protocols.Account, error)

	// Preview says which alerts each form of one enrolment would have raised in a span. Forms
	// differ by settings or version. Both are changed without being foreseen when nil.
	Preview func(ctx context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error)

	// Care says who is told of alerts. Pages do not say who is told next when nil.
	Care alerts.Directory
	// PushKey is the public key by which a browser subscribes to push messages. Nobody can
	// subscribe when empty.
	PushKey string
	// Duty says who is on duty for a team at a moment, and who is next;
	// registry.ErrNotFound for no such team. Programs cannot ask when nil.
	Duty func(ctx context.Context, team string, at time.Time) (alerts.Duty, error)

	// Strike marks readings as not to be used, or takes that back, and returns them.
	// Nobody can when nil.
	Strike func(context.Context, Striking) ([]*protocols.Reading, error)
	// Enter keeps readings that were recorded elsewhere. Nobody can when nil.
	Enter func(context.Context, Entering) (Entered, error)
	// Aside is what could not be used. There is no page of it when nil.
	Aside Aside
	// Statuses lists what is known of the technical state of devices, as ingest.Store does.
	// There is no page of devices when it or Device is nil.
	Statuses func(ctx context.Context, devices []string) ([]ingest.DeviceStatus, error)
	// Wide keeps strikes of many patients. Nobody strikes so when nil.
	Wide ingest.WideActs
	// TryStrike says what Strike would find, and does nothing. Pages do not foresee it
	// when nil.
	TryStrike func(context.Context, Striking) ([]protocols.Finding, error)
	// Marks lists what was struck out of the readings of a patient measured in [from, to).
	// Pages do not say by whom when nil.
	Marks func(ctx context.Context, patient string, from, to time.Time) ([]ingest.Mark, error)

	// Address is where people reach the workspace, "https://vigie.example.org".
	// Over https, session cookies are kept off unencrypted connections.
	Address string
	// Proxies are the networks of the proxies that requests come through. What they add
	// to X-Forwarded-For is believed, of nobody else.
	Proxies []netip.Prefix
	// Teams are the care teams, for their names and time zones.
	Teams func() []Team
	// Checks say whether the service is ready, for /readyz.
	Checks []Check
	// Status says the rest, for /status. May be nil.
	Status func(context.Context) []Statement
	// Apart leaves /readyz, /status and /metrics to Operator, on a listener of its own.
	Apart bool
	// Metrics takes this package's own metrics and alerts.Gauges, and is served as
	// /metrics; without it neither is.
	Metrics *meter.Meter
	// Edition says which Vigie this is, at the foot of each page.
	Edition string

	Heartbeat time.Duration // how often a silent stream says that it is alive; 15 s when zero
	Poll      time.Duration // how often the stream looks for events; 200 ms when zero
	Streams   int           // how many streams may be open; 1000 when zero. A page beyond looks again every half minute
	Patience  time.Duration // how long the body of a request may take to come, and a piece of an answer to go; 30 s when zero
}

// History gives the readings of a patient, of one measure or of all when measure
// is nil, measured in [from, to), in canonical order, until yield returns false.
type History interface {
	History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
}

// Team is a care team as pages show it.
type Team struct {
	ID   string
	Name string
	Zone *time.Location
	// Glucose is the unit that is written beside mg/dL; empty for none.
	Glucose string
}

// Check is one thing without which neither devices nor people may be sent here.
type Check struct {
	Name     string
	Sentence protocols.Text              // for whoever asks, when it fails
	Ready    func(context.Context) error // its error is for the log
}

// Workspace is an http.Handler. Close it so that open streams end.
type Workspace struct {
	Options
	handler  http.Handler
	metrics  *metrics
	watch    *watch
	pages    *pages
	keys     atomic.Pointer[[]key]
	guesses  access.Tries
	ownTries access.Tries
	ownPace  pace
	programs programs
	records  records
	looks    looks
	openers  openers
	guards   guards
	turned   sync.Map                // the page of whom is turned away at the login, by language
	needs    map[string]access.Right // by pattern, of each route that is served
	notReady
	exports chan struct{} // holds one for each history that is being written
	widely  sync.Mutex    // held while readings of many patients are struck out
}

// New checks the options and returns a workspace.
func New(options Options) (*Workspace, error) {
	w := &Workspace{Options: options, exports: make(chan struct{}, exports)}
	if w.Store == nil || w.History == nil || w.Now == nil || w.Accounts == nil || w.Trail == nil || w.TeamsOf == nil {
		return nil, errors.New("a workspace needs a store, a history, a clock, accounts, a trail and the teams of a patient")
	}
	w.notReady.told = map[int]time.Time{}
	w.records = records{w.Store, w.History, w.TeamsOf, w.Accounts.Now, roll.Of(w.Roll), &board{}, w.Enrolments, nil, w.Persons, w.Reviews}
	if w.Change != nil {
		w.records.withINS = w.Change.PatientsWithINS
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	if w.Teams == nil {
		w.Teams = func() []Team { return nil }
	}
	w.Heartbeat = orElse(w.Heartbeat, 15*time.Second)
	w.Poll = orElse(w.Poll, 200*time.Millisecond)
	w.Patience = orElse(w.Patience, 30*time.Second)
	if w.Streams == 0 {
		w.Streams = 1000
	}
	var err error
	if w.pages, err = newPages(); err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	w.metrics = newMetrics(w.Options.Metrics, alerts.Gauges{Store: w.Store, Now: w.Now})
	w.watch = newWatch(w.Store, w.Poll, w.Log)
	if _, err := w.SetTokens(w.Tokens); err != nil {
		return nil, err
	}
	w.handler = w.handlerOf(w.routes())
	w.Store, w.History = nil, nil // from here on, nobody reaches them but by records
	return w, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Close ends the open streams. A server calls it when it begins to shut down.
func (w *Workspace) Close() { w.watch.close() }

// ServeHTTP is part of http.Handler.
func (w *Workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

// timed gives the body of a request its time: who sends it byte by byte would hold
// a connection for ever. A request without a body, as that of a stream, has none.
func (w *Workspace) timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			ctx, cancel := context.WithTimeout(r.Context(), w.Patience)
			defer cancel()
			until, _ := ctx.Deadline()
			if err := http.NewResponseController(rw).SetReadDeadline(until); err != nil {
				w.Log.Debug("a body without a deadline", "error", err)
			}
		}
		next.ServeHTTP(rw, r)
	})
}

// guarded sets the headers that hold for every answer. Nothing is fetched from
// elsewhere, no script or style stands inside a page, no page is framed, and
// nothing about a patient stays in a cache. Over https, a browser never comes back
// without.
func (w *Workspace) guarded(next http.Handler) http.Handler {
	policy := strings.Join([]string{
		"default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'", "manifest-src 'self'",
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if w.encrypted(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(rw, r)
	})
}

// encrypted reports whether people reach the workspace over https, be it by a proxy.
func (w *Workspace) encrypted(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(w.Address, "https://")
}

// observed counts and logs every answer. The address of a request may name a
// patient: only the route is written down.
func (w *Workspace) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		counted := &counter{ResponseWriter: rw, status: http.StatusOK}
		next.ServeHTTP(counted, r)
		route := r.Pattern
		if route == "" {
			route = "none"
		}
		w.metrics.answered(route, counted.status)
		w.Log.Debug("request answered", "route", route, "status", counted.status)
	})
}

// counter remembers the status of an answer.
type counter struct {
	http.ResponseWriter
	status int
}

func (c *counter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is behind.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
