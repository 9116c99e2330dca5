package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/push"
	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
)

// pushKeyFile, in the data folder, holds the key that browsers have subscribed to. Keep it
// with the backups of the store.
const pushKeyFile = "push-key"

func openPush(of *config.Config, _ string) (alerts.Channel, error) {
	c := of.Push
	if c.Contact == "" {
		return nil, nil
	}
	key, err := pushKeyOf(of)
	if err != nil {
		return nil, err
	}
	trust, err := trustOf("push", c.CAFile)
	if err != nil {
		return nil, err
	}
	// Push services compare the end of a token with the clock on the wall.
	return push.New(push.Config{Key: key, Contact: c.Contact, Language: of.Language, Now: time.Now, Networks: c.Networks.Prefixes(), Trust: trust})
}

// trustOf are the authorities of a file that a part of the configuration names; nil, the
// system's, without one.
func trustOf(part, file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s.ca_file: %w", part, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s.ca_file: %s holds no certificate in PEM form", part, file)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// pushKeyOf is the key of the configuration, else that of the data folder, else a new one.
func pushKeyOf(of *config.Config) (*push.Key, error) {
	if of.Push.Key != "" {
		return push.ParseKey(string(of.Push.Key))
	}
	name := filepath.Join(of.Data, pushKeyFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		made, err := push.NewKey()
		if err == nil {
			err = errors.Join(disk.Make(of.Data), disk.Write(name, []byte(made+"\n")))
		}
		if err != nil {
			return nil, fmt.Errorf("write the key of push messages: %w", err)
		}
		return push.ParseKey(made)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of push messages: %w", err)
	}
	key, err := push.ParseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: put the file back from where it was kept, or remove it and everybody subscribes again: %w", name, err)
	}
	return key, nil
}

// pushKey is what browsers subscribe with; empty where push messages are closed.
func (s *Service) pushKey() string {
	if channel, is := s.dispatch.Channels[alerts.Push].(interface{ Key() string }); is {
		return channel.Key()
	}
	return ""
}

// endLostSubscriptions removes the subscriptions of a key that is lost, as after a restore
// without its file: no message would ever reach their devices again. Teams are told.
func (s *Service) endLostSubscriptions(ctx context.Context) error {
	if s.Config.Push.Contact == "" || s.Config.Push.Key != "" || there(filepath.Join(s.Config.Data, pushKeyFile)) {
		return nil
	}
	teams, err := s.backend.registry.Teams(ctx)
	if err != nil {
		return fmt.Errorf("look for subscriptions of a key that is lost: %w", err)
	}
	for i := range teams {
		for _, address := range teams[i].Of(alerts.Push) {
			s.Log.Error("the key of push messages is lost: a device has to subscribe again", "team", teams[i].ID)
			if err := s.contactGone(ctx, alerts.Outgoing{Channel: alerts.Push, To: address}, s.Now()); err != nil {
				return fmt.Errorf("remove a subscription of a key that is lost: %w", err)
			}
		}
	}
	return nil
}

// contactGone removes a contact that its channel says is no more, and tells whoever stands
// beside it at once, the teams at their opening, and the administrators. A list of contacts
// never holds such a contact alone, so that nobody becomes unreachable. Doing it again
// changes nothing.
func (s *Service) contactGone(ctx context.Context, m alerts.Outgoing, now time.Time) error {
	teams, err := s.backend.registry.Teams(ctx)
	if err != nil {
		return err
	}
	for i := range teams {
		team := &teams[i]
		seen := registry.Tag(team)
		beside := team.Without(m.Channel, m.To)
		if beside == nil {
			continue
		}
		told, err := teamOf(team)
		if err != nil {
			return err
		}
		if err := s.backend.alerts.Post(ctx, s.saysGone(m, told, beside, now)); err != nil {
			return err
		}
		if err := s.keepTeam(ctx, team, seen, now); err != nil {
			return err
		}
		s.Log.Warn("a contact that is no more was removed", "channel", m.Channel, "team", team.ID)
	}
	return nil
}

// saysGone are the messages about a contact that was removed.
func (s *Service) saysGone(m alerts.Outgoing, team alerts.Team, beside registry.Contacts, now time.Time) []alerts.Outgoing {
	gone := alerts.Reference(m.Channel, m.To, now.UTC().Format(time.DateOnly))
	list := alerts.Notice(alerts.EventUnsubscribed, team, gone, now)
	people, _ := contactsOf(beside)
	at := alerts.Team{ID: team.ID + " at once", Name: team.Name, Calendar: team.Calendar, Contacts: once(append(people, s.Config.Mail.Administrators...))}
	for _, more := range alerts.Notice(alerts.EventUnsubscribed, at, gone, now) {
		more.NotUntil = time.Time{}
		list = append(list, more)
	}
	return list
}

// keepTeam keeps a team as the service itself has changed it.
func (s *Service) keepTeam(ctx context.Context, team *registry.Team, seen string, now time.Time) error {
	whole, err := registry.Object(team)
	if err != nil {
		return err
	}
	change := registry.Change{
		Item: registry.Item{Kind: registry.KindTeam, ID: team.ID}, Whole: whole, Seen: seen,
		By: registry.Access{Author: alerts.Service, Reason: "a contact is no more", At: now},
	}
	done, err := change.Make(ctx, s.backend.registry, s.Shelf.Protocol)
	if err != nil {
		return err
	}
	for i := range done.Problems {
		if registry.Refused(done.Problems[i : i+1]) {
			return fmt.Errorf("keep the team %s without a contact that is no more: %s: %s", team.ID, done.Problems[i].Path, done.Problems[i].Message.EN)
		}
	}
	return nil
}
