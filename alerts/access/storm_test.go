package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
)

// nobodyHere is a store without accounts.
type nobodyHere struct{ Store }

func (nobodyHere) AccountByLogin(context.Context, string) (*Account, error) { return nil, ErrNotFound }

// Thousands of wrong logins a minute come from as many addresses, under as many names. All
// but a few a second are refused before any hash, and one password is hashed at a time.
func TestAStormOfWrongLoginsIsRefusedBeforeItIsHashed(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	a, err := New(Options{
		Store: nobodyHere{}, Log: slog.New(slog.DiscardHandler), Hashing: argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	var hashed, under, most atomic.Int64
	a.passwords.compare = func(string, string) (bool, error) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		hashed.Add(1)
		under.Add(-1)
		return false, nil
	}
	const seconds, each = 60, 200
	var refused atomic.Int64
	for second := range seconds {
		var tries sync.WaitGroup
		for i := range each {
			tries.Go(func() {
				name := fmt.Sprint("who-", second, "-", i)
				_, _, err := a.Login(context.Background(), name, "wrong wrong wrong", name, "", "")
				var denied *Refused
				if !errors.As(err, &denied) {
					t.Errorf("not refused: %v", err)
				} else if denied.Code == TooManyTries {
					refused.Add(1)
				}
			})
		}
		tries.Wait()
		mu.Lock()
		now = now.Add(time.Second)
		mu.Unlock()
	}
	if n, bound := hashed.Load(), int64(strangersAtOnce+strangersASecond*seconds); n > bound || n < strangersAtOnce {
		t.Errorf("%d of %d passwords were hashed, want at most %d", n, seconds*each, bound)
	}
	if hashed.Load()+refused.Load() != seconds*each {
		t.Errorf("%d hashed, %d refused, of %d", hashed.Load(), refused.Load(), seconds*each)
	}
	if most.Load() != 1 {
		t.Errorf("%d passwords were hashed at the same time", most.Load())
	}
	if n := len(a.addresses.from) + len(a.logins.from); n > 2*remembered {
		t.Errorf("%d addresses and logins are remembered", n)
	}
}
