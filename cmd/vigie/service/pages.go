package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vigie/alerts/workspace"
	"vigie/ingest/doors/inside"
)

// openWorkspace serves the pages, the interface for programs, health and
// metrics.
func (s *Service) openWorkspace(ctx context.Context) (err error) {
	s.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var tokens []workspace.Token
	for name, secret := range s.Config.HTTP.Tokens {
		tokens = append(tokens, workspace.Token{Name: name, Secret: string(secret)})
	}
	s.workspace, err = workspace.New(workspace.Options{
		Store:    s.backend.alerts,
		History:  s.History(),
		Tokens:   tokens,
		Now:      s.Now,
		Log:      s.Log,
		Address:  s.Config.HTTP.PublicURL,
		Teams:    s.teams,
		Checks:   s.checks(),
		Metrics:  promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}),
		Registry: s.Metrics,
	})
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	listener, err := inside.Listen(s.Config.HTTP.Listen, s.NextPort)
	if err != nil {
		return fmt.Errorf("http.listen: %w; is another program using it? Choose another port", err)
	}
	s.page = listener.Addr()
	s.server = &http.Server{Handler: s.workspace, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	s.background.Go(func() { s.serve(listener) })
	return nil
}

func (s *Service) serve(listener net.Listener) {
	var err error
	if c := s.Config.HTTP; c.CertFile != "" {
		err = s.server.ServeTLS(listener, c.CertFile, c.KeyFile)
	} else {
		err = s.server.Serve(listener)
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
	return s.server.Shutdown(ctx)
}

// checks are what the service cannot do without. InfluxDB is not among them: it
// may be away for hours.
func (s *Service) checks() []workspace.Check {
	return []workspace.Check{
		{Name: "store", Ready: func(ctx context.Context) error {
			_, err := s.backend.registry.RegistryVersion(ctx)
			return err
		}},
		{Name: "broker", Ready: func(context.Context) error { return s.doors.ready() }},
	}
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
		list = append(list, workspace.Team{ID: team.ID, Name: team.Name, Zone: zone})
	}
	return list
}
