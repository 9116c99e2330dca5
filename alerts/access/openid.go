package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access/openid"
)

// A person may sign in at an OpenID Connect provider instead of with a password. The provider
// says which national identifier the person has; the account that an administrator gave this
// identifier is theirs. At the first sign-in the account is bound to the provider's own name
// for the person, and to no other from then on.
//
// The question carries its own end and a mark, as a challenge does. Its nonce and the secret
// of PKCE come from what the browser alone keeps, under the key of all nodes: asking writes
// nothing, and any node may take the answer.

// signingIn is how long somebody may take to sign in at the provider.
const signingIn = 15 * time.Minute

// mostAway is how many exchanges with the provider run at once. Each takes seconds at most.
const mostAway = 16

// Elsewhere is the name of where people may sign in instead; empty for nowhere.
func (a *Accounts) Elsewhere() string {
	if a.OpenID == nil {
		return ""
	}
	return a.OpenID.Name
}

// AskElsewhere returns the address at which somebody signs in at the provider. attempt is
// what that browser alone keeps meanwhile. Errors are of type *Refused.
func (a *Accounts) AskElsewhere(ctx context.Context, attempt string) (string, error) {
	if a.OpenID == nil || attempt == "" {
		return "", noProvider()
	}
	made, err := a.seal(ctx, elsewhere, attempt, signingIn)
	if err != nil {
		return "", err
	}
	question, err := a.question(ctx, attempt, made)
	if err != nil {
		return "", err
	}
	address, err := a.OpenID.Ask(ctx, question)
	if err != nil {
		return "", a.refuseElsewhere(err, "")
	}
	return address, nil
}

// question is what ties the answer of the provider to a browser.
func (a *Accounts) question(ctx context.Context, attempt string, made []byte) (q openid.Attempt, err error) {
	q.State = base64.RawURLEncoding.EncodeToString(made)
	for act, into := range map[string]*string{"nonce": &q.Nonce, "verifier": &q.Verifier} {
		mark, err := a.mark(ctx, elsewhere+" "+act, attempt, made)
		if err != nil {
			return q, err
		}
		*into = base64.RawURLEncoding.EncodeToString(mark)
	}
	return q, nil
}

// Came is who came back from the provider.
type Came struct {
	Secret  string // what the browser keeps
	Session *Session
	Hint    string // what the provider takes as a hint of who leaves, see LeaveElsewhere
}

// ComeBack opens a session for who comes back from the provider. Where the person practises at
// several places the session leads nowhere until ChoosePlace. Errors are of type *Refused.
func (a *Accounts) ComeBack(ctx context.Context, attempt, state string, answer openid.Answer, address, browser string) (*Came, error) {
	if a.OpenID == nil {
		return nil, noProvider()
	}
	made, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		return nil, a.staleElsewhere()
	}
	until, ok, err := a.sealed(ctx, elsewhere, attempt, made)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, a.staleElsewhere()
	}
	person, err := a.signedIn(ctx, attempt, made, until, answer, address)
	if err != nil {
		return nil, err
	}
	account, err := a.owner(ctx, person)
	if err != nil {
		return nil, err
	}
	now := a.Now().UTC()
	came := &Came{Secret: rand.Text(), Hint: person.Token}
	came.Session = &Session{
		ID: digest(came.Secret), Account: account.ID, Created: now, Seen: now, Address: address, Browser: cut(browser, longestBrowser), Provider: person.Issuer, Authenticated: person.Authenticated,
	}
	switch places := legible(person.Places); len(places) {
	case 0:
	case 1:
		came.Session.Place = &places[0]
	default:
		came.Session.Places = places
		if err := a.Store.SaveSession(ctx, came.Session); err != nil {
			return nil, fmt.Errorf("keep a session: %w", err)
		}
		return came, nil
	}
	return came, a.prove(ctx, account, came.Session)
}

// signedIn uses a question up and asks the provider who answered it. Who sends answers that
// the provider does not take waits, as who guesses does.
func (a *Accounts) signedIn(ctx context.Context, attempt string, made []byte, until time.Time, answer openid.Answer, address string) (*openid.Person, error) {
	key := elsewhere + "/" + address
	if wait := a.addresses.Count(key, a.Now()); wait > 0 {
		return nil, tooMany(wait)
	}
	select {
	case a.away <- struct{}{}:
		defer func() { <-a.away }()
	default:
		a.addresses.Right(key)
		return nil, tooMany(time.Second)
	}
	if err := a.spendMade(ctx, made, until); err != nil {
		return nil, a.staleOr(err)
	}
	question, err := a.question(ctx, attempt, made)
	if err != nil {
		return nil, err
	}
	person, err := a.OpenID.Person(ctx, answer, question)
	if err != nil {
		if down := new(openid.Fault); errors.As(err, &down) && (down.Kind == openid.Down || down.Kind == openid.Refused) {
			a.addresses.Right(key) // not the person's fault
		}
		return nil, a.refuseElsewhere(err, address)
	}
	a.addresses.Right(key)
	return person, nil
}

