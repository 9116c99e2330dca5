package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A patient enters readings of his own without an account: with a link that the team gives
// him, and his date of birth. The link alone opens nothing, and shows nothing of him.

// ownRights are what a patient may do on his own pages, for himself alone.
var ownRights = []Right{SeePatients, EnterReadings}

const (
	// longestKey is how long a patient's key may be given for.
	longestKey = 400 * 24 * time.Hour
	// mostWrong is how many wrong dates of birth end a key: whoever finds a link cannot try
	// them all.
	mostWrong = 10
)

// keyID is the id of the key of a patient: there is one at most.
func keyID(patient string) string { return "own-" + patient }

// GiveKey makes the key of a patient and returns its secret, which is shown once. His
// former one ends.
func (a *Accounts) GiveKey(ctx context.Context, patient string, until time.Time) (secret string, err error) {
	now := a.Now().UTC()
	if patient == "" || !until.After(now) || until.After(now.Add(longestKey)) {
		return "", refuse(BadToken, "Un lien a une fin, dans 400 jours au plus.", "A link has an end, in at most 400 days.")
	}
	secret = rand.Text()
	token := Token{ID: keyID(patient), Name: "own entry", Owner: From(ctx).Account, Patient: patient, Created: now, Until: until.UTC(), Digest: digest(secret)}
	if err := a.Store.SaveToken(ctx, &token); err != nil {
		return "", fmt.Errorf("keep the key of a patient: %w", err)
	}
	return secret, nil
}

// Key returns the key of a patient, also one that has ended; nil for none.
func (a *Accounts) Key(ctx context.Context, patient string) (*Token, error) {
	tokens, err := a.Store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the keys: %w", err)
	}
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == keyID(patient) })
	if i < 0 {
		return nil, nil
	}
	return &tokens[i], nil
}

// EndKey ends the key of a patient at once. Without one it does nothing.
func (a *Accounts) EndKey(ctx context.Context, patient string) error {
	key, err := a.Key(ctx, patient)
	if err != nil || key == nil || !key.Revoked.IsZero() {
		return err
	}
	key.Revoked = a.Now().UTC()
	return a.Store.SaveToken(ctx, key)
}

// Proof is what a browser keeps of a date of birth beside the secret of a key: it proves
// the date for that secret alone, and does not tell it.
func Proof(secret, born string) string {
	sum := sha256.Sum256([]byte("vigie own entry\x00" + secret + "\x00" + born))
	return hex.EncodeToString(sum[:])
}

// Own is the patient whose key is shown with a proof of the date of birth; ErrNotFound for
// a key that holds no more and for a wrong proof, which cannot be told apart. Errors are of
// type *Refused where somebody has to wait. born returns the date of birth of a patient,
// empty where none is known: then nobody gets in.
func (a *Accounts) Own(ctx context.Context, secret, proof, address string, born func(ctx context.Context, patient string) (string, error)) (Who, error) {
	now := a.Now().UTC()
	key, err := a.Store.TokenByDigest(ctx, digest(secret))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Who{}, fmt.Errorf("find the key of a patient: %w", err)
	}
	if err != nil || key.Patient == "" || !key.Holds(now) {
		return Who{}, ErrNotFound
	}
	date, err := born(ctx, key.Patient)
	if err != nil {
		return Who{}, err
	}
	if strings.TrimSpace(date) != "" && subtle.ConstantTimeCompare([]byte(proof), []byte(Proof(secret, date))) == 1 {
		if key.Wrong > 0 {
			key.Wrong = 0
			if err := a.Store.SaveToken(ctx, key); err != nil {
				return Who{}, err
			}
		}
		return Who{Token: key.ID, Name: "patient " + key.Patient, From: address, Own: key.Patient}, nil
	}
	if key.Wrong++; key.Wrong >= mostWrong {
		key.Revoked = now
		a.Log.Warn("the key of a patient has ended: too many wrong dates of birth", "from", address)
	}
	if err := a.Store.SaveToken(ctx, key); err != nil {
		return Who{}, fmt.Errorf("count a wrong date of birth: %w", err)
	}
	return Who{}, ErrNotFound
}
