package access

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// Token lets one program in. What it may do is the least of its scopes, of its
// teams and of what its owner may.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner"` // id of an account
	Scopes  []Right   `json:"scopes"`
	Teams   []string  `json:"teams,omitempty"` // empty: all of its owner's
	Created time.Time `json:"created"`
	Until   time.Time `json:"until"`
	Revoked time.Time `json:"revoked,omitzero"`
	Digest  string    `json:"-"` // of the secret, the only thing kept of it
	// Patient says that it is no token of a program but this patient's key for his own
	// readings. Wrong counts the wrong dates of birth shown with it in a row.
	Patient string `json:"patient,omitempty"`
	Wrong   int    `json:"wrong,omitempty"`
}

// Holds reports whether the token may be used at that time.
func (t *Token) Holds(now time.Time) bool {
	return now.Before(t.Until) && (t.Revoked.IsZero() || now.Before(t.Revoked))
}

// longestToken is how long a token may be given for.
const longestToken = 400 * 24 * time.Hour

// check returns why a token cannot be given, nil when it can.
func (t *Token) check(owner *Account, now time.Time) error {
	if strings.TrimSpace(t.Name) == "" || len(t.Name) > longestName || strings.ContainsFunc(t.Name, protocols.Unprintable) {
		return refuse(BadToken, "Donnez un nom au jeton, qui dit à quoi il sert.", "Give the token a name that says what it is for.")
	}
	if len(t.Scopes) == 0 {
		return refuse(BadToken, "Dites ce que le jeton permet.", "Say what the token allows.")
	}
	who := Who{Account: owner.ID, Roles: owner.Roles, Teams: owner.Teams}
	for _, scope := range t.Scopes {
		if !who.May(scope) {
			return refuse(BadToken,
				fmt.Sprintf("« %s » : son propriétaire n'a pas ce droit.", printable(string(scope))),
				fmt.Sprintf("“%s”: its owner does not have that right.", printable(string(scope))))
		}
	}
	for _, team := range t.Teams {
		if !slices.Contains(owner.Teams, team) {
			return refuse(BadToken,
				fmt.Sprintf("Équipe « %s » : son propriétaire n'en fait pas partie.", printable(team)),
				fmt.Sprintf("Team “%s”: its owner does not belong to it.", printable(team)))
		}
	}
	if !t.Until.After(now) || t.Until.After(now.Add(longestToken)) {
		return refuse(BadToken, "Un jeton a une fin, dans 400 jours au plus.", "A token has an end, in at most 400 days.")
	}
	return nil
}

// who is the program that shows the token.
func (t *Token) who(owner *Account) Who {
	teams := slices.Clone(owner.Teams)
	if len(t.Teams) > 0 {
		teams = slices.DeleteFunc(teams, func(team string) bool { return !slices.Contains(t.Teams, team) })
	}
	return Who{
		Account: owner.ID, Token: t.ID, Name: t.Name + " (" + owner.Name + ")",
		Roles: slices.Clone(owner.Roles), Teams: teams, Scopes: slices.Clone(t.Scopes),
	}
}

// Grant is a look at a patient of another team, for a reason that the team is told.
type Grant struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Patient string    `json:"patient"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until"`
}

// glassOpen is how long a broken glass stays open.
const glassOpen = 4 * time.Hour

// Holds reports whether the look is still allowed.
func (g Grant) Holds(now time.Time) bool { return !now.Before(g.At) && now.Before(g.Until) }