// owner is the account of who signed in at the provider. What is unknown or in doubt is
// refused.
func (a *Accounts) owner(ctx context.Context, person *openid.Person) (*Account, error) {
	accounts, err := a.Store.Accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	identifier, known := parseBare(person.Identifier)
	if !known {
		return nil, a.nobody(ctx, "the provider gives no national identifier that is known", "", refuse(UnknownPerson,
			a.OpenID.Name+" ne donne pas votre identifiant national (RPPS) : entrez avec votre mot de passe, et prévenez l'administrateur.",
			a.OpenID.Name+" does not give your national identifier (RPPS): enter with your password, and tell the administrator."))
	}
	var owner, former *Account
	now := a.Now()
	for i := range accounts {
		account := &accounts[i]
		switch {
		case !account.Active(now):
			if account.identified(identifier) {
				former = account
			}
		case account.identified(identifier) && owner != nil:
			return nil, a.nobody(ctx, "two accounts have the identifier", owner.ID, twoOwners())
		case account.identified(identifier):
			owner = account
		case account.boundTo(person):
			return nil, a.nobody(ctx, "the account that is bound to the person has another identifier", account.ID, anotherBound())
		}
	}
	switch {
	case owner == nil && former != nil:
		return nil, a.nobody(ctx, "the account is disabled", former.ID, refuse(UnknownPerson,
			"Votre compte est désactivé : demandez à l'administrateur.", "Your account is disabled: ask the administrator."))
	case owner == nil:
		return nil, a.nobody(ctx, "no account has the identifier", "", refuse(UnknownPerson,
			fmt.Sprintf("Aucun compte ne porte votre identifiant national (%s) : demandez à l'administrateur de l'inscrire sur le vôtre.", identifier.Value),
			fmt.Sprintf("No account has your national identifier (%s): ask the administrator to add it to yours.", identifier.Value)))
	}
	return owner, a.bind(ctx, owner, person)
}

// bind binds an account to who its owner is at the provider, at the first sign-in.
func (a *Accounts) bind(ctx context.Context, account *Account, person *openid.Person) error {
	if account.boundTo(person) {
		return nil
	}
	if slices.ContainsFunc(account.Bound, func(b Binding) bool { return b.Issuer == person.Issuer }) {
		return a.nobody(ctx, "the account is bound to another person of the provider", account.ID, anotherBound())
	}
	account.Bound = append(account.Bound, Binding{person.Issuer, person.Subject, a.Now().UTC()})
	err := a.save(ctx, account)
	if errors.Is(err, ErrConflict) {
		return refuse(ProviderWrong, "Votre compte vient de changer : recommencez.", "Your account has just changed: begin again.")
	}
	if err != nil {
		return err
	}
	a.Log.Info("account bound to an OpenID Connect provider", "account", account.ID)
	a.trace(ctx, Who{Account: account.ID, Name: account.Name, Roles: account.Roles}, "openid-bind", account.ID, "", a.OpenID.Name)
	return nil
}

// boundTo reports whether an account is of that person of the provider.
func (a *Account) boundTo(person *openid.Person) bool {
	return slices.ContainsFunc(a.Bound, func(b Binding) bool { return b.Issuer == person.Issuer && b.Subject == person.Subject })
}

// nobody logs why somebody whom the provider knows is not let in. Where an account is meant
// the trail has it too.
func (a *Accounts) nobody(ctx context.Context, reason, account string, refused *Refused) *Refused {
	a.Log.Warn("sign-in elsewhere refused", "account", account, "reason", reason)
	if account != "" {
		a.trace(ctx, Who{Account: account}, "openid-refused", account, "", reason)
	}
	return refused
}

// ChoosePlace says where somebody practises in a session, and proves it. Errors are of type
// *Refused.
func (a *Accounts) ChoosePlace(ctx context.Context, session *Session, id string) error {
	i := slices.IndexFunc(session.Places, func(p openid.Place) bool { return p.ID == id })
	if i < 0 {
		return badPlace()
	}
	account, err := a.Store.Account(ctx, session.Account)
	if err != nil {
		return fmt.Errorf("find an account: %w", err)
	}
	place := session.Places[i]
	session.Place, session.Places = &place, nil
	return a.prove(ctx, account, session)
}

// LeaveElsewhere returns the address at which somebody leaves the provider too; empty where
// there is none.
func (a *Accounts) LeaveElsewhere(ctx context.Context, hint string) string {
	if a.OpenID == nil {
		return ""
	}
	return a.OpenID.Leave(ctx, hint)
}

// way is by which way a session was opened, for the trail; empty for a password or a passkey.
func (a *Accounts) way(session *Session) string {
	if session.Provider == "" {
		return ""
	}
	way := session.Provider
	if a.OpenID != nil && a.OpenID.Issuer == session.Provider {
		way = a.OpenID.Name
	}
	if session.Place != nil {
		way += ", " + session.Place.Title()
	}
	return way
}

// legible are places as they are kept and shown.
func legible(places []openid.Place) (list []openid.Place) {
	for _, p := range places {
		p.ID, p.Name = cut(p.ID, longestName), strings.TrimSpace(cut(p.Name, longestName))
		if p.ID != "" {
			list = append(list, p)
		}
	}
	return list
}

