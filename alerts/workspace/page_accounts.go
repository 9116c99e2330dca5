package workspace

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
)

var errNoAccount = refuse(alerts.Unknown, "Aucun compte ne porte cette référence.", "There is no account with this reference.")

// accountsView is the page of all accounts, with the roles there are.
type accountsView struct {
	view
	Accounts []accountRow
	Roles    []roleRow
	Offered  []choice // roles
	Teams    []choice
	Login    string
	Name     string
	Error    string
	Link     string // of a new account, shown once
	For      string // whose link it is
}

type accountRow struct {
	ID, Name, Login, Roles, Teams, State string
	Off                                  bool
}

// roleRow is a role with its rights, in words.
type roleRow struct{ Title, Rights string }

// accountEditView is the page of one account.
type accountEditView struct {
	view
	Account  access.Account
	Own      bool
	State    string
	Offered  []choice
	Teams    []choice
	Sessions []sessionRow
	Tokens   []tokenRow
	Scopes   []choice
	Until    string // the end that a new token is offered
	Typed    string // national identifiers, as they are typed
	Bound    string // since when the owner is known at an OpenID Connect provider, and as whom
	Provider string // what another identifier does at the OpenID Connect provider, where there is one
	Error    string
	Secret   string // of a new token, shown once
	Link     string // a new way in, shown once
}

type tokenRow struct {
	ID, Name, Owner, OwnerLink, Scopes, Teams, State string
	Until                                            *stamp
	Holds                                            bool
}

func (w *Workspace) accountsPage(rw http.ResponseWriter, r *http.Request) {
	w.showAccounts(rw, r, http.StatusOK, accountsView{view: w.view(r, "accounts.title")})
}

func (w *Workspace) showAccounts(rw http.ResponseWriter, r *http.Request, status int, v accountsView) {
	v.Place = "accounts"
	accounts, err := w.Accounts.Store.Accounts(r.Context())
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	passkeys, err := w.Accounts.Store.Passkeys(r.Context(), "")
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	for i := range accounts {
		a := &accounts[i]
		v.Accounts = append(v.Accounts, accountRow{a.ID, a.Name, a.Login, v.roleNames(a.Roles), v.teamNames(a.Teams), v.accountState(a, passkeys), !a.Disabled.IsZero()})
	}
	for _, role := range access.Roles() {
		v.Roles = append(v.Roles, roleRow{v.In(role.Title), v.rightNames(role.Rights)})
	}
	if v.Offered == nil {
		v.Offered, v.Teams = v.offered(nil, nil)
	}
	w.render(rw, r, status, "accounts", v)
}

// offered are the roles and teams that an account may have, those that it has chosen.
func (v view) offered(roles []access.Role, teams []string) (offered, of []choice) {
	for _, role := range access.Roles() {
		offered = append(offered, choice{string(role.ID), v.In(role.Title), slices.Contains(roles, role.ID)})
	}
	for _, team := range v.TeamList {
		of = append(of, choice{team.ID, v.TeamName(team.ID), slices.Contains(teams, team.ID)})
	}
	return offered, of
}

func (v view) roleNames(roles []access.Role) string {
	var names []string
	for _, role := range roles {
		info, _ := role.Info()
		names = append(names, v.In(info.Title))
	}
	return strings.Join(names, ", ")
}

func (v view) teamNames(teams []string) string {
	var names []string
	for _, team := range teams {
		names = append(names, v.TeamName(team))
	}
	return strings.Join(names, ", ")
}

func (v view) rightNames(rights []access.Right) string {
	var names []string
	for _, right := range rights {
		names = append(names, v.T("right."+string(right)))
	}
	if len(names) == 0 {
		return v.T("accounts.norights")
	}
	return strings.Join(names, ", ")
}

