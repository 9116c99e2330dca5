package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"vigie/alerts/access/webauthn"
)

// A challenge is what a passkey signs, once, or what comes back from an OpenID Connect
// provider. It carries its own end and a mark under a key
// that every node has from the store, for one act in one session or login attempt. Giving
// one out writes nothing, so that nobody can fill the store. Using one writes that it was
// used, which every node sees.

// The acts that a challenge is for.
const (
	signIn    = "sign-in"   // bound to a login attempt
	proof     = "prove"     // bound to a session
	register  = "register"  // bound to a session
	elsewhere = "elsewhere" // at an OpenID Connect provider; bound to a login attempt
)

// answering is how long somebody may take to use a passkey.
const answering = 5 * time.Minute

const (
	chanceBytes = 16
	saidBytes   = chanceBytes + 8 // chance, and the second of its end
)

// seal makes what serves once, for one act, within a time.
func (a *Accounts) seal(ctx context.Context, act, bound string, within time.Duration) ([]byte, error) {
	said := make([]byte, chanceBytes, saidBytes)
	rand.Read(said) // never fails, see crypto/rand
	said = binary.BigEndian.AppendUint64(said, uint64(a.Now().Add(within).Unix()))
	mark, err := a.mark(ctx, act, bound, said)
	return append(said, mark...), err
}

// sealed reports whether seal made this for that act and it holds still, and until when. It
// does not use it up. bound is never empty.
func (a *Accounts) sealed(ctx context.Context, act, bound string, made []byte) (until time.Time, ok bool, err error) {
	if bound == "" || len(made) != saidBytes+sha256.Size {
		return time.Time{}, false, nil
	}
	mark, err := a.mark(ctx, act, bound, made[:saidBytes])
	if err != nil {
		return time.Time{}, false, err
	}
	until = time.Unix(int64(binary.BigEndian.Uint64(made[chanceBytes:])), 0).UTC()
	return until, hmac.Equal(mark, made[saidBytes:]) && a.Now().Before(until), nil
}

// challenge makes a challenge, in base64url.
func (a *Accounts) challenge(ctx context.Context, act, bound string) (string, error) {
	if !a.Passkeys() {
		return "", refuse(WrongPasskey, "Il n'y a pas de clés d'accès à cette adresse.", "There are no passkeys at this address.")
	}
	made, err := a.seal(ctx, act, bound, answering)
	return base64.RawURLEncoding.EncodeToString(made), err
}

// mark is what shows that a challenge is of this service, for one act.
func (a *Accounts) mark(ctx context.Context, act, bound string, said []byte) ([]byte, error) {
	key, err := a.challengeKey(ctx)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\x00%s\x00%s", act, bound, said)
	return mac.Sum(nil), nil
}

// challengeKey is the key of all nodes. It is read once.
func (a *Accounts) challengeKey(ctx context.Context) (string, error) {
	a.keyed.Lock()
	defer a.keyed.Unlock()
	if a.key != "" {
		return a.key, nil
	}
	key, err := a.Store.ChallengeKey(ctx, rand.Text()+rand.Text())
	if err != nil {
		return "", fmt.Errorf("read the key of challenges: %w", err)
	}
	a.key = key
	return key, nil
}

// answered reads what a browser sent, and checks its challenge, without using it up. bound
// is never empty.
func (a *Accounts) answered(ctx context.Context, act, bound string, body []byte) (read *webauthn.Answer, until time.Time, err error) {
	if !a.Passkeys() {
		return nil, time.Time{}, tooLate()
	}
	if read, err = webauthn.Read(body); err != nil {
		return nil, time.Time{}, a.refuseKey(err.Error(), "")
	}
	until, ok, err := a.sealed(ctx, act, bound, read.Challenge)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !ok {
		return nil, time.Time{}, tooLate()
	}
	return read, until, nil
}

// spend uses a challenge up.
func (a *Accounts) spend(ctx context.Context, read *webauthn.Answer, until time.Time) error {
	return a.spendMade(ctx, read.Challenge, until)
}

func (a *Accounts) spendMade(ctx context.Context, made []byte, until time.Time) error {
	err := a.Store.SpendChallenge(ctx, digest(string(made)), until, a.Now().UTC())
	if errors.Is(err, ErrTaken) {
		return tooLate()
	}
	return err
}

func tooLate() *Refused {
	return refuse(WrongPasskey, "Cette demande a expiré, ou a déjà servi : réessayez.", "This request is over, or was used before: try again.")
}
