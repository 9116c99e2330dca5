package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Program is who asks with a token; ErrNotFound when it is nobody's, or has ended.
func (a *Accounts) Program(ctx context.Context, secret, address string) (Who, error) {
	now := a.Now().UTC()
	token, err := a.Store.TokenByDigest(ctx, digest(secret))
	if errors.Is(err, ErrNotFound) || err == nil && (!token.Holds(now) || token.Patient != "") {
		return Who{}, ErrNotFound
	}
	if err != nil {
		return Who{}, fmt.Errorf("find a token: %w", err)
	}
	owner, err := a.Store.Account(ctx, token.Owner)
	if err != nil {
		return Who{}, fmt.Errorf("find the owner of a token: %w", err)
	}
	if !owner.Active(now) {
		return Who{}, ErrNotFound
	}
	who := token.who(owner)
	who.From = address
	return who, nil
}

// Tokens lists those of programs, newest first.
func (a *Accounts) Tokens(ctx context.Context) ([]Token, error) {
	tokens, err := a.Store.Tokens(ctx)
	return slices.DeleteFunc(tokens, func(t Token) bool { return t.Patient != "" }), err
}

// Give makes a token for a program and returns its secret, which is shown once.
func (a *Accounts) Give(ctx context.Context, owner string, token Token) (secret string, err error) {
	account, err := a.find(ctx, owner)
	if err != nil {
		return "", err
	}
	now := a.Now().UTC()
	token.ID, token.Owner, token.Created, token.Revoked = newID(), account.ID, now, time.Time{}
	if err := token.check(account, now); err != nil {
		return "", err
	}
	secret = "vigie_" + rand.Text()
	token.Digest = digest(secret)
	if err := a.Store.SaveToken(ctx, &token); err != nil {
		return "", fmt.Errorf("keep a token: %w", err)
	}
	a.Log.Info("token given", "token", token.ID, "owner", account.ID)
	a.note(ctx, "token-give", token.ID)
	return secret, nil
}

// Revoke ends a token at once.
func (a *Accounts) Revoke(ctx context.Context, id string) error {
	tokens, err := a.Tokens(ctx)
	if err != nil {
		return fmt.Errorf("list the tokens: %w", err)
	}
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id })
	if i < 0 {
		return refuse(BadToken, "Aucun jeton ne porte cette référence.", "There is no token with this reference.")
	}
	if tokens[i].Revoked.IsZero() {
		tokens[i].Revoked = a.Now().UTC()
	}
	if err := a.Store.SaveToken(ctx, &tokens[i]); err != nil {
		return err
	}
	a.note(ctx, "token-revoke", id)
	return nil
}
