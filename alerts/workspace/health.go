package workspace

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"vigie/protocols"
)

// health says that the process answers.
func (w *Workspace) health(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := io.WriteString(rw, "ok\n"); err != nil {
		w.Log.Debug("answer not delivered", "route", r.Pattern, "error", err)
	}
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"` // "ok", or what is wrong
}

// ready says whether devices and people may be sent here, with every check by name.
// Anybody may ask: what is wrong in detail stands in the log.
func (w *Workspace) ready(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]string{}}
	for i, check := range w.Checks {
		answer.Checks[check.Name] = "ok"
		if err := check.Ready(ctx); err != nil {
			answer.Ready = false
			answer.Checks[check.Name] = check.Sentence.In(languageOf(r))
			w.unready(i, err)
		}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	w.reply(rw, r, status, answer)
}

// unreadyEvery is how often a check that fails is told in the log, however many ask.
const unreadyEvery = time.Minute

// unready tells of a check that fails.
func (w *Workspace) unready(check int, err error) {
	w.notReady.Lock()
	defer w.notReady.Unlock()
	now := w.Accounts.Now()
	if last, told := w.notReady.told[check]; told && now.Sub(last) < unreadyEvery && !now.Before(last) {
		return
	}
	w.notReady.told[check] = now
	w.Log.Error("not ready", "check", w.Checks[check].Name, "error", err)
}

// notReady is when each check was last told to fail.
type notReady struct {
	sync.Mutex
	told map[int]time.Time
}

// Statement is one thing that the operator may want to know, in a sentence. It carries
// no path, no user and nothing about a patient: anybody who reaches the port may ask.
type Statement struct {
	Name string
	OK   bool // nothing is to be done
	Text protocols.Text
}

// statement is a Statement as /status writes it.
type statement struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Says string `json:"says"`
}

// status says how the service does, which readiness leaves out: a balancer shall not
// cut everybody off for one bad page.
func (w *Workspace) status(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	all := []statement{}
	if w.Status != nil {
		for _, s := range w.Status(ctx) {
			all = append(all, statement{s.Name, s.OK, s.Text.In(languageOf(r))})
		}
	}
	w.reply(rw, r, http.StatusOK, all)
}

// Operator serves /healthz, /readyz, /status and /metrics alone, for a listener of its own.
func (w *Workspace) Operator() http.Handler {
	return w.handlerOf(append(w.operatorRoutes(), route{"GET /healthz", open, "", w.health}))
}
