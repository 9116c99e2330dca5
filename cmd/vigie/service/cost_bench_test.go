package service

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/seeds"
)

// What accounts, rights and the trail cost readings:
//
//	go test ./cmd/vigie/service -run '^$' -bench 'Storm|Trail|Rights' -benchtime 9x
//
// Each pair of rounds is one without and one with what is measured, in turns, so that what
// disturbs the machine disturbs both. Medians are printed.

// crowded is a service with many devices.
type crowded struct {
	*Service
	b    *testing.B
	now  time.Time
	sent atomic.Int64
}

func beginCrowd(b *testing.B) *crowded {
	b.Helper()
	c := config.Default()
	c.Data = b.TempDir()
	c.Broker.Inside.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	c.Limits.DeviceRate = 0
	s, err := Start(b.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	crowd := &crowded{Service: s, b: b, now: time.Now().Truncate(time.Minute).Add(-time.Hour)}
	reg, err := seeds.Crowd(steadyPatients, crowd.now.AddDate(0, 0, 30), "blood-pressure", "secret")
	if err == nil {
		_, err = s.Registry().Import(b.Context(), &reg, "bench", crowd.now)
	}
	if err != nil {
		b.Fatal(err)
	}
	crowd.readings(2*steadyPatients, nil)
	return crowd
}

// readings commits so many readings, as fast as they are taken, and calls each, which may
// be nil, for every one.
func (c *crowded) readings(count int, each func(i int)) {
	slots := make(chan struct{}, 500)
	for i := range count {
		slots <- struct{}{}
		n := int(c.sent.Add(1))
		device, at := seeds.CrowdDevice(n%steadyPatients), c.now.Add(time.Duration(n/steadyPatients)*time.Second/2)
		payload := fmt.Appendf(nil, `{"id":"a1b2c3d4e5f6-%d","time":"%s","measure":"blood-pressure","values":{"systolic":%d,"diastolic":72,"pulse":72},"unit":"mmHg"}`,
			n, at.UTC().Format("2006-01-02T15:04:05.000Z"), 111+n%19)
		c.pipeline.Submit(context.Background(), ingest.Message{
			Topic: ingest.Topic("vigie/v1", device, ingest.ReadingsTopic), Device: device, Client: device, Payload: payload, Received: time.Now(),
			Done: func(err error) {
				if err != nil {
					panic(err) // of the goroutine that commits: the bench is worth nothing
				}
				<-slots
			},
		})
		if each != nil {
			each(i)
		}
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
}

// account is somebody who may log in with a password alone.
func (c *crowded) account(login string) (password string) {
	c.b.Helper()
	link, err := c.accounts.Add(c.b.Context(), access.Account{Login: login, Name: "Nurse", Roles: []access.Role{access.Nurse}, Teams: []string{"crowd"}})
	if err == nil {
		password = "quatre grands chiens roux"
		_, err = c.accounts.Choose(c.b.Context(), link, password)
	}
	if err != nil {
		c.b.Fatal(err)
	}
	return password
}

// storm sends wrong logins over HTTP, so many a second, until stop is called. What sends them
// is as cheap as can be: it stands for machines elsewhere. X-Forwarded-For tells as many
// addresses.
func (c *crowded) storm(rate int) (stop func() (refused int64)) {
	const connections = 4
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var refused atomic.Int64
	for n := range connections {
		running.Go(func() {
			conn, err := net.Dial("tcp", c.page.String())
			if err != nil {
				c.b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			tick := time.NewTicker(time.Second * connections / time.Duration(rate))
			defer tick.Stop()
			for i := n; ctx.Err() == nil; i += connections {
				<-tick.C
				form := fmt.Sprintf("login=name%d&password=wrong+wrong+wrong", i)
				fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: vigie\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Forwarded-For: 198.51.%d.%d\r\nContent-Length: %d\r\n\r\n%s", i/250%250, i%250, len(form), form)
				answer, err := http.ReadResponse(answers, nil)
				if err == nil {
					_, err = io.Copy(io.Discard, answer.Body)
				}
				if err != nil {
					c.b.Errorf("a login was not answered: %v", err)
					return
				}
				if answer.StatusCode == http.StatusTooManyRequests {
					refused.Add(1)
				}
			}
		})
	}
	return func() int64 { cancel(); running.Wait(); return refused.Load() }
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// BenchmarkReadingsInAStormOfLogins commits readings while 200 wrong logins a second come
// from as many addresses. A browser from which somebody was logged in gets in meanwhile.
func BenchmarkReadingsInAStormOfLogins(b *testing.B) {
	c := beginCrowd(b)
	c.accounts.OneFactor = true
	password := c.account("lea")
	_, session, err := c.accounts.Login(b.Context(), "lea", password, "192.0.2.7", "", "")
	if err != nil {
		b.Fatal(err)
	}
	device, err := c.accounts.Remember(b.Context(), session, "")
	if err != nil {
		b.Fatal(err)
	}
	// A round takes seconds, so that the one hash a second counts as what it is.
	const a, storm = 150_000, 200
	round := func() (took, processor float64) {
		before, began := usage.Own(), time.Now()
		c.readings(a, nil)
		return time.Since(began).Seconds(), (usage.Own() - before).Seconds()
	}
	stop := c.storm(storm)
	time.Sleep(4 * time.Second) // what may be hashed at once is spent
	before, began := usage.Own(), time.Now()
	time.Sleep(4 * time.Second)
	alone := 100 * (usage.Own() - before).Seconds() / time.Since(began).Seconds()
	stop()
	var slower, more []float64
	refused := int64(0)
	for b.Loop() {
		calm, calmly := round()
		stop := c.storm(storm)
		time.Sleep(time.Second) // what the calm left to be hashed at once is spent
		stormy, stormily := round()
		if _, _, err := c.accounts.Login(b.Context(), "lea", password, "198.51.100.9", "", device); err != nil {
			b.Errorf("a known browser: %v", err)
		}
		refused += stop()
		slower, more = append(slower, 100*(stormy/calm-1)), append(more, 100*(stormily/calmly-1))
	}
	b.ReportMetric(median(slower), "%-slower")
	b.ReportMetric(median(more), "%-more-processor")
	b.ReportMetric(float64(refused)/float64(b.N), "refused/round")
	b.ReportMetric(alone, "%-of-a-core-with-its-client")
}

// BenchmarkReadingsBesideTheTrail commits readings with one look at a patient written for
// every fifty: at 5,000 readings a second, a hundred looks.
func BenchmarkReadingsBesideTheTrail(b *testing.B) {
	c := beginCrowd(b)
	const a = 20_000
	var looks sync.WaitGroup
	round := func(each func(int)) float64 {
		before := usage.Own()
		c.readings(a, each)
		looks.Wait()
		return (usage.Own() - before).Seconds()
	}
	look := func(i int) {
		if i%50 != 0 {
			return
		}
		looks.Go(func() {
			entry := trail.Entry{Kind: trail.Read, Deed: "GET /patients/{id}", Patients: []string{fmt.Sprintf("crowd-%07d", i%steadyPatients)}}.Of(access.Who{Account: "a", Name: "Nurse", Roles: []access.Role{access.Nurse}, From: "192.0.2.7"})
			if err := c.trail.Write(b.Context(), entry); err != nil {
				b.Error(err)
			}
		})
	}
	var more []float64
	for i := 0; b.Loop(); i++ {
		order := []func(int){nil, look}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		first, second := round(order[0]), round(order[1])
		if order[0] != nil {
			first, second = second, first
		}
		more = append(more, 100*(second/first-1))
	}
	b.ReportMetric(median(more), "%-more-processor")
}

// BenchmarkTheRightsOfARead is what the rights add to a read of one patient: who shows the
// token, whose the patient is, and whether that gives the right.
func BenchmarkTheRightsOfARead(b *testing.B) {
	c := beginCrowd(b)
	c.account("lea")
	token, err := c.accounts.Give(b.Context(), "lea", access.Token{Name: "bench", Scopes: []access.Right{access.SeePatients}, Until: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		patient := fmt.Sprintf("crowd-%07d", n*7919%steadyPatients)
		n++
		who, err := c.accounts.Program(b.Context(), token, "192.0.2.7")
		if err != nil {
			b.Fatal(err)
		}
		teams, err := c.teamsOf(b.Context(), patient)
		if err != nil || !who.MayFor(access.SeePatients, patient, teams, time.Now()) {
			b.Fatal(teams, err)
		}
	}
}
