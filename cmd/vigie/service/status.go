package service

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/cmd/edition"
	"vigie/ingest"
	"vigie/protocols"
	"vigie/protocols/written"
)

// checks are what has to work for devices and people to be sent here: a commit, the
// registry, the doors. InfluxDB is not among them: it may be away for hours.
func (s *Service) checks() []workspace.Check {
	return []workspace.Check{
		{Name: "store", Ready: s.commits.check, Sentence: protocols.Text{
			FR: "Aucune mesure ne peut être validée en ce moment.", EN: "No reading can be committed now."}},
		{Name: "registry", Ready: s.registryAnswers, Sentence: protocols.Text{
			FR: "Le registre ne répond pas : aucun appareil ne peut être reconnu.", EN: "The registry does not answer: no device can be recognised."}},
		{Name: "broker", Ready: func(context.Context) error { return s.doors.ready() }, Sentence: protocols.Text{
			FR: "Ce que les appareils publient sur le broker extérieur n'arrive pas ici.", EN: "What devices publish at the broker outside does not come here."}},
	}
}

// registryAnswers looks a device up, as every connection does.
func (s *Service) registryAnswers(ctx context.Context) error {
	if _, err := s.backend.registry.RegistryVersion(ctx); err != nil {
		return err
	}
	_, err := s.backend.registry.Teams(ctx)
	return err
}

// The works that one node does for all.
const (
	sweepsWork = "sweeps"
	influxWork = "influxdb"
)

// watched is what the operator watches the service by.
type watched struct {
	operator     *http.Server // nil where the server of the pages does
	operatorPage net.Addr
	leads        leads
}

// leads are the works that this node does now.
type leads struct {
	mu    sync.Mutex
	works map[string]bool
}

func (l *leads) has(work string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.works[work]
}

func (l *leads) set(work string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.works == nil {
		l.works = map[string]bool{}
	}
	l.works[work] = on
}

// leading notes that this node does a work while it does.
func (s *Service) leading(name string, work func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		s.leads.set(name, true)
		defer s.leads.set(name, false)
		work(ctx)
	}
}

// A node whose sweeps have failed for so long offers the lead to the others, and does
// not ask for it again for a while.
const (
	failsFor  = time.Minute
	standsOff = 30 * time.Second
)

// stepDown ends a work whose sweeps fail, so that another node tries it.
func (s *Service) stepDown(work func(context.Context)) func(context.Context) {
	var until time.Time
	return func(ctx context.Context) {
		if time.Now().Before(until) {
			return
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go func() {
			look := time.NewTicker(everySecond)
			defer look.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-look.C:
				}
				if failing := s.faults.failing(failsFor); len(failing) > 0 && !s.backend.alone() {
					s.Log.Error("this node no longer leads: another one may do better at the sweeps that fail", "sweeps", strings.Join(failing, " "))
					stop()
				}
			}
		}()
		work(ctx)
		if len(s.faults.failing(failsFor)) > 0 {
			until = time.Now().Add(standsOff)
			s.faults.forget()
		}
	}
}

// status says what readiness leaves out.
func (s *Service) status(ctx context.Context) []workspace.Statement {
	statements := []workspace.Statement{s.edition(), s.leader(), s.sweeping(), s.queued(), s.damage(), s.traced()}
	statements = append(statements, s.worklist(ctx)...)
	statements = append(statements, s.beyondStatus(ctx)...)
	statements = append(statements, s.certificates()...)
	if out := s.doors.outside.Load(); out != nil {
		err := out.Ready()
		text := protocols.Text{FR: "Le broker extérieur délivre.", EN: "The broker outside delivers."}
		if err != nil {
			text = protocols.Text{FR: "Le broker extérieur ne délivre pas : voir le journal.", EN: "The broker outside does not deliver: see the log."}
		}
		statements = append(statements, workspace.Statement{Name: "broker-outside", OK: err == nil, Text: text}, s.members.statement())
	}
	return statements
}

func (s *Service) edition() workspace.Statement {
	is := edition.Current().String()
	return workspace.Statement{Name: "build", OK: true, Text: protocols.Text{FR: is, EN: is}}
}

func (s *Service) leader() workspace.Statement {
	if s.leads.has(sweepsWork) {
		return workspace.Statement{Name: "leader", OK: true, Text: protocols.Text{FR: "Ce nœud conduit : échéances, relances et messages partent d'ici.", EN: "This node leads: deadlines, escalation and messages go out from here."}}
	}
	return workspace.Statement{Name: "leader", OK: true, Text: protocols.Text{FR: "Un autre nœud conduit.", EN: "Another node leads."}}
}

