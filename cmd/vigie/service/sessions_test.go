package service

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
)

func TestNextStartNoticesThatTheBrokerForgot(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{}) // keeps nothing
	c := config.Default()
	c.Data, c.HTTP.Listen, c.Broker.Inside.Enabled = t.TempDir(), "127.0.0.1:0", false
	c.Broker.Outside.URL, c.Broker.Outside.ClientID = "mqtt://"+broker.Address, "a node"
	forgotten := func(when string, want int) {
		t.Helper()
		s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, metrics := asked(t, s.Page(), "/metrics"); !strings.Contains(metrics, fmt.Sprintf("\nvigie_outside_sessions_forgotten_total %d\n", want)) {
			t.Errorf("%s: not %d sessions forgotten: %s", when, want, metrics)
		}
	}
	forgotten("first start", 0)
	forgotten("second start", 0)
	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	forgotten("the broker was restarted meanwhile", 1)
	c.Broker.Outside.ClientID = "another node"
	forgotten("under another name", 0)
}

func TestSessionsAreRememberedByBrokerAndName(t *testing.T) {
	data := t.TempDir()
	here := config.Outside{URL: "mqtts://somebody:secret@broker.example:8883", ClientID: "ward 3", Sessions: 4}
	if got := rememberedSessions(data, here); got != 0 {
		t.Errorf("%d sessions remembered before the first", got)
	}
	if err := rememberSessions(data, here); err != nil {
		t.Fatal(err)
	}
	elsewhere, renamed := here, here
	elsewhere.URL, renamed.ClientID = "mqtts://other.example:8883", "ward 4"
	if got := rememberedSessions(data, here); got != 4 {
		t.Errorf("%d sessions remembered, want 4", got)
	}
	for _, c := range []config.Outside{elsewhere, renamed} {
		if got := rememberedSessions(data, c); got != 0 {
			t.Errorf("%d sessions remembered of %s at %s", got, c.ClientID, c.URL)
		}
	}
	if err := os.WriteFile(filepath.Join(data, sessionsFile), []byte("half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := rememberedSessions(data, here); got != 0 {
		t.Errorf("%d sessions remembered by a torn file", got)
	}
}
