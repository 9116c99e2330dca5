package service

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
	"vigie/protocols/written"
)

// influxOf returns a client for the configured server, nil when there is none.
func influxOf(c config.Config) (*influx.Client, error) {
	i := c.Influx
	return influxAt(c, config.FormerInflux{URL: i.URL, Token: i.Token, Org: i.Org, Bucket: i.Bucket, CAFile: i.CAFile})
}

func influxAt(c config.Config, server config.FormerInflux) (*influx.Client, error) {
	if server.URL == "" {
		return nil, nil
	}
	options := influx.Options{
		URL: server.URL, Token: string(server.Token), Org: server.Org, Bucket: server.Bucket,
		CannotErase: c.Influx.CannotErase == "accepted", Language: c.Language,
	}
	if server.CAFile != "" {
		data, err := os.ReadFile(server.CAFile)
		if err != nil {
			return nil, fmt.Errorf("influx.ca_file: %w", err)
		}
		if options.Authorities = x509.NewCertPool(); !options.Authorities.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("influx.ca_file: %s holds no certificate in PEM form", server.CAFile)
		}
	}
	return influx.New(options), nil
}

// lookTakes is how long the service waits at its start to see which InfluxDB answers.
const lookTakes = 2 * time.Second

// openInflux sees which server answers: what is wrong is better told now than found
// by a full store. Readings are kept without it, and forwarded once it is right.
func (s *Service) openInflux(ctx context.Context) (err error) {
	if s.influx, err = influxOf(s.Config); err != nil || s.influx == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTakes)
	defer cancel()
	standing, err := s.influx.Look(ctx)
	if err != nil {
		s.Log.Warn("InfluxDB cannot be used as it is; readings wait in the store until it can", "error", influx.In(err, s.Config.Language))
	} else {
		s.Log.Info("InfluxDB answers", "version", standing.Version, "generation", int(standing.Generation))
		s.mayForget(standing)
	}
	s.forwarder = influx.NewForwarder(s.influx, influx.FromStore(s.backend.store, s.Now), s.Log, influx.Pace{})
	source, former, err := feedSource(s.Config, s.backend.store)
	s.former = former
	s.forwarder.From(source, s.Now)
	s.forwarder.Former(former)
	s.forwarder.Alerts(s.backend.alerts)
	return err
}

// feedSource is what a feed reads: the store, and what it has forgotten from the
// former InfluxDB. The client is nil where none is named.
func feedSource(c config.Config, store ingest.Remembering) (*ingest.Record, *influx.Client, error) {
	former, err := influxAt(c, c.Influx.Former)
	return recordOf(store, former), former, err
}

// Send leaves an errand for whoever feeds InfluxDB and returns its number.
func (t *Tools) Send(ctx context.Context, e ingest.Errand) (id int64, err error) {
	if err := t.Store.Update(ctx, func(tx ingest.Tx) error { return tx.Send(e) }); err != nil {
		return 0, err
	}
	open, err := t.Kept.OpenErrands(ctx)
	if err != nil {
		return 0, err
	}
	for _, known := range open {
		if known.Kind == e.Kind {
			id = known.ID
		}
	}
	return id, nil
}

// ForwardAlone feeds InfluxDB in the place of a service, where none runs on the
// embedded store. Where one does, or may on a shared store, it leaves the work to
// that. The function that it returns ends it.
func ForwardAlone(ctx context.Context, c config.Config, tools *Tools) (end func(), err error) {
	if c.Store.Postgres.URL != "" {
		return func() {}, nil
	}
	lock, err := lockFolder(c.Data)
	if errors.Is(err, ErrRunning) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	store, ok := tools.Store.(influx.Store)
	if !ok {
		return nil, errors.Join(errors.New("this store keeps no errands"), lock.Close())
	}
	source, former, err := feedSource(c, tools.Kept)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	forwarder := influx.NewForwarder(tools.influx, influx.FromStore(store, time.Now), slog.Default(), influx.Pace{Poll: 50 * time.Millisecond})
	forwarder.From(source, time.Now)
	forwarder.Former(former)
	forwarder.Alerts(tools.Alerts)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); forwarder.Run(ctx) }()
	return func() {
		cancel()
		<-done
		if former != nil {
			former.Close()
		}
		if err := lock.Close(); err != nil {
			slog.Default().Warn("the lock of the store was not released", "error", err)
		}
	}, nil
}

