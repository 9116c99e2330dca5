package access

import (
	"time"

	"vigie/protocols"
)

// Code names one reason for a refusal. Codes are stable: programs act on them.
type Code string

// The codes.
const (
	WrongLogin    Code = "wrong-login"    // no such account, or another password or code: never said which
	TooManyTries  Code = "too-many-tries" // wait, see Refused.Wait
	WeakPassword  Code = "weak-password"
	BadAccount    Code = "bad-account"
	ChangedSince  Code = "account-changed" // by somebody else, since it was read
	BadIdentifier Code = "bad-identifier"
	LoginTaken    Code = "login-taken"
	LinkOver      Code = "link-over" // used before, or too old
	NotYours      Code = "not-allowed"
	NoReason      Code = "no-reason"
	Blocked       Code = "glass-blocked" // the patient has refused that anybody else looks
	BadToken      Code = "bad-token"
	WrongPasskey  Code = "wrong-passkey"
	ShowAgain     Code = "show-again"     // both factors, see Accounts.Show
	ProviderDown  Code = "provider-down"  // the OpenID Connect provider does not answer
	ProviderWrong Code = "provider-wrong" // it answered, and nobody was signed in by that
	UnknownPerson Code = "unknown-person" // signed in there, and no account is theirs here
	BadPlace      Code = "bad-place"      // of practice: not one of those to choose from
)

// Refused is what cannot be done, in a sentence for the person who tried.
type Refused struct {
	Code Code
	Text protocols.Text
	Wait time.Duration // of TooManyTries: how long
}

// Error returns the English sentence.
func (r *Refused) Error() string { return r.Text.In("en") }

func refuse(code Code, fr, en string) *Refused {
	return &Refused{Code: code, Text: protocols.Text{FR: fr, EN: en}}
}
