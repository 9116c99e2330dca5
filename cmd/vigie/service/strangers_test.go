package service

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/cmd/vigie/config"
)

// logbook is a log that a test reads while others write.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestStrangersAreToldOnceAMinuteAndCounted(t *testing.T) {
	var out logbook
	now := time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)
	s := newStrangers(slog.NewTextHandler(&out, nil), func() time.Time { return now })
	log := slog.New(s).With("node", "a")
	for i := range 100 {
		log.Warn("refused", "device", strings.Repeat("é", 30_000), "from", fmt.Sprintf("192.0.2.1:%d", 1024+i))
		log.Warn("refused", "from", fmt.Sprintf("[2001:db8::%d]:1024", i))
		log.Error("a fault of ours", "number", i)
	}
	said := out.String()
	if refused, own := strings.Count(said, "refused"), strings.Count(said, "a fault of ours"); refused != 2 || own != 100 {
		t.Errorf("strangers in %d lines, the service in %d; want 2 and 100", refused, own)
	}
	if !strings.Contains(said, "éé… from=192.0.2.1:1024") || len(said) > 10_000 {
		t.Errorf("what a stranger sent is not cut: %d bytes in all", len(said))
	}
	now = now.Add(time.Minute)
	s.Flush(context.Background())
	if said := strings.TrimPrefix(out.String(), said); !strings.Contains(said, "from=192.0.2.1 more_times=99") || !strings.Contains(said, "from=2001:db8::/64 more_times=99") {
		t.Errorf("at the end of the minute: %s", said)
	}
	for i := range 100_000 {
		log.Warn("refused", "from", fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	now = now.Add(time.Minute)
	s.Flush(context.Background())
	if said := out.String(); len(said) > 60_000 || !strings.Contains(said, "from=others more_times=99") {
		t.Errorf("strangers from everywhere wrote %d bytes: %s", len(said), said[len(said)-300:])
	}

	// A service that stops says what it has counted so far.
	for range 3 {
		log.Warn("refused", "from", "192.0.2.9:1")
	}
	s.Flush(context.Background())
	before := out.String()
	s.End(context.Background())
	s.End(context.Background())
	if said := strings.TrimPrefix(out.String(), before); strings.Count(said, "from=192.0.2.9 more_times=2") != 1 || strings.Count(said, "\n") != 1 {
		t.Errorf("at the end: %q", said)
	}
}

// TestStrangersCannotFillTheLog lets one address refuse to be anybody in each way
// there is, thousands of times.
func TestStrangersCannotFillTheLog(t *testing.T) {
	var out logbook
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.HTTP.CertFile, c.HTTP.KeyFile = certificate(t)
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := len(out.String())
	var all sync.WaitGroup
	each := func(times int, does func()) {
		all.Go(func() {
			for range times {
				does()
			}
		})
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	each(300, func() { // a wrong password under a long name
		conn := s.dialBroker(t)
		defer conn.Close()
		p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
		p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.UsernameFlag, p.PasswordFlag = "MQTT", 4, true, true, true
		p.Username, p.Password = strings.Repeat("\x01", 60_000), []byte("x")
		if err := p.Write(conn); err == nil {
			_, _ = packets.ReadPacket(conn)
		}
	})
	each(300, func() { // a wrong token
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.Page()+"/api/v1/alerts", nil)
		if err != nil {
			t.Error(err)
			return
		}
		r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 10_000))
		if got, err := client.Do(r); err == nil {
			got.Body.Close()
		}
	})
	each(100, func() { // no TLS where TLS is spoken
		if conn, err := net.Dial("tcp", s.page.String()); err == nil {
			fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n")
			_, _ = conn.Read(make([]byte, 100))
			conn.Close()
		}
	})
	all.Wait()
	said := out.String()[before:]
	if len(said) > 10_000 {
		t.Errorf("strangers wrote %d bytes into the log:\n%s", len(said), said[:4000])
	}
	for _, want := range []string{"unknown device or wrong password", "unknown token", "TLS handshake"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing is said of %q:\n%s", want, said)
		}
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
}

func (s *Service) dialBroker(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.doors.inside.Load().Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