// mayForget reports whether readings may be forgotten in the store, and says why not.
func (s *Service) mayForget(standing influx.Standing) bool {
	if s.Config.Retention.Readings == 0 {
		return false
	}
	why := keptWhy(standing, s.Config.Influx.EndsAfter)
	s.whyKept.Store(&why)
	if why != (protocols.Text{}) {
		s.Log.Warn("no reading is forgotten in the store", "why", why.In(s.Config.Language))
	}
	return why == (protocols.Text{})
}

// beyondStatus says how it goes with InfluxDB, where there is one.
func (s *Service) beyondStatus(ctx context.Context) []workspace.Statement {
	if s.influx == nil {
		return nil
	}
	list := []workspace.Statement{s.feeding()}
	if why := s.whyKept.Load(); why != nil && *why != (protocols.Text{}) {
		list = append(list, workspace.Statement{Name: "influxdb-end", Text: protocols.Text{
			FR: "Aucune mesure n'est oubliée dans la base. " + why.FR + ".", EN: "No reading is forgotten in the store. " + why.EN + "."}})
	}
	differing := s.differing.Load()
	said := protocols.Text{FR: "InfluxDB détient ce que la base a voulu oublier.", EN: "InfluxDB holds what the store was to forget."}
	if differing > 0 {
		said = protocols.Text{
			FR: written.Sentence("fr", "%d [mesure ancienne reste|mesures anciennes restent] dans la base : InfluxDB n'en a rien, ou autre chose. « vigie influx compare » dit quels jours, « vigie influx feed » renvoie.", differing),
			EN: written.Sentence("en", "%d old [reading stays|readings stay] in the store: InfluxDB lacks them, or has them otherwise. vigie influx compare says which days, vigie influx feed sends them again.", differing),
		}
	}
	list = append(list, workspace.Statement{Name: "influxdb-holds", OK: differing == 0, Text: said})
	return append(list, s.changing(ctx))
}

// feeding says whether InfluxDB is given what is kept.
func (s *Service) feeding() workspace.Statement {
	figures := s.forwarder.Figures()
	switch {
	case !s.leads.has(influxWork):
		return workspace.Statement{Name: "influxdb", OK: true, Text: protocols.Text{FR: "Un autre nœud alimente InfluxDB.", EN: "Another node feeds InfluxDB."}}
	case figures.Error != "":
		said := protocols.Text{
			FR: "InfluxDB ne répond pas, ou refuse ce qu'on lui demande : voir le journal. La base garde tout.",
			EN: "InfluxDB does not answer, or refuses what it is asked for: see the log. The store keeps everything."}
		if waits := age(s.Now(), figures.Oldest).Round(time.Second); waits > 0 {
			said.FR += fmt.Sprintf(" La plus ancienne mesure attend depuis %s.", waits)
			said.EN += fmt.Sprintf(" The oldest reading has waited for %s.", waits)
		}
		return workspace.Statement{Name: "influxdb", Text: said}
	}
	return workspace.Statement{Name: "influxdb", OK: true, Text: protocols.Text{FR: "InfluxDB est alimenté.", EN: "InfluxDB is fed."}}
}

// changesTake is how long a deletion or a correction may wait without a word.
const changesTake = time.Hour

// changing says which deletions and corrections InfluxDB has not carried out yet.
func (s *Service) changing(ctx context.Context) workspace.Statement {
	open, err := s.backend.store.OpenErrands(ctx)
	if err != nil {
		return workspace.Statement{Name: "influxdb-changes", Text: protocols.Text{FR: "Ce qui reste à changer dans InfluxDB ne peut pas être lu.", EN: "What is still to be changed in InfluxDB cannot be read."}}
	}
	waiting, oldest := 0, s.Now()
	for i := range open {
		if e := &open[i]; e.Kind != ingest.Feed && e.Kind != ingest.Resend && (e.Carried.IsZero() || e.Reached.Former) {
			waiting++
			if e.At.Before(oldest) {
				oldest = e.At
			}
		}
	}
	waits := age(s.Now(), oldest)
	return workspace.Statement{Name: "influxdb-changes", OK: waits < changesTake, Text: protocols.Text{
		FR: written.Sentence("fr", "%d [effacement ou correction attend d'être fait|effacements ou corrections attendent d'être faits] dans InfluxDB, depuis %s au plus.", waiting, waits.Round(time.Minute)),
		EN: written.Sentence("en", "%d [deletion or correction waits|deletions or corrections wait] to be carried out in InfluxDB, for %s at most.", waiting, waits.Round(time.Minute))}}
}