// refuseElsewhere logs why nobody was signed in, and says what to do.
func (a *Accounts) refuseElsewhere(err error, address string) error {
	fault := new(openid.Fault)
	if !errors.As(err, &fault) {
		return err
	}
	a.Log.Warn("sign-in elsewhere refused", "from", address, "kind", fault.Kind, "reason", fault.Reason)
	name := a.OpenID.Name
	switch fault.Kind {
	case openid.Down:
		return refuse(ProviderDown, name+" ne répond pas : réessayez dans un instant, ou entrez avec votre mot de passe.",
			name+" does not answer: try again in a moment, or enter with your password.")
	case openid.Setup:
		return refuse(ProviderDown, name+" et Vigie ne s'entendent pas : prévenez l'exploitant. Vous pouvez entrer avec votre mot de passe.",
			name+" and Vigie do not agree: tell the operator. You can enter with your password.")
	case openid.Spent:
		return refuse(ProviderWrong, name+" n'accepte plus cette réponse : recommencez.", name+" does not take this answer any more: begin again.")
	case openid.Weak:
		return refuse(ProviderWrong, name+" ne vous a pas identifié assez fortement : recommencez en vous identifiant plus fortement, par une carte ou une application que ce service propose.",
			name+" has not identified you strongly enough: begin again by a stronger way, with a card or an app that it offers.")
	case openid.Refused:
		return refuse(ProviderWrong, name+" ne vous a pas identifié : recommencez, ou entrez avec votre mot de passe.",
			name+" has not identified you: begin again, or enter with your password.")
	}
	return refuse(ProviderWrong, "La réponse de "+name+" n'est pas valable : recommencez. Si cela se répète, prévenez l'administrateur.",
		"The answer of "+name+" is not valid: begin again. Should it happen again, tell the administrator.")
}

func (a *Accounts) staleElsewhere() *Refused {
	return refuse(ProviderWrong, "Cette connexion a expiré, a déjà servi, ou a commencé dans un autre navigateur : recommencez.",
		"This login is over, was used before, or began in another browser: begin again.")
}

// staleOr is staleElsewhere for a question that was used before.
func (a *Accounts) staleOr(err error) error {
	if refused := new(Refused); errors.As(err, &refused) {
		return a.staleElsewhere()
	}
	return err
}

func noProvider() *Refused {
	return refuse(ProviderDown, "On n'entre ici qu'avec un compte de Vigie.", "One enters here with an account of Vigie only.")
}

func badPlace() *Refused {
	return refuse(BadPlace, "Dites d'abord où vous exercez aujourd'hui.", "Say first where you practise today.")
}

func twoOwners() *Refused {
	return refuse(UnknownPerson, "Deux comptes portent votre identifiant national : demandez à l'administrateur d'en corriger un.",
		"Two accounts have your national identifier: ask the administrator to correct one of them.")
}

func anotherBound() *Refused {
	return refuse(UnknownPerson, "Votre compte est lié à une autre identité : demandez à l'administrateur de la vérifier.",
		"Your account is bound to another identity: ask the administrator to check it.")
}

// unique refuses an account with the national identifier of another one that is in use.
func (a *Accounts) unique(ctx context.Context, account *Account) error {
	if len(account.Identifiers) == 0 {
		return nil
	}
	others, err := a.Store.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("list the accounts: %w", err)
	}
	for i := range others {
		other := &others[i]
		if other.ID != account.ID && other.Active(a.Now()) && slices.ContainsFunc(account.Identifiers, other.identified) {
			return refuse(BadIdentifier, fmt.Sprintf("Le compte « %s » porte déjà cet identifiant national.", other.Login),
				fmt.Sprintf("The account “%s” has this national identifier already.", other.Login))
		}
	}
	return nil
}

// Identify gives an account other national identifiers, and frees it from who its owner was
// at providers: the next sign-in there binds it anew. Its sessions end. Errors are of type
// *Refused.
func (a *Accounts) Identify(ctx context.Context, login string, identifiers []Identifier) error {
	account, err := a.find(ctx, login)
	if err != nil {
		return err
	}
	return a.identify(ctx, account, identifiers)
}

// IdentifyAt is Identify of an account as an administrator saw it: it is refused when
// somebody else has changed it since.
func (a *Accounts) IdentifyAt(ctx context.Context, id string, version int64, identifiers []Identifier) error {
	account, err := a.Store.Account(ctx, id)
	if err != nil {
		return fmt.Errorf("find an account: %w", err)
	}
	account.Version = version
	return a.identify(ctx, account, identifiers)
}

func (a *Accounts) identify(ctx context.Context, account *Account, identifiers []Identifier) error {
	account.Identifiers, account.Bound = identifiers, nil
	if err := a.unique(ctx, account); err != nil {
		return err
	}
	err := a.save(ctx, account)
	if errors.Is(err, ErrConflict) {
		return changedSince()
	}
	if err != nil {
		return err
	}
	a.Log.Info("national identifiers changed", "account", account.ID)
	a.note(ctx, "account-identifier", account.ID)
	// Whoever the former identifier let in is somebody else.
	return a.Store.EndSessions(ctx, account.ID, "")
}
