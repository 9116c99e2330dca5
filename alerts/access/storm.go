package access

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"
)

// strangers bounds how many passwords are hashed for browsers from which the account was
// never logged in, whatever their address and whatever login they try. A right password
// does not count. The zero value is ready.
//
// Where thousands of wrong logins arrive, all but a few a second are refused before any
// hash. Who logs in from a browser of before is not among them, see Accounts.Remember.
type strangers struct {
	mu    sync.Mutex
	spent float64 // of strangersAtOnce
	at    time.Time
}

// How many wrong passwords of strangers are hashed at once, and then each second. A hash
// takes 30 to 45 ms of one core: one a second costs at most 5 % of it.
const (
	strangersAtOnce  = 60
	strangersASecond = 1
)

// room reports whether one more may be hashed now.
func (s *strangers) room(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left(now)
}

// allow reports whether one more may be hashed now, and counts it.
func (s *strangers) allow(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.left(now) {
		return false
	}
	s.spent++
	return true
}

// left is room, under the lock.
func (s *strangers) left(now time.Time) bool {
	if passed := now.Sub(s.at).Seconds(); passed > 0 {
		s.spent = max(0, s.spent-passed*strangersASecond)
	}
	s.at = now
	return s.spent+1 <= strangersAtOnce
}

// giveBack is for a password that was right.
func (s *strangers) giveBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent = max(0, s.spent-1)
}

// mostDevices is how many browsers of an account are remembered.
const mostDevices = 10

// knows reports whether the account was logged in from a browser before.
func (a *Account) knows(device string) bool {
	return a != nil && device != "" && slices.Contains(a.Devices, digest(device))
}

// Remember returns what a browser is to keep from which somebody has logged in, so that
// the wrong tries of others never lock it out; empty where it keeps that already. It lets
// nobody in.
func (a *Accounts) Remember(ctx context.Context, session *Session, device string) (string, error) {
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil || account.knows(device) {
		return "", err
	}
	fresh := rand.Text()
	account.Devices = append(account.Devices, digest(fresh))
	account.Devices = account.Devices[max(0, len(account.Devices)-mostDevices):]
	return fresh, a.save(ctx, account)
}

// admit says how long a try has to wait before a password is hashed; zero for at once.
func (a *Accounts) admit(login, address, device string, known bool, now time.Time) time.Duration {
	if known {
		return a.logins.Count("device/"+login+"/"+digest(device), now)
	}
	if !a.strangers.room(now) { // in a storm: refused before anything of it is remembered
		return longestWait
	}
	if wait := max(a.addresses.Count(address, now), a.logins.Count(login, now)); wait > 0 {
		return wait
	}
	if !a.strangers.allow(now) {
		return longestWait
	}
	return 0
}

// welcome takes back what a try counted whose password was right.
func (a *Accounts) welcome(login, device string, known bool) {
	if known {
		a.logins.Right("device/" + login + "/" + digest(device))
		return
	}
	a.strangers.giveBack()
}
