package influx_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// two returns a client of a stand-in for 2.7.
func two(t *testing.T, change func(*influx.Options)) (*servers.StandIn, *influx.Client) {
	t.Helper()
	s := servers.StandInTwo(t)
	return s, standing(t, s, influx.Options{Org: servers.StandInOrg}, change)
}

// three returns a client of a stand-in for 3 Core.
func three(t *testing.T, change func(*influx.Options)) (*servers.StandIn, *influx.Client) {
	t.Helper()
	s := servers.StandInThree(t)
	return s, standing(t, s, influx.Options{CannotErase: true}, change)
}

func standing(t *testing.T, s *servers.StandIn, o influx.Options, change func(*influx.Options)) *influx.Client {
	o.URL, o.Token, o.Bucket, o.Timeout = s.URL, servers.StandInToken, servers.StandInBucket, 10*time.Second
	if change != nil {
		change(&o)
	}
	c := influx.New(o)
	t.Cleanup(c.Close)
	return c
}

// one returns a client of a database of 1.8.
func one(t *testing.T, change func(*influx.Options)) *influx.Client {
	t.Helper()
	s := server(t)
	if s.Generation != 1 {
		t.Skip("this is about 1.8, and the server of these tests is another")
	}
	name, err := s.Database(fmt.Sprintf("test%d", shared.names.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	o := influx.Options{URL: s.URL, Bucket: name}
	if change != nil {
		change(&o)
	}
	c := influx.New(o)
	t.Cleanup(c.Close)
	return c
}

func TestTheGenerationIsFoundOut(t *testing.T) {
	_, second := two(t, nil)
	_, third := three(t, nil)
	for _, c := range []struct {
		client     *influx.Client
		generation influx.Generation
		version    string
	}{{one(t, nil), influx.One, "unknown"}, {second, influx.Two, "2.7.12"}, {third, influx.Three, "3.6.0"}} {
		got, err := c.client.Look(t.Context())
		if err != nil || got.Generation != c.generation || got.Version != c.version {
			t.Errorf("got %+v, %v, want generation %d, %s", got, err, c.generation, c.version)
		}
	}
}

func TestHowLongABucketKeeps(t *testing.T) {
	s := server(t)
	query(t, s.URL, `CREATE DATABASE "ends" WITH DURATION 30d NAME "month"`, "")
	query(t, s.URL, `CREATE RETENTION POLICY "year" ON "ends" DURATION 365d REPLICATION 1`, "")
	stand, second := two(t, nil)
	stand.Keep(24 * time.Hour)
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		client *influx.Client
		end    time.Duration
	}{
		"for ever on 1.8":    {one(t, nil), 0},
		"a month":            {client(t, s.URL, "ends/month"), 30 * day},
		"a year":             {client(t, s.URL, "ends/year"), 365 * day},
		"the default policy": {client(t, s.URL, "ends"), 30 * day},
		"a day on 2.x":       {second, day},
	} {
		got, err := c.client.Look(t.Context())
		if err != nil || !got.EndKnown || got.End != c.end {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Each mistake of configuration is told in one line, with its key, in the language
// of the operator; what is sent meanwhile waits.
func TestEachMistakeOfConfigurationHasItsSentence(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>Portail</html>")
	}))
	defer page.Close()
	encrypted := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer encrypted.Close()
	on2 := func(change func(*influx.Options)) *influx.Client { _, c := two(t, change); return c }
	on3 := func(change func(*influx.Options)) *influx.Client { _, c := three(t, change); return c }
	for name, c := range map[string]struct {
		client      *influx.Client
		key, fr, en string
		reads       bool // it is about reading: points are taken all the same
	}{
		"nobody listens":          {client: client(t, "http://"+nobody.Addr().String(), "b"), key: "influx.url", fr: "n'est pas joignable", en: "is not reached"},
		"the page of a proxy":     {client: client(t, page.URL, "b"), key: "influx.url", fr: "n'est pas InfluxDB", en: "a proxy in between?"},
		"http for https":          {client: client(t, "http"+strings.TrimPrefix(encrypted.URL, "https"), "b"), key: "influx.url", fr: "https", en: "https"},
		"an unknown authority":    {client: client(t, encrypted.URL, "b"), key: "influx.ca_file", fr: "certificat", en: "certificate"},
		"another authority":       {client: on2(func(o *influx.Options) { o.URL, o.Authorities = encrypted.URL, x509.NewCertPool() }), key: "influx.ca_file", fr: "certificat", en: "certificate"},
		"1.8: no such database":   {client: one(t, func(o *influx.Options) { o.Bucket = "none/forever" }), key: "influx.bucket", fr: "ne connaît pas ce bucket", en: "does not know this bucket"},
		"1.8: no such policy":     {client: one(t, func(o *influx.Options) { o.Bucket = strings.Replace(o.Bucket, "forever", "none", 1) }), key: "influx.bucket", fr: "ne connaît pas ce bucket", en: "database/retention policy"},
		"2.x: wrong token":        {client: on2(func(o *influx.Options) { o.Token = "wrong" }), key: "influx.token", fr: "ne reconnaît pas ce jeton", en: "does not know this token"},
		"2.x: no token":           {client: on2(func(o *influx.Options) { o.Token = "" }), key: "influx.token", fr: "ne reconnaît pas ce jeton", en: "does not know this token"},
		"2.x: no organisation":    {client: on2(func(o *influx.Options) { o.Org = "" }), key: "influx.org", fr: "organisation", en: "organisation"},
		"2.x: wrong organisation": {client: on2(func(o *influx.Options) { o.Org = "none" }), key: "influx.org", fr: "organisation", en: "organisation"},
		"2.x: no such bucket":     {client: on2(func(o *influx.Options) { o.Bucket = "none" }), key: "influx.bucket", fr: "bucket", en: "bucket"},
		"2.x: may only read":      {client: on2(func(o *influx.Options) { o.Token = "reads" }), key: "influx.token", fr: "droit d'écrire", en: "may not write"},
		"2.x: may only write":     {client: on2(func(o *influx.Options) { o.Token = "writes" }), key: "influx.token", fr: "droit de lire", en: "may not read", reads: true},
		"3: wrong token":          {client: on3(func(o *influx.Options) { o.Token = "wrong" }), key: "influx.token", fr: "ne reconnaît pas ce jeton", en: "does not know this token"},
		"3: no such bucket":       {client: on3(func(o *influx.Options) { o.Bucket = "none" }), key: "influx.bucket", fr: "ne connaît pas ce bucket", en: "does not know this bucket"},
		"3: nothing accepted":     {client: on3(func(o *influx.Options) { o.CannotErase = false }), key: "influx.cannot_erase", fr: "n'efface rien", en: "deletes nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.client.Look(t.Context())
			if err == nil {
				t.Fatal("nothing is said")
			}
			for language, want := range map[string]string{"fr": c.fr, "en": c.en} {
				if said := influx.In(err, language); !strings.Contains(said, want) || !strings.HasPrefix(said, c.key) || strings.Contains(said, "\n") {
					t.Errorf("in %s it says %q, want %q and the key %s", language, said, want, c.key)
				}
			}
			j := journalOf(weighing("a", 0, 82.1), weighing("b", 1, 82.3))
			f := forward(t, c.client, j)
			if c.reads {
				j.forwarded(t)
				return
			}
			eventually(t, func() bool { return f.Figures().Retries >= 2 })
			if got := f.Figures(); got.Cursor != 0 || got.Refused != 0 || len(j.refused) > 0 || !strings.HasPrefix(got.Error, c.key) {
				t.Errorf("the request was wrong, not the points: %+v, set aside %v", got, j.refused)
			}
		})
	}
}

