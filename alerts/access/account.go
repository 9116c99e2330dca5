package access

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/protocols"
)

// Account is a person who may log in.
type Account struct {
	ID          string       `json:"id"`
	Login       string       `json:"login"` // lower case; what is typed at the login
	Name        string       `json:"name"`  // as acts are signed: "Claire Aubry"
	Roles       []Role       `json:"roles"`
	Teams       []string     `json:"teams,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"` // national ones, typed
	Created     time.Time    `json:"created"`
	Disabled    time.Time    `json:"disabled,omitzero"`  // since when nobody gets in
	Password    string       `json:"password,omitempty"` // argon2id, in its usual text form; empty until chosen
	Code        *CodeFactor  `json:"code,omitempty"`     // one-time password; nil until set up
	Recovery    []string     `json:"recovery,omitempty"` // digests of unused recovery codes
	Link        *Link        `json:"link,omitempty"`     // a one-time way in: to choose a password
	Devices     []string     `json:"devices,omitempty"`  // digests of what browsers keep from which the account was logged in; newest last
	Bound       []Binding    `json:"bound,omitempty"`    // who the owner is at OpenID Connect providers
	Version     int64        `json:"-"`                  // counts the changes, see Store.SaveAccount
}

// Binding is who the owner of an account is at an OpenID Connect provider, since the first
// sign-in there.
type Binding struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`
	Since   time.Time `json:"since"`
}

// CodeFactor is a one-time password after RFC 6238: 6 digits, 30 s, SHA-1.
type CodeFactor struct {
	Secret string `json:"secret"`         // base32 without padding
	Step   int64  `json:"step,omitempty"` // of the last code that was taken: none is taken twice
}

// Link lets the owner of an account in once, to choose a password.
type Link struct {
	Digest string    `json:"digest"` // SHA-256 of what stands in the link
	Until  time.Time `json:"until"`
}

// Identifier is a national identifier of a professional. Value is kept as given.
type Identifier struct {
	Type  string `json:"type"` // one of IdentifierTypes
	Value string `json:"value"`
}

// The types of identifiers.
const (
	RPPS    = "RPPS"  // 11 digits: répertoire partagé des professionnels de santé
	IDNPS   = "IDNPS" // "8" and the RPPS
	Sandbox = "ANS"   // of the Agence du Numérique en Santé's sandbox: "ANS…"
)

var identifierForms = []struct {
	kind string
	form *regexp.Regexp
	hint protocols.Text
}{
	{RPPS, regexp.MustCompile(`^[0-9]{11}$`), protocols.Text{FR: "un RPPS a 11 chiffres", EN: "an RPPS has 11 digits"}},
	{IDNPS, regexp.MustCompile(`^8[0-9]{11}$`), protocols.Text{FR: "un IDNPS est un 8 suivi des 11 chiffres du RPPS", EN: "an IDNPS is an 8 followed by the 11 digits of the RPPS"}},
	{Sandbox, regexp.MustCompile(`^ANS[0-9A-Za-z]{1,29}$`), protocols.Text{FR: "une identité du bac à sable commence par ANS", EN: "a sandbox identity begins with ANS"}},
}

// ParseIdentifier reads "RPPS:10101010101". Errors are of type *Refused.
func ParseIdentifier(text string) (Identifier, error) {
	kind, value, _ := strings.Cut(text, ":")
	for _, known := range identifierForms {
		if known.kind != kind {
			continue
		}
		if !known.form.MatchString(value) {
			return Identifier{}, refuse(BadIdentifier, known.hint.FR+".", known.hint.EN+".")
		}
		return Identifier{kind, value}, nil
	}
	return Identifier{}, refuse(BadIdentifier,
		fmt.Sprintf("« %s » n'est pas un identifiant national : écrivez RPPS:10101010101, IDNPS:8… ou ANS:ANS….", printable(text)),
		fmt.Sprintf("“%s” is no national identifier: write RPPS:10101010101, IDNPS:8… or ANS:ANS….", printable(text)))
}

// parseBare reads a national identifier that comes without its type.
func parseBare(value string) (Identifier, bool) {
	for _, known := range identifierForms {
		if known.form.MatchString(value) {
			return Identifier{known.kind, value}, true
		}
	}
	return Identifier{}, false
}

// Same reports whether two identifiers are of one person: an IDNPS holds the RPPS.
func (i Identifier) Same(other Identifier) bool { return i.plain() == other.plain() }

func (i Identifier) plain() Identifier {
	if i.Type == IDNPS {
		return Identifier{RPPS, strings.TrimPrefix(i.Value, "8")}
	}
	return i
}

// identified reports whether an account has an identifier.
func (a *Account) identified(identifier Identifier) bool {
	return slices.ContainsFunc(a.Identifiers, identifier.Same)
}

// Doubtful reports whether the check digit (Luhn) of an identifier does not fit. It
// is a warning only: national examples do not all satisfy it.
func (i Identifier) Doubtful() bool {
	if i.Type != RPPS && i.Type != IDNPS {
		return false
	}
	sum := 0
	for place := range len(i.Value) {
		digit := int(i.Value[len(i.Value)-1-place] - '0')
		if place%2 == 1 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return sum%10 != 0
}

// Active reports whether the account may be used at that time.
func (a *Account) Active(now time.Time) bool { return a.Disabled.IsZero() || now.Before(a.Disabled) }

// How long what stands in an account may be, in characters.
const (
	longestLogin = 100
	longestName  = 200
)

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]*$`)

// Normalise brings a login to the form in which it is kept and compared.
func Normalise(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// Check returns why an account cannot be kept, nil when it can. teams lists the
// care teams that exist.
func (a *Account) Check(teams []string) error {
	if !loginForm.MatchString(a.Login) || len(a.Login) > longestLogin {
		return refuse(BadAccount,
			"Identifiant de connexion : lettres sans accent, chiffres et . _ @ + -, 100 caractères au plus.",
			"Login: letters without accents, digits and . _ @ + -, at most 100 characters.")
	}
	if name := strings.TrimSpace(a.Name); name == "" || utf8.RuneCountInString(name) > longestName || strings.ContainsFunc(name, protocols.Unprintable) {
		return refuse(BadAccount, "Donnez le nom qui signera les actes, en 200 caractères au plus.", "Give the name that will sign acts, in at most 200 characters.")
	}
	if len(a.Roles) == 0 {
		return refuse(BadAccount, "Donnez au moins un rôle.", "Give at least one role.")
	}
	for _, role := range a.Roles {
		info, ok := role.Info()
		if !ok {
			return refuse(BadAccount,
				fmt.Sprintf("Le rôle « %s » n'existe pas : %s.", printable(string(role)), roleNames()),
				fmt.Sprintf("There is no role “%s”: %s.", printable(string(role)), roleNames()))
		}
		if info.InTeams && len(a.Teams) == 0 {
			return refuse(BadAccount,
				fmt.Sprintf("Le rôle « %s » s'exerce dans une équipe : donnez-en une.", info.Title.FR),
				fmt.Sprintf("The role “%s” is held in a care team: give one.", info.Title.EN))
		}
	}
	for _, team := range a.Teams {
		if !slices.Contains(teams, team) {
			return refuse(BadAccount,
				fmt.Sprintf("L'équipe « %s » n'est pas au registre.", printable(team)),
				fmt.Sprintf("The team “%s” is not in the registry.", printable(team)))
		}
	}
	return nil
}

func roleNames() string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role.ID)
	}
	return strings.Join(names, ", ")
}

// printable is a text without characters that people cannot read, cut short.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if protocols.Unprintable(r) {
			return '·'
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return text
}
