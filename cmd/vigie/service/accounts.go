package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/access/openid"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
)

// firstLinkFile, in the data folder, holds the address by which the first
// administrator gets in, for as long as there is none.
const firstLinkFile = "first-login"

// accountsOf are the accounts that a store keeps.
func accountsOf(store access.Store, teams registry.Store, trail access.Trail, all *config.Config, log *slog.Logger) (*access.Accounts, error) {
	c := all.Access
	known, err := knownPasswords(c.Known)
	if err != nil {
		return nil, err
	}
	provider, err := providerOf(all)
	if err != nil {
		return nil, err
	}
	return access.New(access.Options{
		OpenID: provider, Known: known, Address: all.HTTP.PublicURL,
		Store: store, Trail: trail, Now: time.Now, Log: log,
		Teams:     func(ctx context.Context) ([]string, error) { return teamIDs(ctx, teams) },
		Limits:    access.Limits{Idle: c.Idle, Absolute: c.Absolute},
		OneFactor: c.SecondFactor == config.Optional,
		Closed:    func(ctx context.Context, patient string) (bool, error) { return teamOnly(ctx, teams, patient) },
	})
}

// providerOf is where people may sign in instead; nil for nowhere.
func providerOf(all *config.Config) (*openid.Provider, error) {
	c := &all.Access.OpenID
	if c.Issuer == "" {
		return nil, nil
	}
	trust, err := trustOf("access.openid", c.CAFile)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	public := strings.TrimSuffix(all.HTTP.PublicURL, "/")
	return openid.New(openid.Options{
		Name: c.Name, Issuer: c.Issuer, Discovery: c.Discovery, ClientID: c.ClientID, Secret: string(c.ClientSecret),
		Redirect: public + workspace.ComeBack, After: public + "/login",
		Scopes: c.Scopes, Levels: c.ACRValues, Claim: c.Identifier, Client: &http.Client{Transport: transport}, Now: time.Now,
	}), nil
}

// knownPasswords reads the list of passwords that nobody may choose; nil without a file.
func knownPasswords(name string) (*access.Known, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open access.known_passwords: %w", err)
	}
	defer file.Close()
	return access.ReadKnown(file)
}

// teamOnly reports whether a patient lets nobody of another team open the record: by the
// consent of any enrolment, under any record of the person.
func teamOnly(ctx context.Context, store registry.Store, patient string) (bool, error) {
	merges, err := store.Merges(ctx)
	if err != nil {
		return true, err
	}
	enrolments, err := enrolmentsOf(ctx, store, registry.PersonsOf(merges), patient)
	return slices.ContainsFunc(enrolments, func(e registry.Enrolment) bool { return e.Consent.TeamOnly }), err
}

func teamIDs(ctx context.Context, teams registry.Store) ([]string, error) {
	list, err := teams.Teams(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, team := range list {
		ids[i] = team.ID
	}
	return ids, nil
}

// Accounts are who may get in.
func (s *Service) Accounts() *access.Accounts { return s.accounts }

// openAccounts prepares who may get in.
func (s *Service) openAccounts(context.Context) (err error) {
	s.accounts, err = accountsOf(s.backend.access, s.backend.registry, s.trail, &s.Config, s.Log)
	return err
}

// inviteFirst writes a one-time link into the data folder while there is no
// administrator, once it is known where the pages are. Its owner alone may read it.
func (s *Service) inviteFirst(ctx context.Context) error {
	name := filepath.Join(s.Config.Data, firstLinkFile)
	link, err := s.accounts.First(ctx)
	if err != nil {
		return fmt.Errorf("invite a first administrator: %w", err)
	}
	if link == "" {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the link that served: %w", err)
		}
		return nil
	}
	address := welcome(s.Config.HTTP, s.Page(), link) + "\n"
	if err := errors.Join(disk.Make(s.Config.Data), disk.Write(name, []byte(address))); err != nil {
		return fmt.Errorf("write the link for a first administrator: %w", err)
	}
	s.Log.Warn("there is no administrator: the one-time link in this file lets the first one in", "file", name)
	return nil
}

// Welcome is the address at which a one-time link is used.
func (t *Tools) Welcome(link string) string {
	return welcome(t.config.HTTP, scheme(t.config.HTTP)+"://"+t.config.HTTP.Listen, link)
}

func welcome(c config.HTTP, page, link string) string {
	if c.PublicURL != "" {
		page = strings.TrimSuffix(c.PublicURL, "/")
	}
	return page + "/welcome?" + url.Values{"link": {link}}.Encode()
}

// Accounts are who may get in, for a command.
func (t *Tools) Accounts() (*access.Accounts, error) {
	return accountsOf(t.access, t.Registry, t, &t.config, slog.Default())
}

// teamsOf lists the care teams that follow a patient, or followed him.
func (s *Service) teamsOf(ctx context.Context, patient string) ([]string, error) {
	known, err := s.merged(ctx)
	if err != nil {
		return nil, fmt.Errorf("find who a patient is: %w", err)
	}
	enrolments, err := enrolmentsOf(ctx, s.backend.registry, known, patient)
	if err != nil {
		return nil, fmt.Errorf("find who follows a patient: %w", err)
	}
	var teams []string
	for _, e := range enrolments {
		if !slices.Contains(teams, e.Team) {
			teams = append(teams, e.Team)
		}
	}
	return teams, nil
}
