package service

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/push"
	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// subscribed is what a browser subscribes with at an endpoint.
func subscribed(t *testing.T, endpoint string) string {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint + "#" + base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 16))
}

// onCall is a service whose team has somebody on call with a telephone, on a real store.
func onCall(t *testing.T, change func(*config.Config), telephone string) *Service {
	t.Helper()
	c := config.Default()
	c.Data, c.Broker.Inside.Listen, c.HTTP.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.Mail.Administrators = []string{"admin@chu.example"}
	c.Push.Contact = "mailto:dsi@chu.example"
	change(&c)
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) // at night
	s, err := Start(t.Context(), Options{Config: c, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Stepped: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	team := registry.Team{
		ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday", "tuesday"}, Mail: []string{"equipe@chu.example"},
		OutOfHours: map[string]string{"red": "on-call"},
		Rota: &registry.Rota{
			People: []registry.Person{{ID: "petit", Name: "Infirmière Petit", Mail: []string{"petit@chu.example"}, Contacts: registry.Contacts{alerts.Push: {telephone}}}},
			Shifts: []registry.Shift{{From: "18:00", Until: "08:30", People: []string{"petit"}}},
		},
	}
	if _, err := s.backend.registry.Import(t.Context(), &registry.Registry{Teams: []registry.Team{team}}, "Op", now); err != nil {
		t.Fatal(err)
	}
	return s
}

// A telephone that was cleared is taken off, whoever is on call is told by mail at once, so
// are the administrators, and the team at its opening. Nobody is left without a contact.
func TestATelephoneThatIsNoMoreIsTakenOffAndSaidSo(t *testing.T) {
	t.Run("embedded store", func(t *testing.T) { telephoneThatIsNoMore(t, func(*config.Config) {}) })
	t.Run("PostgreSQL", func(t *testing.T) {
		key, err := push.NewKey() // which all nodes share
		if err != nil {
			t.Fatal(err)
		}
		url := config.Secret(servers.Postgres(t).URL)
		telephoneThatIsNoMore(t, func(c *config.Config) { c.Store.Postgres.URL, c.Push.Key = url, config.Secret(key) })
	})
}

func telephoneThatIsNoMore(t *testing.T, store func(*config.Config)) {
	var answers atomic.Int32
	answers.Store(http.StatusCreated)
	var came atomic.Int32
	pushes := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		came.Add(1)
		rw.WriteHeader(int(answers.Load()))
	}))
	t.Cleanup(pushes.Close)
	telephone := subscribed(t, pushes.URL+"/send/1")
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pushes.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := onCall(t, func(c *config.Config) {
		store(c)
		c.Push.CAFile, c.Push.Networks = authority, config.Networks{"127.0.0.0/8"}
	}, telephone)

	at := func(id string) alerts.Outgoing {
		return alerts.Outgoing{ID: id, Channel: alerts.Push, To: telephone, Event: alerts.EventDigest, Level: protocols.Yellow, Created: s.Now(), Team: "Cardiologie"}
	}
	send := func(id string) {
		t.Helper()
		if err := s.backend.alerts.Post(t.Context(), []alerts.Outgoing{at(id)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.dispatch.Dispatch(t.Context(), s.Now()); err != nil {
			t.Fatal(err)
		}
	}
	send("first")
	if came.Load() != 1 || len(devicesIn(t, s)) != 1 {
		t.Fatalf("%d messages came, the team has %v", came.Load(), devicesIn(t, s))
	}
	answers.Store(http.StatusGone)
	send("second")
	if left := devicesIn(t, s); len(left) > 0 {
		t.Errorf("the telephone stays: %v", left)
	}
	team, err := s.teamToTell(t.Context(), "cardio")
	if err != nil {
		t.Fatal(err)
	}
	if got := team.OnDuty(s.Now()); !slices.Equal(got, []string{"petit@chu.example"}) {
		t.Errorf("at night %v is reached", got)
	}
	lost, err := s.backend.alerts.Undelivered(t.Context(), 10)
	if err != nil || len(lost) != 1 || lost[0].ID != "second" || !strings.Contains(lost[0].Error, "410") || strings.Contains(lost[0].Recipient(), "/send") {
		t.Errorf("given up is %+v, %v", lost, err)
	}
	waiting := func(by time.Time) (to []string) {
		t.Helper()
		list, err := s.backend.alerts.Outbox(t.Context(), alerts.Mail, by, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			if m.Event == alerts.EventUnsubscribed {
				to = append(to, m.To)
			}
		}
		slices.Sort(to)
		return to
	}
	if got := waiting(s.Now()); !slices.Equal(got, []string{"admin@chu.example", "petit@chu.example"}) {
		t.Errorf("told at once are %v", got)
	}
	if got := waiting(s.Now().Add(6 * time.Hour)); !slices.Equal(got, []string{"admin@chu.example", "equipe@chu.example", "petit@chu.example"}) {
		t.Errorf("told by the opening are %v", got)
	}
	send("third") // written before the telephone was taken off
	if got := waiting(s.Now().Add(6 * time.Hour)); len(got) != 3 {
		t.Errorf("a second message tells again: %v", got)
	}
}

func devicesIn(t *testing.T, s *Service) []string {
	t.Helper()
	team, err := s.backend.registry.Team(t.Context(), "cardio")
	if err != nil {
		t.Fatal(err)
	}
	return team.Of(alerts.Push)
}

// The key is made once. Without its file the subscriptions to it are dead: they are taken
// off at the start and told, rather than written to for ever.
func TestTheKeyOfPushMessagesIsKeptAndItsLossIsTold(t *testing.T) {
	telephone := subscribed(t, "https://push.example/send/1")
	s := onCall(t, func(*config.Config) {}, telephone)
	name, c := filepath.Join(s.Config.Data, pushKeyFile), s.Config
	key := s.pushKey()
	again, err := pushKeyOf(&c)
	if err != nil || key == "" || again.Public() != key {
		t.Fatalf("the key is %q, then %v, %v", key, again, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the key is for others to read: %v, %v", info, err)
	}
	if err := s.endLostSubscriptions(t.Context()); err != nil || len(devicesIn(t, s)) != 1 {
		t.Fatalf("with its key a telephone is taken off: %v", err)
	}
	if err := os.WriteFile(name, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pushKeyOf(&c); err == nil || !strings.Contains(err.Error(), "put the file back") {
		t.Errorf("a damaged key: %v", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := s.endLostSubscriptions(t.Context()); err != nil || len(devicesIn(t, s)) != 0 {
		t.Errorf("without its key a telephone stays: %v, %v", devicesIn(t, s), err)
	}
	list, err := s.backend.alerts.Outbox(t.Context(), alerts.Mail, s.Now(), 10)
	if err != nil || !slices.ContainsFunc(list, func(m alerts.Outgoing) bool {
		return m.Event == alerts.EventUnsubscribed && m.To == "petit@chu.example"
	}) {
		t.Errorf("whoever is on call is told by %+v, %v", list, err)
	}
}

// A store that fails leaves the message where it was: the contact is removed at the next try.
func TestAContactIsNotForgottenByAStoreThatFails(t *testing.T) {
	box := &postbox{}
	d := alerts.Dispatcher{Store: box, Gone: func(context.Context, alerts.Outgoing, time.Time) error { return errors.New("the disk is full") }, Channels: map[string]alerts.Channel{alerts.Push: goneChannel{}}}
	box.waiting = []alerts.Outgoing{{ID: "m", Channel: alerts.Push, Created: time.Now()}}
	if _, err := d.Dispatch(t.Context(), time.Now()); err == nil || len(box.refused) > 0 {
		t.Errorf("%v, given up %v", err, box.refused)
	}
	d.Gone = func(context.Context, alerts.Outgoing, time.Time) error { return nil }
	if _, err := d.Dispatch(t.Context(), time.Now()); err != nil || !slices.Equal(box.refused, []string{"m"}) {
		t.Errorf("%v, given up %v", err, box.refused)
	}
}

type goneChannel struct{}

func (goneChannel) Send(context.Context, alerts.Outgoing) error { return alerts.ErrGone }

func (p *postbox) Outbox(_ context.Context, channel string, _ time.Time, _ int) (list []alerts.Outgoing, _ error) {
	for _, m := range p.waiting {
		if m.Channel == channel {
			list = append(list, m)
		}
	}
	return list, nil
}

func (p *postbox) ForgetSent(context.Context, time.Time) (int, error) { return 0, nil }

func (p *postbox) Refuse(_ context.Context, id string, _ time.Time, _ string) error {
	p.refused = append(p.refused, id)
	return nil
}