// keptWhy says why nothing may be forgotten in the store; empty when it may. legal is
// the end that the operator has named.
func keptWhy(standing influx.Standing, legal time.Duration) protocols.Text {
	days := func(d time.Duration) string { return fmt.Sprintf("%.4gd", d.Hours()/24) }
	switch {
	case standing.Generation == influx.Three:
		return protocols.Text{
			FR: "InfluxDB 3 n'est pas relu : la base reste le seul endroit sûr",
			EN: "InfluxDB 3 is not read: the store stays the one safe place",
		}
	case !standing.EndKnown:
		return protocols.Text{
			FR: "influx.bucket : InfluxDB ne dit pas jusqu'à quand il garde ce bucket",
			EN: "influx.bucket: InfluxDB does not say how long it keeps this bucket",
		}
	case standing.End != 0 && standing.End != legal:
		return protocols.Text{
			FR: "influx.bucket : il efface ses points après " + days(standing.End) + " ; donnez-lui une durée sans fin, ou écrivez influx.ends_after: " + days(standing.End) + " si c'est la fin que la loi fixe",
			EN: "influx.bucket: it deletes its points after " + days(standing.End) + "; let it keep for ever, or write influx.ends_after: " + days(standing.End) + " if that is the end that the law sets",
		}
	}
	return protocols.Text{}
}

// forget forgets, once a day, the readings that the configuration no longer wants in
// the store and that InfluxDB is proven to hold. While InfluxDB is away it tries
// every hour.
func (s *Service) forget(ctx context.Context) error {
	const day = 24 * time.Hour
	now := s.Now()
	if wait := s.forgetAt.Sub(now); s.influx == nil || wait > 0 && wait <= day {
		return nil
	}
	lookback, err := s.Shelf.Lookback()
	if err != nil {
		return err
	}
	before := forgottenBefore(s.Config, lookback, now)
	if before.IsZero() {
		return nil
	}
	s.forgetAt = now.Add(time.Hour)
	standing, err := s.influx.Look(ctx)
	if err == nil {
		if s.forgetAt = now.Add(day); !s.mayForget(standing) {
			return nil
		}
		if standing.End != 0 {
			// What InfluxDB deletes by law is not missed there; two days are for its shards.
			if err := s.backend.store.Ended(ctx, now.Add(2*day-standing.End)); err != nil {
				return err
			}
		}
		err = s.forgetProven(ctx, before)
	}
	if err != nil {
		s.forgetAt = now.Add(time.Hour)
		s.Log.Warn("nothing more is forgotten until InfluxDB shows that it holds it", "error", influx.In(err, s.Config.Language))
	}
	return nil
}

func (s *Service) forgetProven(ctx context.Context, before time.Time) error {
	proof, err := ingest.Forget(ctx, s.backend.store, s.influx, before)
	if proof.Forgotten > 0 {
		s.Log.Info("forgot readings that InfluxDB holds", "readings", proof.Forgotten)
	}
	if err == nil {
		s.tellDiffering(proof)
	}
	return err
}

// tellDiffering says what InfluxDB does not hold as the store does.
func (s *Service) tellDiffering(proof ingest.Proof) {
	differing := 0
	for _, d := range proof.Differing {
		differing += d.Readings
	}
	s.differing.Store(int64(differing))
	if differing > 0 {
		s.Log.Warn("InfluxDB does not hold readings that were sent to it, or holds them otherwise: they stay in the store; vigie influx compare lists them, vigie influx feed sends them again",
			"readings", differing, "first_day", proof.Differing[0].Day.Format(time.DateOnly), "last_day", proof.Differing[len(proof.Differing)-1].Day.Format(time.DateOnly))
	}
}

// forgottenBefore is the time before which readings may be forgotten, once InfluxDB
// is proven to hold them; zero when none may. Without InfluxDB the store is their
// only place. What protocols look back on stays, counted from the oldest reading
// that may still come.
func forgottenBefore(c config.Config, lookback time.Duration, now time.Time) time.Time {
	if c.Influx.URL == "" || c.Retention.Readings == 0 {
		return time.Time{}
	}
	return now.Add(-max(c.Retention.Readings, lookback+c.Limits.TooOld))
}
