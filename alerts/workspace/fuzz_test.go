package workspace

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzFilter holds that an address is read or refused with a sentence.
func FuzzFilter(f *testing.F) {
	f.Add("state=open,acknowledged&level=red&from=2026-11-21T07:00:00+01:00&to=2026-11-22&limit=20")
	f.Add("level=none&limit=-1")
	f.Fuzz(func(t *testing.T, text string) {
		query, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		filter, err := filterOf(query)
		w := &Workspace{}
		if err != nil && !strings.Contains(w.refusal(httptest.NewRequest("GET", "/", nil), err).Text.FR, "Paramètre") {
			t.Fatalf("%q: %v is no sentence", text, err)
		}
		if err == nil && (filter.Limit < 0 || filter.Limit > largestPage) {
			t.Fatalf("%q asks for %d alerts", text, filter.Limit)
		}
	})
}

// FuzzWayBack holds that a login never leads to another site.
func FuzzWayBack(f *testing.F) {
	for _, path := range []string{"/alerts/x?lang=fr", "//elsewhere", `/\elsewhere`, "https://elsewhere", "/\t/elsewhere", "/%2f/elsewhere"} {
		f.Add(path)
	}
	base, err := url.Parse("https://vigie.example.org/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target, err := base.Parse(here(path))
		if err != nil || target.Host != base.Host || target.Scheme != base.Scheme {
			t.Fatalf("%q leads to %v, %v", path, target, err)
		}
	})
}
