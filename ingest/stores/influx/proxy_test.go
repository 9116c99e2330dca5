package influx_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/protocols"
)

// page is what proxies answer with: <html>.
const page = "<html><body><h1>Portail de l'établissement</h1>" + "<p>…</p></body></html>"

// What stands in the way of InfluxDB and answers in its place has neither taken nor
// refused a point: readings wait until InfluxDB itself is there.
func TestPageOfAProxyIsNoAnswerOfInfluxDB(t *testing.T) {
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			if _, err := w.Write([]byte(page)); err != nil {
				t.Log(err)
			}
		}
	}
	for name, proxy := range map[string]http.HandlerFunc{
		"a page in place of an answer": html(http.StatusOK),
		"a bad request":                html(http.StatusBadRequest),
		"an upstream that is away":     html(http.StatusBadGateway),
		"a server that expects https": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.WriteHeader(http.StatusBadRequest)
			if _, err := w.Write([]byte("Client sent an HTTP request to an HTTPS server.\n")); err != nil {
				t.Log(err)
			}
		},
		"a way to a page that asks for a password": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				html(http.StatusOK)(w, r)
				return
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var there atomic.Bool
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if there.Load() {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				proxy(w, r)
			}))
			defer proxy.Close()
			c := client(t, proxy.URL, "b")
			if _, err := c.Look(t.Context()); err == nil || strings.Contains(err.Error(), "Portail") {
				t.Errorf("a look says %v", err)
			}
			if err := c.History(t.Context(), "P1", nil, morning, morning.Add(time.Hour), func(*protocols.Reading) bool { return true }); err == nil || strings.Contains(err.Error(), "Portail") {
				t.Errorf("the history is read with %v", err)
			}
			j := journalOf(weighing("a", 0, 82.1), weighing("b", 1, 82.3))
			f := forward(t, c, j)
			eventually(t, func() bool { return f.Figures().Retries >= 2 || f.Figures().Cursor > 0 })
			if g := f.Figures(); g.Sent != 0 || g.Refused != 0 || g.Cursor != 0 || strings.Contains(g.Error, "Portail") || !strings.Contains(g.Error, "influx.url") {
				t.Errorf("the figures are %+v", g)
			}
			there.Store(true)
			j.forwarded(t)
		})
	}
}

// A node that no longer forwards says nothing of what waits: the one that does says.
func TestNodeThatNoLongerForwardsIsNotBehind(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer away.Close()
	f, stop := start(client(t, away.URL, "b"), journalOf(weighing("a", 0, 82.1)))
	eventually(t, func() bool { return f.Figures().Retries > 0 && !f.Figures().Oldest.IsZero() })
	stop()
	if g := f.Figures(); !g.Oldest.IsZero() || g.Error != "" {
		t.Errorf("the figures are %+v", g)
	}
}
