package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/service"
)

// A patient is erased while a long file of hers is entered, part by part. The service that
// starts anew refuses what still comes, says why, and holds nothing of her; the command says
// so too, and not that it is to be given again.
func TestWhoIsErasedWithinAnImportIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	const rows = 12_100
	first := time.Now().UTC().Truncate(time.Minute).Add(-time.Hour - rows*5*time.Minute)
	folder, file := followedWithASensor(t, first), filepath.Join(t.TempDir(), "sensor.csv")
	writeLows(t, file, first, rows, 1_990)                       // goes on where a part ends
	for _, lists := range []string{"registry.yaml", "new.csv"} { // of whoever has registered her
		if err := os.Remove(filepath.Join(folder, lists)); err != nil {
			t.Fatal(err)
		}
	}
	// Short names would be found by chance: a chain of the trail is called by hexadecimal digits, "-" and a number.
	hers := []string{"DURAND", "277076322082910", "p-durand", "e-durand", "cgm-durand"}
	var s *service.Service
	serve := func() *url.URL {
		t.Helper()
		s = serveOn(t, folder, func(o *service.Options) { o.Stepped = true }) // no silence is found: it would have to be settled first
		to, err := url.Parse(s.Page())
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	to, posts := serve(), 0
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
		}
		if r.Method == http.MethodPost && posts == 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if len(holding(t, folder, hers)) == 0 {
				t.Error("the folder does not name her: the search finds nothing")
			}
			typedWell(t, folder, "consent", "withdraw", "e-durand", "--author", "Mme Hoarau")
			typedWell(t, folder, "patient", "erase", "p-durand", "--author", "Mme Hoarau", "--reason", "demande du 20/11")
			to = serve()
		}
		httputil.NewSingleHostReverseProxy(to).ServeHTTP(w, r)
	}))
	defer door.Close()
	enter := func() error {
		t.Helper()
		_, err := readingsLine(t, "import", file, "--service", door.URL, "--token-file", tokenOf(t, t.TempDir()), "--patient", "p-durand", "--device", "cgm-durand", "--measure", "glucose", "--column", "mg/dL", "--time-column", "time")
		return err
	}
	err := enter()
	if err == nil || !strings.Contains(err.Error(), "no-such-patient") || strings.Contains(err.Error(), "same command again") || posts != 2 {
		t.Errorf("after %d parts: %v", posts, err)
	}
	if err := enter(); err == nil || !strings.Contains(err.Error(), "no patient of that reference") {
		t.Errorf("given again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := holding(t, folder, hers); len(found) > 0 {
		t.Errorf("the folder holds %v", found)
	}
	if whole := typedWell(t, folder, "audit", "verify"); !strings.Contains(whole, "entières") {
		t.Errorf("the trail: %s", whole)
	}
}
