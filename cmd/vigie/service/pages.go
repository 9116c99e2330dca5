package service

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"vigie/alerts"
	"vigie/alerts/erasure"
	"vigie/alerts/workspace"
	"vigie/cmd/edition"
	"vigie/cmd/vigie/config"
	"vigie/ingest/doors/inside"
	"vigie/seeds"
)

// openWorkspace serves the pages, the interface for programs, health and
// metrics.
func (s *Service) openWorkspace(ctx context.Context) (err error) {
	tokens, err := s.tokens(s.Config.HTTP.Tokens)
	if err != nil {
		return err
	}
	s.workspace, err = workspace.New(workspace.Options{
		Store:    s.backend.alerts,
		History:  s.History(),
		Accounts: s.accounts,
		Trail:    s.trail,
		TeamsOf:  s.teamsOf,
		Tell:     s.tellTeams,
		Roll:     s.backend.registry,
		Protocol: s.Shelf.Protocol,
		Standing: s.standing,
		Preview:  s.preview,
		Strike:   s.strike,
		Fed:      s.backend.registry.PatientsFed,
		Persons:  s.merged,
		Figures:  s.backend.figures,
		Reviews:  s.backend.reviews,
		Traces:   s.backend.trail,
		Looks:    s.backend.trail,
		Retained: s.retained,
		Erase: func(ctx context.Context, patient, author, reason string, dry bool) (*erasure.Effect, error) {
			return s.erase(ctx, Erasing{Patient: patient, Author: author, Reason: reason, DryRun: dry, Now: s.Now()})
		},
		Library: s.Shelf.LatestOfAll,
		Duty:    s.duty,
		PushKey: s.pushKey(),
		Care:    &care{registry: s.backend.registry, shelf: s.Shelf, admin: s.Config.Mail.Administrators},
		Enter:   s.enter,

		TryStrike: s.tryStrike,
		Wide:      s.backend.store,
		Aside:     aside{s.backend.store, s.pipeline},
		Marks:     s.backend.store.Marks,

		Change:     s.backend.registry,
		Enrolments: s.backend.registry.EnrolmentsOf,
		Versions:   s.backend.registry.Versions,
		Notice:     seeds.NoticeVersion,
		Device:     s.backend.registry.Device,
		Statuses:   s.backend.store.DeviceStatuses,

		Tokens:  tokens,
		Now:     s.Now,
		Log:     s.Log,
		Address: s.Config.HTTP.PublicURL,
		Proxies: s.Config.HTTP.Proxies.Prefixes(),
		Teams:   s.teams,
		Checks:  s.checks(),
		Status:  s.status,
		Apart:   s.Config.HTTP.StatusListen != "",
		Metrics: s.Metrics,
		Edition: edition.Current().String(),
	})
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	security, err := s.serverTLS(s.Config.HTTP.CertFile, s.Config.HTTP.KeyFile)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	listener, err := inside.Listen(s.Config.HTTP.Listen, s.NextPort)
	if err != nil {
		return fmt.Errorf("http.listen: %w; is another program using it? Choose another port", err)
	}
	s.page = listener.Addr()
	s.server = &http.Server{
		Handler: s.workspace, TLSConfig: security, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: log.New(serverLog{s.Log}, "", 0),
	}
	s.background.Go(func() { s.serve(s.server, listener) })
	return s.openOperator()
}