// With accounts in 1.8, what a user lacks is told, not that the address is wrong.
func TestWhatAUserOfOneLacksIsTold(t *testing.T) {
	if server(t).Generation != 1 {
		t.Skip("this is about the accounts of 1.8")
	}
	s := servers.Influx(t)
	for _, statement := range []string{
		`CREATE USER "admin" WITH PASSWORD 'a' WITH ALL PRIVILEGES`, `CREATE USER "both" WITH PASSWORD 'b'`, `CREATE USER "writes" WITH PASSWORD 'w'`, `CREATE USER "reads" WITH PASSWORD 'r'`,
		`GRANT ALL ON "vigie" TO "both"`, `GRANT WRITE ON "vigie" TO "writes"`, `GRANT READ ON "vigie" TO "reads"`,
	} {
		query(t, s.URL, statement, "")
	}
	t.Setenv("INFLUXDB_HTTP_AUTH_ENABLED", "true")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		"both:b":   "",
		"writes:w": "this token may not read the bucket (READ)",
		"reads:r":  "this token may not write to the bucket",
		"both:x":   "InfluxDB does not know this token",
		"":         "InfluxDB does not know this token",
	} {
		c := influx.New(influx.Options{URL: s.URL, Token: token, Bucket: s.Bucket})
		_, err := c.Look(t.Context())
		c.Close()
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", token, err)
		case want != "" && (err == nil || !strings.HasPrefix(influx.In(err, "en"), "influx.token: "+want)):
			t.Errorf("%s: %v, want %q", token, err, want)
		}
	}
}

