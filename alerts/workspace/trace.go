package workspace

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/trail"
)

// Trail keeps who looked at whom. *trail.Trail is one.
type Trail interface {
	// Write returns once the entry is kept. An error keeps nobody from a patient.
	Write(ctx context.Context, e trail.Entry) error
	// Gap reports since when entries are not written, how many wait, how many are lost.
	Gap() (since time.Time, late, lost int)
}

// trace gathers for one request whose records are read. What is gathered is in the
// trail before the first byte of the answer leaves, and before an act is done. A stream
// adds an entry whenever it comes to a patient that it has not shown.
type trace struct {
	w       *Workspace
	r       *http.Request
	who     access.Who
	deed    string
	again   bool // the page looks again by itself
	mu      sync.Mutex
	patient map[string]bool // true once written
	all     bool            // whatever there is, not patients by name
	told    bool            // that
}

type traceKey struct{}

func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// saw notes that an answer shows something of a patient. It does nothing outside a
// request, as for counts.
func saw(ctx context.Context, patient string) {
	t := traceOf(ctx)
	if t == nil || patient == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.patient[patient] {
		t.patient[patient] = false
	}
}

// sawEveryone notes that an answer shows whatever there is.
func sawEveryone(ctx context.Context) {
	t := traceOf(ctx)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = true
}

// actsOn writes an act on an alert down, before it is done.
func actsOn(ctx context.Context, about *alerts.Alert) {
	t := traceOf(ctx)
	if t == nil {
		return
	}
	if about.Patient != "" {
		actsFor(ctx, about.Patient, about.ID, "")
		return
	}
	t.write(trail.Entry{Kind: trail.Act, Deed: t.deed, About: about.ID})
}

// actsFor writes an act that concerns a patient down, what it is about and its reason where
// there are any, before it is done.
func actsFor(ctx context.Context, patient, about, reason string) {
	t := traceOf(ctx)
	if t == nil {
		return
	}
	if patient == "" {
		t.write(trail.Entry{Kind: trail.Act, Deed: t.deed, About: about, Reason: reason})
		return
	}
	t.mu.Lock()
	t.patient[patient] = true
	t.mu.Unlock()
	t.write(trail.Entry{Kind: trail.Act, Deed: t.deed, About: about, Patients: []string{patient}, Reason: reason})
}

// traced serves with a trace.
func (w *Workspace) traced(who access.Who, next http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		t := &trace{w: w, who: who, deed: strings.ReplaceAll(r.Pattern, "{act}", r.PathValue("act")),
			again: r.Header.Get("Vigie-Refresh") != "", patient: map[string]bool{}}
		t.r = r.WithContext(context.WithValue(access.With(r.Context(), who), traceKey{}, t))
		next(&tracing{rw, t}, t.r)
	}
}

// tracing lets no byte out before the trail has it.
type tracing struct {
	http.ResponseWriter
	trace *trace
}

// WriteHeader is part of http.ResponseWriter.
func (t *tracing) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		t.trace.flush()
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (t *tracing) Write(p []byte) (int, error) {
	t.trace.flush()
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is behind.
func (t *tracing) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// flush writes down what was gathered and is not written yet.
func (t *trace) flush() {
	t.mu.Lock()
	var fresh []string
	for patient, written := range t.patient {
		if !written {
			fresh = append(fresh, patient)
			t.patient[patient] = true
		}
	}
	everyone := t.all && !t.told
	t.told = t.told || t.all
	t.mu.Unlock()
	if t.again {
		fresh = t.w.looks.fresh(t.key(), fresh, t.w.Accounts.Now())
	} else {
		t.w.looks.note(t.key(), fresh, t.w.Accounts.Now())
	}
	if len(fresh) == 0 && !everyone {
		return
	}
	slices.Sort(fresh)
	t.write(trail.Entry{Kind: trail.Read, Deed: t.deed, Patients: fresh, Everyone: everyone})
}

// key is the view that a page which looks again repeats.
func (t *trace) key() string {
	return t.who.Session + "\x00" + t.who.Account + "\x00" + t.who.Token + "\x00" + t.deed
}

// write adds an entry in the name of who asks. A glass that was broken for the only
// patient says why.
func (t *trace) write(e trail.Entry) {
	e = e.Of(t.who)
	if len(e.Patients) == 1 {
		for _, g := range t.who.Grants {
			if g.Patient == e.Patients[0] && g.Holds(t.w.Accounts.Now()) {
				e.Through, e.Reason = g.ID, g.Reason
			}
		}
	}
	if err := t.w.Trail.Write(t.r.Context(), e); err != nil {
		t.w.Log.Debug("an entry of the trail is not written yet", "error", err) // the trail says so once
	}
	t.w.firstLook(t.r.Context(), &e)
}

// looks are the patients that each view has shown of late: a page that looks again by
// itself is one entry, until it comes to other patients. The zero value is ready.
type looks struct {
	mu   sync.Mutex
	seen map[string]look
}

type look struct {
	at       time.Time
	patients map[string]bool
}

const (
	lookLasts = time.Hour // a view that stays open for longer is one more
	mostLooks = 1000
)

// note remembers what a view shows.
func (l *looks) note(view string, patients []string, now time.Time) {
	if len(patients) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(view, patients, now)
}

func (l *looks) add(view string, patients []string, now time.Time) {
	if l.seen == nil {
		l.seen = map[string]look{}
	}
	if len(l.seen) >= mostLooks {
		maps.DeleteFunc(l.seen, func(_ string, seen look) bool { return now.Sub(seen.at) > lookLasts })
	}
	if len(l.seen) >= mostLooks {
		clear(l.seen) // the next look of each is one more entry
	}
	seen, ok := l.seen[view]
	if age := now.Sub(seen.at); !ok || age < 0 || age > lookLasts {
		seen = look{now, map[string]bool{}}
	}
	for _, patient := range patients {
		seen.patients[patient] = true
	}
	l.seen[view] = seen
}

// fresh returns which patients a view has not shown of late, and remembers them.
func (l *looks) fresh(view string, patients []string, now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.seen[view]
	if age := now.Sub(seen.at); age >= 0 && age <= lookLasts {
		patients = slices.DeleteFunc(patients, func(patient string) bool { return seen.patients[patient] })
	}
	if len(patients) > 0 {
		l.add(view, patients, now)
	}
	return patients
}
