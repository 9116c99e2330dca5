package access

import (
	"context"
	"slices"
	"time"
)

// Who is who asks, for the time of one request. The zero value may do nothing.
type Who struct {
	Account   string    // id of the account; of a token, its owner's
	Name      string    // as acts are signed and pages greet
	Token     string    // id of the token that a program showed; empty for a person
	Session   string    // id of the login; empty for a program
	Roles     []Role    // of the account
	Teams     []string  // of the account; of a token, those it is limited to
	Scopes    []Right   // of a token: nothing beyond; nil for a person
	Grants    []Grant   // glasses broken and not yet closed
	From      string    // address of the request
	Since     time.Time // when the person logged in; zero for a program
	Own       string    // the patient who asks, about himself alone; see Accounts.Own
	everyTeam bool      // the service's own programs
}

// Known reports whether anybody asks at all.
func (w Who) Known() bool { return w.Account != "" || w.Token != "" }

// May reports whether a right is held for some team.
func (w Who) May(right Right) bool {
	if w.Scopes != nil && !slices.Contains(w.Scopes, right) {
		return false
	}
	if w.everyTeam {
		return true
	}
	return slices.ContainsFunc(w.Roles, func(role Role) bool {
		info, _ := role.Info()
		return slices.Contains(info.Rights, right) && (!info.InTeams || len(w.Teams) > 0)
	})
}

// MayIn reports whether a right is held in a team. What no team is in charge of
// (an empty team) is everybody's who holds the right, so that nothing is seen by
// nobody. A role that is not held in teams, as that of an administrator, gives its
// rights in all of them, unless the account or the token names teams.
func (w Who) MayIn(right Right, team string) bool {
	if !w.May(right) {
		return false
	}
	return w.everyTeam || team == "" || slices.Contains(w.Teams, team) || len(w.Teams) == 0 && w.mayOutside(right)
}

// mayOutside reports whether a role that is not held in teams gives a right.
func (w Who) mayOutside(right Right) bool {
	return slices.ContainsFunc(w.Roles, func(role Role) bool {
		info, known := role.Info()
		return known && !info.InTeams && slices.Contains(info.Rights, right)
	})
}

// Everywhere reports whether a right is held by a role that is bound to no team.
func (w Who) Everywhere(right Right) bool {
	if !w.May(right) {
		return false
	}
	return w.everyTeam || slices.ContainsFunc(w.Roles, func(role Role) bool {
		info, _ := role.Info()
		return !info.InTeams && slices.Contains(info.Rights, right)
	})
}

// MayFor reports whether a right is held for a patient whom those teams follow: by
// one of the teams, or to see by a broken glass that still holds. A patient holds those of
// his own pages, for himself.
func (w Who) MayFor(right Right, patient string, teams []string, now time.Time) bool {
	if w.Own != "" {
		return patient == w.Own && slices.Contains(ownRights, right)
	}
	if len(teams) == 0 && w.MayIn(right, "") {
		return true
	}
	if slices.ContainsFunc(teams, func(team string) bool { return w.MayIn(right, team) }) {
		return true
	}
	if !slices.Contains(throughGlass, right) || !w.May(right) {
		return false
	}
	return slices.ContainsFunc(w.Grants, func(g Grant) bool { return g.Patient == patient && g.Holds(now) })
}

// throughGlass are the rights that breaking the glass gives for one patient.
var throughGlass = []Right{SeePatients, SeeIdentity, Act, EnterReadings}

// MayEverywhere reports whether a right is held for every team at once: by a role that is
// not held in teams, or by the service's own programs.
func (w Who) MayEverywhere(right Right) bool {
	if !w.May(right) {
		return false
	}
	limited := w.Token != "" && len(w.Teams) > 0
	return w.everyTeam || !limited && slices.ContainsFunc(w.Roles, func(role Role) bool {
		info, _ := role.Info()
		return !info.InTeams && slices.Contains(info.Rights, right)
	})
}

// AllTeams reports whether no list has to be narrowed to teams.
func (w Who) AllTeams() bool { return w.everyTeam }

// Program is who asks in the name of the operator's configuration: a program that
// sees every team, with those scopes.
func Program(name string, scopes []Right) Who {
	return Who{Token: name, Name: name, Scopes: slices.Clone(scopes), everyTeam: true}
}

type whoKey struct{}

// With puts who asks into a context.
func With(ctx context.Context, who Who) context.Context { return context.WithValue(ctx, whoKey{}, who) }

// From returns who asks in a context; the zero Who, who may do nothing, when nobody does.
func From(ctx context.Context) Who {
	who, _ := ctx.Value(whoKey{}).(Who)
	return who
}
