package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/ingest/doors/outside"
	"vigie/protocols"
)

// A broker keeps for every member of a shared group its share of the messages, also
// while it is away. So a node that stops leaves the group, and one that is gone has its
// sessions emptied by the node that leads: see ingest/stores/postgres, members.go.
const (
	attendEvery = 3 * time.Second
	// attendWithin is how long a node counts itself as one of the group after it last
	// said so: less than the store does, so that nobody empties a session beside it.
	attendWithin = 10 * time.Second
	// drainWithin bounds one attempt to empty a session; the next goes on with the rest.
	drainWithin = 10 * time.Minute
)

// members is this node's part in a shared group; its zero value is no group.
type members struct {
	group     group
	name      string
	sessions  []string
	attending sync.WaitGroup
	stop      context.CancelFunc // ends attending

	mu      sync.Mutex
	missing []string
}

// joinGroup says that this node is about to open its sessions, and returns how many of
// them the group knew.
func (s *Service) joinGroup(ctx context.Context, c config.Outside, sessions []string) (known int, err error) {
	store, shared := s.backend.store.(group)
	if !shared || c.SharedGroup == "" {
		return len(sessions), nil
	}
	s.members.group, s.members.sessions = store, sessions
	s.members.name = strings.Join([]string{brokerHost(c), c.SharedGroup, s.Config.Topics.Prefix}, " ")
	err = s.untilThere(ctx, func() (err error) {
		known, err = store.Attend(ctx, s.members.name, sessions, false)
		return err
	})
	return known, err
}

// startAttending has attend run until leaveGroup.
func (s *Service) startAttending(ctx context.Context) {
	door := s.doors.outside.Load()
	if s.members.group == nil || door == nil {
		return
	}
	ctx, s.members.stop = context.WithCancel(ctx)
	s.members.attending.Go(func() { s.attend(ctx, door) })
}

// sessions are a node's own, at the broker of its group; *outside.Door has them.
type sessions interface {
	Subscribed() bool
	StandAside(aside bool)
}

// attend says again and again that this node is one of the group. While that cannot be
// said, the door stands aside: another node may be emptying its sessions.
func (s *Service) attend(ctx context.Context, door sessions) {
	m := &s.members
	wake := time.NewTicker(attendEvery)
	defer wake.Stop()
	until := time.Now().Add(attendWithin)
	for {
		began := time.Now()
		trying, cancel := context.WithDeadline(ctx, laterOf(until, began.Add(attendEvery)))
		_, err := m.group.Attend(trying, m.name, m.sessions, door.Subscribed())
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.faults.note(s.Log, "group", err)
		if err == nil {
			until = began.Add(attendWithin)
		}
		door.StandAside(!time.Now().Before(until))
		select {
		case <-wake.C:
		case <-ctx.Done():
			return
		}
	}
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// leaveGroup takes this node out of the group, unless it is the last. What waits in its
// sessions is committed first, by ctx.
func (s *Service) leaveGroup(ctx context.Context, door *outside.Door) error {
	m := &s.members
	if m.stop == nil {
		return nil
	}
	m.stop()
	m.attending.Wait()
	// What cannot be emptied while this node counts as living is left to the leader.
	ctx, cancel := context.WithTimeout(ctx, attendWithin)
	defer cancel()
	left, err := m.group.Leave(ctx, m.name, m.sessions, door.Unsubscribe)
	if err != nil {
		return errors.Join(err, door.Subscribe())
	}
	if !left {
		s.Log.Info("this node stays a member of the group while it is away: no other one is there", "group", m.name)
		return nil
	}
	if err := door.Empty(ctx); err != nil {
		return err
	}
	for _, session := range m.sessions {
		if err := m.group.Remove(ctx, m.name, session, false, func() error { return door.Forget(ctx, session) }); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(s.Config.Data, sessionsFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.Log.Info("this node has left the group, with nothing left in its sessions", "group", m.name)
	return nil
}

// drain empties the sessions of members that are missing, one after another.
func (s *Service) drain(ctx context.Context) error {
	m, door := &s.members, s.doors.outside.Load()
	if m.group == nil || door == nil {
		return nil
	}
	missing, err := m.group.Missing(ctx, m.name)
	if err != nil {
		return err
	}
	m.note(missing)
	if !door.Subscribed() {
		return nil
	}
	for _, session := range missing {
		if err := s.drainOne(ctx, door, session); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) drainOne(ctx context.Context, door *outside.Door, session string) error {
	m := &s.members
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	s.Log.Warn("a member of the group is missing: what waits for it is taken", "group", m.name, "session", session)
	guest, err := door.TakeOver(ctx, session)
	if err != nil {
		return err
	}
	defer guest.Close()
	left, err := m.group.Leave(ctx, m.name, []string{session}, guest.Unsubscribe)
	if err != nil || !left {
		return err
	}
	if err := guest.Empty(ctx); err != nil {
		return err
	}
	guest.Close()
	return m.group.Remove(ctx, m.name, session, true, func() error { return door.Forget(ctx, session) })
}

// drainDue is part of a sweep. Members are missed by the clock of the store.
func (s *Service) drainDue(context.Context, time.Time) (bool, error) { return false, nil }

func (m *members) note(missing []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.missing = missing
}

// list returns the sessions that are missing, as the node that leads last saw them.
func (m *members) list() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.missing
}

// statement says which members are missing.
func (m *members) statement() workspace.Statement {
	missing := strings.Join(m.list(), ", ")
	if missing == "" {
		return workspace.Statement{Name: "members", OK: true, Text: protocols.Text{
			FR: "Aucun membre du groupe partagé ne manque.", EN: "No member of the shared group is missing."}}
	}
	return workspace.Statement{Name: "members", Text: protocols.Text{
		FR: "Des membres du groupe partagé manquent : " + missing + ". Le nœud qui conduit vide leurs sessions.",
		EN: "Members of the shared group are missing: " + missing + ". The node that leads empties their sessions."}}
}
