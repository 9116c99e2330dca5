package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Change gives an account another name, other roles and other teams. Version is that of
// the account as the administrator saw it. Errors are of type *Refused when it cannot be
// kept, or when somebody else has changed it since.
func (a *Accounts) Change(ctx context.Context, id string, version int64, name string, roles []Role, teams []string) error {
	account, err := a.Store.Account(ctx, id)
	if err != nil {
		return err
	}
	if who := From(ctx); who.Account == id && !slices.Contains(roles, Administrator) && slices.Contains(account.Roles, Administrator) {
		return refuse(BadAccount, "Vous ne pouvez pas vous retirer le rôle d'administrateur : demandez-le à un autre.",
			"You cannot take the role of administrator from yourself: ask another one.")
	}
	account.Name, account.Roles, account.Teams = strings.TrimSpace(name), roles, teams
	known, err := a.Teams(ctx)
	if err != nil {
		return fmt.Errorf("read the care teams: %w", err)
	}
	if err := account.Check(known); err != nil {
		return err
	}
	account.Version = version
	err = a.save(ctx, account)
	if errors.Is(err, ErrConflict) {
		return changedSince()
	}
	if err != nil {
		return err
	}
	a.Log.Info("account changed", "account", id)
	a.note(ctx, "account-change", id)
	return nil
}

func changedSince() *Refused {
	return refuse(ChangedSince, "Quelqu'un d'autre a modifié ce compte depuis : relisez-le, puis recommencez.",
		"Somebody else has changed this account since: read it again, then try once more.")
}

// EndAll ends all sessions of an account.
func (a *Accounts) EndAll(ctx context.Context, id string) error {
	if err := a.Store.EndSessions(ctx, id, ""); err != nil {
		return fmt.Errorf("end the sessions of an account: %w", err)
	}
	a.note(ctx, "sessions-end", id)
	return nil
}