// A reading comes back from 2.x as it went in, as from 1.8.
func TestHistoryFromTwoIsTheSame(t *testing.T) {
	_, c := two(t, nil)
	var readings []*protocols.Reading
	known := map[string]bool{}
	for seed, generator := 0, anyReading("P1"); len(readings) < 300; seed++ {
		r := generator.Example(seed)
		if key := r.Device + "|" + r.ID; !known[key] && !strings.ContainsAny(r.ID, "\n") {
			known[key] = true
			readings = append(readings, r)
		}
	}
	send(t, c, readings...)
	same(t, history(t, c, "P1", nil, morning.AddDate(-3, 0, 0), ever), inOrder(readings))
	same(t, history(t, c, "P1", readings[0].Measure, morning.AddDate(0, 0, -40), morning.AddDate(0, 0, -10)), inOrder(slices.DeleteFunc(slices.Clone(readings), func(r *protocols.Reading) bool {
		return r.Measure != readings[0].Measure || r.Time.Before(morning.AddDate(0, 0, -40)) || !r.Time.Before(morning.AddDate(0, 0, -10))
	})))
	same(t, history(t, c, `P1" or r.patient == "P1`, nil, time.Time{}, ever), nil)
}

func TestThreeIsFedAndNeverRead(t *testing.T) {
	s, c := three(t, nil)
	send(t, c, weighing("a", 0, 82.1), weighing("b", 1, 82.3))
	if s.Points() == 0 {
		t.Error("nothing arrived")
	}
	err := c.Points(t.Context(), ingest.Asked{Patients: []string{"P1"}, From: morning, To: ever}, func(ingest.Point) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "not read") {
		t.Errorf("reading from it gives %v", err)
	}
}

// One point that a server will not take is set aside alone, whatever the words in
// which its generation says so.
func TestAPoisonedPointIsSetAsideAlone(t *testing.T) {
	stand2, second := two(t, nil)
	stand2.Keep(24 * time.Hour * 365 * 100)
	_, third := three(t, nil)
	for name, c := range map[string]*influx.Client{"1.8": one(t, nil), "2.7": second, "3": third} {
		t.Run(name, func(t *testing.T) {
			// A field that somebody has written as a text refuses numbers.
			if err := c.Write(t.Context(), fmt.Sprintf(`temperature value="high" %d`, morning.UnixNano())); err != nil {
				t.Fatal(err)
			}
			var all []*protocols.Reading
			for i := range 200 {
				all = append(all, weighing(fmt.Sprint("w", i), 0, 80))
			}
			poisoned := weighing("poison", 0, 38)
			poisoned.Measure = protocols.MeasureByID("temperature")
			all[117] = poisoned
			j := journalOf(all...)
			f := forward(t, c, j)
			j.forwarded(t)
			eventually(t, func() bool { return f.Figures().Sent > 0 })
			if len(j.refused) != 1 || j.refused[0].Reading != "poison" {
				t.Fatalf("set aside is %v", j.refused)
			}
			if got := f.Figures(); got.Sent != 199 || got.Refused != 1 {
				t.Errorf("figures %+v", got)
			}
			for _, secret := range []string{"P1", "38", "scale-01"} {
				if strings.Contains(j.refused[0].Reason, secret) {
					t.Errorf("the reason %q repeats %s", j.refused[0].Reason, secret)
				}
			}
			if name == "3" {
				return
			}
			same(t, history(t, c, "P1", nil, morning, ever), inOrder(slices.DeleteFunc(slices.Clone(all), func(r *protocols.Reading) bool { return r == poisoned })))
		})
	}
}

// Words that nobody has seen yet are about a point when it is refused alone.
func TestUnknownWordsAreAboutAPointThatIsRefusedAlone(t *testing.T) {
	var all atomic.Bool
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "v2.9.0")
		body := make([]byte, 1<<20)
		n, _ := r.Body.Read(body)
		if all.Load() || strings.Contains(string(body[:n]), idInLine("poison")) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":"invalid","message":"the moon is in the wrong quarter for p-12 82.1"}`)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer odd.Close()
	readings := []*protocols.Reading{weighing("a", 0, 82.1), weighing("b", 1, 82.3), weighing("poison", 2, 82.3), weighing("c", 3, 82.4)}
	j := journalOf(readings...)
	forward(t, client(t, odd.URL, "b"), j)
	j.forwarded(t)
	if len(j.refused) != 1 || j.refused[0].Reading != "poison" || strings.Contains(j.refused[0].Reason, "moon") {
		t.Errorf("set aside is %v", j.refused)
	}
	all.Store(true)
	j = journalOf(readings...)
	f := forward(t, client(t, odd.URL, "b"), j)
	eventually(t, func() bool { return f.Figures().Retries >= 2 })
	if g := f.Figures(); g.Cursor != 0 || len(j.refused) > 0 || strings.Contains(g.Error, "moon") {
		t.Errorf("everything is refused, so the request is at fault: %+v, set aside %v", g, j.refused)
	}
}