func (s *Service) sweeping() workspace.Statement {
	failing := s.faults.failing(0)
	if len(failing) == 0 {
		return workspace.Statement{Name: "sweeps", OK: true, Text: protocols.Text{FR: "Les travaux périodiques aboutissent.", EN: "The sweeps succeed."}}
	}
	names := strings.Join(failing, ", ")
	return workspace.Statement{Name: "sweeps", Text: protocols.Text{
		FR: "Ces travaux échouent, voir le journal : " + names + ".", EN: "These sweeps fail, see the log: " + names + "."}}
}

func (s *Service) queued() workspace.Statement {
	waiting, most := s.pipeline.Waiting(), s.Config.Limits.Queue
	return workspace.Statement{Name: "queue", OK: waiting < most/2, Text: protocols.Text{
		FR: written.Sentence("fr", "%d [mesure attend d'être validée|mesures attendent d'être validées], sur %d places.", waiting, most), EN: written.Sentence("en", "%d [reading waits|readings wait] to be committed, of %d that may.", waiting, most)}}
}

// damage counts the rows that the store has met and left out.
func (s *Service) damage() workspace.Statement {
	rows := s.damaged()
	if rows == 0 {
		return workspace.Statement{Name: "damage", OK: true, Text: protocols.Text{FR: "Aucune ligne endommagée n'a été rencontrée.", EN: "No damaged row was met."}}
	}
	return workspace.Statement{Name: "damage", Text: protocols.Text{
		FR: written.Sentence("fr", "%d [ligne endommagée a été écartée|lignes endommagées ont été écartées] ; « vigie check --store » en dit le lieu.", rows), EN: written.Sentence("en", "%d damaged [row was|rows were] left out; vigie check --store says which.", rows)}}
}

func (s *Service) damaged() int {
	if store, ok := s.backend.store.(interface{ Damaged() []ingest.Damage }); ok {
		return len(store.Damaged())
	}
	return 0
}

// worklist says since when the oldest alert has waited that nobody has taken on.
func (s *Service) worklist(ctx context.Context) []workspace.Statement {
	open, err := s.oldestOpen(ctx)
	if err != nil {
		return []workspace.Statement{{Name: "alerts", Text: protocols.Text{FR: "Les alertes ne peuvent pas être lues.", EN: "The alerts cannot be read."}}}
	}
	if open.IsZero() {
		return []workspace.Statement{{Name: "alerts", OK: true, Text: protocols.Text{FR: "Aucune alerte n'attend d'être prise en charge.", EN: "No alert waits to be taken on."}}}
	}
	waits := s.Now().Sub(open).Round(time.Minute)
	const long = 3 * 24 * time.Hour
	return []workspace.Statement{{Name: "alerts", OK: waits < long, Text: protocols.Text{
		FR: fmt.Sprintf("La plus ancienne alerte que personne n'a prise en charge attend depuis %s.", waits), EN: fmt.Sprintf("The oldest alert that nobody has taken on has waited for %s.", waits)}}}
}

// oldestOpen is when the oldest alert was raised that nobody has taken on; zero when
// there is none.
func (s *Service) oldestOpen(ctx context.Context) (oldest time.Time, err error) {
	for level := protocols.Technical; level <= protocols.Red; level++ { // of a level, the first is the oldest
		list, err := s.backend.alerts.Alerts(ctx, alerts.Filter{States: []alerts.State{alerts.Open}, Levels: []protocols.Level{level}, Limit: 1})
		if err != nil {
			return oldest, err
		}
		if len(list) > 0 && (oldest.IsZero() || list[0].RaisedAt.Before(oldest)) {
			oldest = list[0].RaisedAt
		}
	}
	return oldest, nil
}

// expiresSoon is when a certificate is worth a word.
const expiresSoon = 14 * 24 * time.Hour

// certificates says until when those of our listeners hold.
func (s *Service) certificates() (list []workspace.Statement) {
	for name, file := range map[string]string{"certificate-http": s.Config.HTTP.CertFile, "certificate-broker": s.Config.Broker.Inside.CertFile} {
		if file == "" {
			continue
		}
		until, err := certificateUntil(file)
		if err != nil {
			list = append(list, workspace.Statement{Name: name, Text: protocols.Text{FR: "Le certificat ne peut pas être lu.", EN: "The certificate cannot be read."}})
			continue
		}
		day := until.Format(time.DateOnly)
		list = append(list, workspace.Statement{Name: name, OK: time.Until(until) > expiresSoon, Text: protocols.Text{
			FR: "Le certificat vaut jusqu'au " + day + ".", EN: "The certificate holds until " + day + "."}})
	}
	return list
}

// certificateUntil is when the first certificate of a file ends.
func certificateUntil(file string) (time.Time, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return time.Time{}, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, err
	}
	return certificate.NotAfter, nil
}
