package workspace

import (
	"context"
	"io"
	"net/http"
	"time"
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

// ready says whether the service can do its work, with every check by name.
func (w *Workspace) ready(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	answer := readiness{Ready: true, Checks: map[string]string{}}
	for _, check := range w.Checks {
		answer.Checks[check.Name] = "ok"
		if err := check.Ready(ctx); err != nil {
			answer.Ready = false
			answer.Checks[check.Name] = err.Error()
		}
	}
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	w.reply(rw, r, status, answer)
}