// accountState says whether the owner of an account gets in.
func (v view) accountState(a *access.Account, passkeys []access.Passkey) string {
	switch {
	case !a.Disabled.IsZero():
		return v.T("accounts.disabled")
	case a.Password == "" && len(a.Bound) > 0:
		return v.T("accounts.elsewhere")
	case a.Password == "" && a.Link != nil && v.now.Before(a.Link.Until):
		return v.T("accounts.invited")
	case a.Password == "":
		return v.T("accounts.noway")
	case a.Code == nil && !slices.ContainsFunc(passkeys, func(p access.Passkey) bool { return p.Account == a.ID }):
		return v.T("accounts.onefactor")
	}
	return v.T("accounts.active")
}

// rolesOf reads the roles that a form has ticked.
func rolesOf(form url.Values) (roles []access.Role) {
	for _, role := range form["role"] {
		roles = append(roles, access.Role(role))
	}
	return roles
}

// addAccount makes an account and shows its one-time link.
func (w *Workspace) addAccount(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	form := r.PostForm
	v := accountsView{view: w.view(r, "accounts.title"), Login: form.Get("login"), Name: form.Get("name")}
	account := access.Account{Login: v.Login, Name: v.Name, Roles: rolesOf(form), Teams: form["team"]}
	link, err := w.identified(r, &account, form.Get("identifier"))
	var refused *access.Refused
	switch {
	case errors.As(err, &refused):
		v.Error = v.In(refused.Text)
		v.Offered, v.Teams = v.offered(account.Roles, account.Teams)
		w.showAccounts(rw, r, http.StatusUnprocessableEntity, v)
	case err != nil:
		w.failPage(rw, r, err)
	default:
		v.Link, v.For, v.Login, v.Name = w.welcomeAddress(r, link), strings.TrimSpace(account.Name), "", ""
		w.showAccounts(rw, r, http.StatusOK, v)
	}
}

// identified adds an account, with a national identifier where one was typed.
func (w *Workspace) identified(r *http.Request, account *access.Account, typed string) (link string, err error) {
	if typed = strings.TrimSpace(typed); typed != "" {
		identifier, err := access.ParseIdentifier(typed)
		if err != nil {
			return "", err
		}
		account.Identifiers = []access.Identifier{identifier}
	}
	return w.Accounts.Add(r.Context(), *account)
}

// welcomeAddress is where a one-time link is used.
func (w *Workspace) welcomeAddress(r *http.Request, link string) string {
	return w.addressHere(r) + "/welcome?" + url.Values{"link": {link}}.Encode()
}

// addressHere is where people reach the workspace, without a slash at the end.
func (w *Workspace) addressHere(r *http.Request) string {
	if address := strings.TrimSuffix(w.Address, "/"); address != "" {
		return address
	}
	return "http://" + r.Host
}

// managed is the account of a request.
func (w *Workspace) managed(r *http.Request) (*access.Account, error) {
	account, err := w.Accounts.Store.Account(r.Context(), r.PathValue("id"))
	if errors.Is(err, access.ErrNotFound) {
		return nil, errNoAccount
	}
	return account, err
}

func (w *Workspace) accountEditPage(rw http.ResponseWriter, r *http.Request) {
	w.showAccount(rw, r, http.StatusOK, accountEditView{view: w.view(r, "accounts.title")})
}

func (w *Workspace) showAccount(rw http.ResponseWriter, r *http.Request, status int, v accountEditView) {
	account, err := w.managed(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Place = "accounts"
	passkeys, err := w.Accounts.Store.Passkeys(r.Context(), account.ID)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v.Account, v.State, v.Own = *account, v.accountState(account, passkeys), account.ID == access.From(r.Context()).Account
	v.view.Title = account.Name
	for _, identifier := range account.Identifiers {
		v.Typed = strings.TrimSpace(v.Typed + " " + identifier.Type + ":" + identifier.Value)
	}
	if name := w.Accounts.Elsewhere(); name != "" {
		v.Provider = fmt.Sprintf(v.T("accounts.identify.bind"), name)
	}
	if n := len(account.Bound); n > 0 {
		v.Bound = v.Stamp(account.Bound[n-1].Since, "").Exact + " · " + account.Bound[n-1].Issuer
	}
	v.Offered, v.Teams = v.offered(account.Roles, account.Teams)
	v.Until = v.now.AddDate(0, 3, 0).Format(time.DateOnly)
	may := access.Who{Account: account.ID, Roles: account.Roles, Teams: account.Teams}
	for _, right := range access.Rights() {
		if may.May(right) {
			v.Scopes = append(v.Scopes, choice{string(right), v.T("right." + string(right)), false})
		}
	}
	if err := w.fillAccount(r, &v); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, status, "account-edit", v)
}