// openOperator serves what the operator watches on a listener of its own, where one is
// configured.
func (s *Service) openOperator() error {
	address := s.Config.HTTP.StatusListen
	if address == "" {
		return nil
	}
	listener, err := inside.Listen(address, s.NextPort)
	if err != nil {
		return fmt.Errorf("http.status_listen: %w; is another program using it? Choose another port", err)
	}
	s.operatorPage = listener.Addr()
	s.operator = &http.Server{
		Handler: s.workspace.Operator(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: log.New(serverLog{s.Log}, "", 0),
	}
	s.background.Go(func() { s.serve(s.operator, listener) })
	return nil
}

// tokens are those of the configuration, and one that an older version made in the
// data folder.
func (s *Service) tokens(configured map[string]config.Secret) ([]workspace.Token, error) {
	var tokens []workspace.Token
	for name, secret := range configured {
		tokens = append(tokens, workspace.Token{Name: name, Secret: string(secret)})
	}
	if len(tokens) > 0 {
		return tokens, nil
	}
	name := filepath.Join(s.Config.Data, "token")
	secret, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the token that an older version made: %w", err)
	}
	if len(strings.TrimSpace(string(secret))) == 0 {
		return nil, fmt.Errorf("the token in %s is empty: remove that file", name)
	}
	return []workspace.Token{{Name: "vigie", Secret: strings.TrimSpace(string(secret))}}, nil
}

// serverLog takes the lines that Go's server writes of itself. Most are about a
// connection of somebody, whose address the line names.
type serverLog struct{ log *slog.Logger }

// Write is part of io.Writer.
func (s serverLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if found := aboutConnection.FindStringSubmatch(text); found != nil {
		s.log.Warn("a connection to the pages failed: "+found[1], fromKey, found[2], "error", found[3])
	} else {
		s.log.Error("the server of the pages met a fault", "error", text)
	}
	return len(line), nil
}

// aboutConnection reads what failed, whose address, and why.
var aboutConnection = regexp.MustCompile(`(?s)^http: (TLS handshake error) from (\S+): (.*)$`)

func (s *Service) serve(server *http.Server, listener net.Listener) {
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.Log.Error("the pages are no longer served", "error", err)
	}
}

// closePages lets requests under way end, for a moment.
func (s *Service) closePages() error {
	if s.server == nil {
		return nil
	}
	s.workspace.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if s.operator != nil {
		err = errors.Join(err, s.operator.Shutdown(ctx))
	}
	return err
}

// commits tells whether a transaction can be committed now, by committing one: a
// database that only reads, or a full disk, answers questions as ever.
type commits struct {
	one  func(context.Context) error // commits what changes nothing
	ways singleflight.Group          // however many ask, one tries
	last atomic.Int64                // when one was committed, by the machine's clock in nanoseconds
}

// A commit that worked stands for so long, so that who asks in a loop does not keep
// the disk busy; one that does not end is given up after so long.
const (
	commitStands = time.Second
	commitTakes  = 10 * time.Second
)

func (c *commits) check(ctx context.Context) error {
	if age := time.Now().UnixNano() - c.last.Load(); age >= 0 && age < int64(commitStands) {
		return nil
	}
	tried := c.ways.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTakes)
		defer cancel()
		err := c.one(ctx)
		if err == nil {
			c.last.Store(time.Now().UnixNano())
		}
		return nil, err
	})
	select {
	case result := <-tried:
		return result.Err
	case <-ctx.Done():
		return errors.New("a commit that changes nothing takes seconds")
	}
}

// duty says who answers for a team at a moment.
func (s *Service) duty(ctx context.Context, id string, at time.Time) (alerts.Duty, error) {
	found, err := s.backend.registry.Team(ctx, id)
	if err != nil {
		return alerts.Duty{}, err
	}
	team, err := teamOf(found)
	return team.Duty(at), err
}

// teams names the care teams on pages; none while the store does not answer.
func (s *Service) teams() []workspace.Team {
	teams, err := s.backend.registry.Teams(context.Background())
	if err != nil {
		s.Log.Error("the care teams cannot be read", "error", err)
		return nil
	}
	var list []workspace.Team
	for _, team := range teams {
		zone, err := time.LoadLocation(team.Zone)
		if err != nil {
			zone = time.UTC
		}
		list = append(list, workspace.Team{ID: team.ID, Name: team.Name, Zone: zone, Glucose: team.GlucoseUnit})
	}
	return list
}
