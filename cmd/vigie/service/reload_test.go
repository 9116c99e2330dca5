package service

import (
	"bufio"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
)

func TestCertificateThatChangesIsReadAgain(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	certFile, keyFile := certificate(t)
	c.HTTP.CertFile, c.HTTP.KeyFile, c.Broker.Inside.CertFile, c.Broker.Inside.KeyFile = certFile, keyFile, certFile, keyFile
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if broker := s.Broker(); !strings.HasPrefix(broker, "mqtts://") {
		t.Errorf("devices are told to come to %s", broker)
	}
	serial := func(address net.Addr) int64 {
		conn, err := tls.Dial("tcp", address.String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	until := func(want int64) {
		t.Helper()
		for name, address := range map[string]net.Addr{"pages": s.page, "broker": s.doors.inside.Load().Addr()} {
			deadline := time.Now().Add(20 * time.Second)
			for serial(address) != want {
				if time.Now().After(deadline) {
					t.Fatalf("%s: the certificate is still number %d", name, serial(address))
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	until(1)
	writeCertificate(t, certFile, keyFile, 2)
	until(2)
	if err := os.WriteFile(certFile, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	until(2) // what cannot be read changes nothing
}

// A stream that was opened with a token ends when the token is revoked.
func TestRevokedTokenEndsItsStreams(t *testing.T) {
	s, _ := running(t)
	if err := s.SetTokens(map[string]config.Secret{"a": "the-token-of-a-program", "b": "the-token-of-another"}); err != nil {
		t.Fatal(err)
	}
	follow := func(token string) chan bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Page()+"/api/v1/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("the stream: %v, %v", answer, err)
		}
		ended := make(chan bool, 1)
		go func() {
			defer answer.Body.Close()
			for scanner := bufio.NewScanner(answer.Body); scanner.Scan(); {
			}
			ended <- true
		}()
		return ended
	}
	revoked, stays := follow("the-token-of-a-program"), follow("the-token-of-another")
	if err := s.SetTokens(map[string]config.Secret{"a": "a-new-token-for-the-program", "b": "the-token-of-another"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-revoked:
	case <-time.After(20 * time.Second):
		t.Error("the stream goes on")
	}
	if len(stays) != 0 {
		t.Error("the stream of another token ended as well")
	}
}

func TestProtocolThatIsAddedIsThereAfterReload(t *testing.T) {
	folder := t.TempDir()
	s, c := running(t)
	c.Protocols.Folders = []string{folder}
	shipped, err := os.ReadFile("../../../protocols/library/heart-failure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(shipped), "id: heart-failure", "id: of-this-ward", 1)
	if err := os.WriteFile(filepath.Join(folder, "ward.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	found := false
	for key := range s.Shelf.books {
		found = found || key[0] == "of-this-ward"
	}
	if !found {
		t.Error("the protocol is not on the shelf")
	}
	if err := os.WriteFile(filepath.Join(folder, "broken.yaml"), []byte("id: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context(), c); err == nil {
		t.Error("a file that is no protocol is not told")
	}
}

// A service that starts before its database waits for it, and says so.
func TestServiceStartsBeforeItsDatabase(t *testing.T) {
	database := servers.Postgres(t)
	if err := database.Stop(); err != nil {
		t.Fatal(err)
	}
	address, err := servers.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Data = t.TempDir()
	c.Store.Postgres.URL, c.Broker.Inside.Listen, c.HTTP.Listen = config.Secret(database.URL), "127.0.0.1:0", address
	started := make(chan *Service, 1)
	go func() {
		s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
		}
		started <- s
	}()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is served while the database is away")
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 503} {
		if got, body := asked(t, "http://"+address, path); got != want || strings.Contains(body, "postgres:") {
			t.Errorf("%s while the database is away: %d %s", path, got, body)
		}
	}
	if err := database.Start(); err != nil {
		t.Fatal(err)
	}
	s := <-started
	if s == nil {
		return
	}
	defer s.Close()
	if got, body := asked(t, s.Page(), "/readyz"); got != http.StatusOK {
		t.Errorf("ready once it is there: %d %s", got, body)
	}
}