// fillAccount adds the sessions and the tokens.
func (w *Workspace) fillAccount(r *http.Request, v *accountEditView) error {
	sessions, err := w.Accounts.Store.Sessions(r.Context(), v.Account.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.Proved {
			v.Sessions = append(v.Sessions, sessionRow{s.ID, v.Stamp(s.Created, "").Exact, v.Stamp(s.Seen, "").Ago, s.Browser, s.Address, false, placeOf(&s)})
		}
	}
	tokens, err := w.Accounts.Tokens(r.Context())
	if err != nil {
		return err
	}
	for i := range tokens {
		if tokens[i].Owner == v.Account.ID {
			v.Tokens = append(v.Tokens, v.tokenRow(&tokens[i], v.Account.Name))
		}
	}
	return nil
}

func (v view) tokenRow(t *access.Token, owner string) tokenRow {
	row := tokenRow{
		ID: t.ID, Name: t.Name, Owner: owner, OwnerLink: "/accounts/" + url.PathEscape(t.Owner), Scopes: v.rightNames(t.Scopes),
		Teams: v.teamNames(t.Teams), Until: v.Stamp(t.Until, ""), Holds: t.Holds(v.now), State: v.T("tokens.valid"),
	}
	switch {
	case !t.Revoked.IsZero():
		row.State = v.T("tokens.revoked")
	case !row.Holds:
		row.State = v.T("tokens.ended")
	}
	return row
}

// accountActs are the forms of the page of an account. Each returns the secret or the
// link that is shown once, where there is one.
var accountActs = map[string]func(w *Workspace, r *http.Request, account *access.Account, v *accountEditView) error{
	"change": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		version, err := versionOf(r.PostForm)
		if err != nil {
			return err
		}
		return w.Accounts.Change(r.Context(), account.ID, version, r.PostForm.Get("name"), rolesOf(r.PostForm), r.PostForm["team"])
	},
	"reset": func(w *Workspace, r *http.Request, account *access.Account, v *accountEditView) error {
		reset := w.Accounts.Reset
		if r.PostForm.Get("factor") != "" {
			reset = w.Accounts.ResetFactor
		}
		link, err := reset(r.Context(), account.Login)
		if err == nil {
			v.Link = w.welcomeAddress(r, link)
		}
		return err
	},
	"disable": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		if account.ID == access.From(r.Context()).Account {
			return refuse(alerts.Code(access.BadAccount), "Vous ne pouvez pas désactiver votre propre compte.", "You cannot disable your own account.")
		}
		if err := w.Accounts.Disable(r.Context(), account.Login); err != nil {
			return err
		}
		return w.giveBack(r.Context(), account.Name)
	},
	"enable": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		return w.Accounts.Enable(r.Context(), account.Login)
	},
	"identify": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		version, err := versionOf(r.PostForm)
		if err != nil {
			return err
		}
		var list []access.Identifier
		for _, typed := range strings.Fields(r.PostForm.Get("identifier")) {
			identifier, err := access.ParseIdentifier(typed)
			if err != nil {
				return err
			}
			list = append(list, identifier)
		}
		return w.Accounts.IdentifyAt(r.Context(), account.ID, version, list)
	},
	"sessions": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		return w.Accounts.EndAll(r.Context(), account.ID)
	},
	"token": func(w *Workspace, r *http.Request, account *access.Account, v *accountEditView) (err error) {
		v.Secret, err = w.giveToken(r, account)
		return err
	},
	"revoke": func(w *Workspace, r *http.Request, account *access.Account, _ *accountEditView) error {
		return w.Accounts.Revoke(r.Context(), r.PostForm.Get("token"))
	},
}

// versionOf is the version of an account that a form was made from.
func versionOf(form url.Values) (int64, error) {
	version, err := strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil {
		return 0, refuse(codeMalformed, "Le formulaire est illisible.", "The form cannot be read.")
	}
	return version, nil
}

// giveToken makes a token. One of the same name that still holds is most likely the same
// form, sent twice.
func (w *Workspace) giveToken(r *http.Request, account *access.Account) (string, error) {
	form := r.PostForm
	until, err := time.ParseInLocation(time.DateOnly, form.Get("until"), time.UTC)
	if err != nil {
		return "", refuse(codeMalformed, "Donnez la fin du jeton : une date.", "Give the end of the token: a date.")
	}
	token := access.Token{Name: strings.TrimSpace(form.Get("name")), Teams: form["team"], Until: until.AddDate(0, 0, 1)}
	for _, scope := range form["scope"] {
		token.Scopes = append(token.Scopes, access.Right(scope))
	}
	tokens, err := w.Accounts.Tokens(r.Context())
	if err != nil {
		return "", err
	}
	for i := range tokens {
		if t := &tokens[i]; t.Owner == account.ID && t.Name == token.Name && t.Holds(w.Accounts.Now()) {
			return "", refuse(alerts.Code(access.BadToken), "Un jeton de ce nom vaut encore : révoquez-le, ou choisissez un autre nom.",
				"A token of that name still holds: revoke it, or choose another name.")
		}
	}
	return w.Accounts.Give(r.Context(), account.Login, token)
}

// accountForm does what a form of the page of an account asks for, and shows the page
// anew. What is shown once stands in the answer itself.
func (w *Workspace) accountForm(rw http.ResponseWriter, r *http.Request) {
	act, known := accountActs[r.PathValue("act")]
	if !known {
		w.failPage(rw, r, errNoPath)
		return
	}
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	account, err := w.managed(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := accountEditView{view: w.view(r, "accounts.title")}
	err = act(w, r, account, &v)
	var refused *alerts.Refused
	var kept *access.Refused
	switch {
	case errors.As(err, &refused):
		v.Error = v.In(refused.Text)
	case errors.As(err, &kept):
		v.Error = v.In(kept.Text)
	case err != nil:
		w.failPage(rw, r, err)
		return
	case v.Secret == "" && v.Link == "":
		http.Redirect(rw, r, "/accounts/"+url.PathEscape(account.ID), http.StatusSeeOther)
		return
	}
	status := http.StatusOK
	switch {
	case kept != nil && kept.Code == access.ChangedSince:
		status = http.StatusPreconditionFailed
	case v.Error != "":
		status = http.StatusUnprocessableEntity
	}
	w.showAccount(rw, r, status, v)
}

// tokensView is the page of all tokens of programs.
type tokensView struct {
	view
	Tokens []tokenRow
}

func (w *Workspace) tokensPage(rw http.ResponseWriter, r *http.Request) {
	v := tokensView{view: w.view(r, "tokens.title")}
	v.Place = "accounts"
	accounts, err := w.Accounts.Store.Accounts(r.Context())
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	names := map[string]string{}
	for i := range accounts {
		names[accounts[i].ID] = accounts[i].Name
	}
	tokens, err := w.Accounts.Tokens(r.Context())
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	for i := range tokens {
		v.Tokens = append(v.Tokens, v.tokenRow(&tokens[i], names[tokens[i].Owner]))
	}
	w.render(rw, r, http.StatusOK, "tokens", v)
}
