package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
)

// accountCommand is `vigie account`.
func accountCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "account",
		Short: "Comptes des personnes : ajouter, lister, désactiver, réinitialiser (people's accounts)",
	}
	command.AddCommand(accountAddCommand(), accountListCommand(), accountResetCommand(), accountIdentifyCommand(),
		accountChangeCommand("disable LOGIN", "Ne plus laisser entrer, fermer les sessions, rendre les alertes en main (let nobody in by it)", disableAccount),
		accountChangeCommand("enable LOGIN", "Laisser entrer de nouveau (let its owner in again)", enableAccount))
	return command
}

// withAccounts opens the store for a command about accounts.
func withAccounts(cmd *cobra.Command, work func(*service.Tools, *access.Accounts, tongue) error) (err error) {
	in := tongue(cmd.Flag("language").Value.String())
	if err := in.check(); err != nil {
		return err
	}
	tools, err := openTools(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	accounts, err := tools.Accounts()
	if err != nil {
		return err
	}
	err = work(tools, accounts, in)
	var refused *access.Refused
	if errors.As(err, &refused) {
		return errors.New(refused.Text.In(string(in)))
	}
	return err
}

// speaking adds the flag for the language of an answer.
func speaking(command *cobra.Command) *cobra.Command {
	var in tongue
	in.register(command.Flags())
	return command
}

func accountAddCommand() *cobra.Command {
	var name string
	var roles, teams, identifiers []string
	command := &cobra.Command{
		Use:   "add LOGIN",
		Short: "Ajouter un compte ; affiche un lien qui sert une fois (add an account)",
		Long: `Ajoute un compte et affiche un lien à usage unique, valable trois jours : la personne
y choisit son mot de passe, puis règle son second facteur. Remettez-le en main propre.

Adds an account and prints a one-time link, good for three days, by which its owner
chooses a password and sets up the second factor.

Roles: ` + roleList(),
		Example: "  vigie account add lea.morel --name 'Léa Morel' --role nurse --team cardio --identifier RPPS:10001234565",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, func(tools *service.Tools, accounts *access.Accounts, in tongue) error {
				account := access.Account{Login: args[0], Name: name, Teams: teams}
				for _, role := range roles {
					account.Roles = append(account.Roles, access.Role(role))
				}
				var err error
				if account.Identifiers, err = readIdentifiers(cmd, in, identifiers); err != nil {
					return err
				}
				link, err := accounts.Add(cmd.Context(), account)
				if err != nil {
					return err
				}
				return printLink(cmd.OutOrStdout(), tools, link)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&name, "name", "", "as acts are signed")
	flags.StringSliceVar(&roles, "role", nil, "what the person may do; repeated or separated by commas")
	flags.StringSliceVar(&teams, "team", nil, "care team, as in the registry; repeated or separated by commas")
	flags.StringSliceVar(&identifiers, "identifier", nil, "national identifier, as RPPS:10001234565")
	return speaking(command)
}

// readIdentifiers reads national identifiers, and notes those whose check digit does not fit.
func readIdentifiers(cmd *cobra.Command, in tongue, typed []string) (list []access.Identifier, err error) {
	for _, text := range typed {
		identifier, err := access.ParseIdentifier(text)
		if err != nil {
			return nil, err
		}
		if identifier.Doubtful() {
			fmt.Fprintln(cmd.ErrOrStderr(), in.say(doubtfulText, identifier.Value))
		}
		list = append(list, identifier)
	}
	return list, nil
}

func accountIdentifyCommand() *cobra.Command {
	return speaking(&cobra.Command{
		Use:   "identify LOGIN [TYPE:NUMBER…]",
		Short: "Donner l'identifiant national, par lequel un fournisseur OpenID Connect fait entrer (give the national identifier)",
		Long: `Remplace les identifiants nationaux d'un compte ; sans numéro, il n'en a plus. Le compte
est délié de l'identité vue chez le fournisseur OpenID Connect : la prochaine connexion le
relie.

Replaces the national identifiers of an account; without a number it has none. The account
is freed from the identity seen at the OpenID Connect provider: the next login binds it anew.`,
		Example: "  vigie account identify lea.morel RPPS:10001234565",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, func(_ *service.Tools, accounts *access.Accounts, in tongue) error {
				list, err := readIdentifiers(cmd, in, args[1:])
				if err != nil {
					return err
				}
				return accounts.Identify(cmd.Context(), args[0], list)
			})
		},
	})
}

var doubtfulText = protocols.Text{
	FR: "attention : la clé de contrôle de %s ne correspond pas ; vérifiez le numéro",
	EN: "note: the check digit of %s does not fit; check the number",
}

func roleList() string {
	var names []string
	for _, role := range access.Roles() {
		names = append(names, fmt.Sprintf("%s (%s)", role.ID, role.Title.FR))
	}
	return strings.Join(names, ", ")
}

func printLink(out io.Writer, tools *service.Tools, link string) error {
	_, err := fmt.Fprintln(out, tools.Welcome(link))
	return err
}

func accountResetCommand() *cobra.Command {
	var factor bool
	command := &cobra.Command{
		Use:   "reset LOGIN",
		Short: "Oublier le mot de passe, fermer les sessions, donner un nouveau lien (forget the password)",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, func(tools *service.Tools, accounts *access.Accounts, _ tongue) error {
				reset := accounts.Reset
				if factor {
					reset = accounts.ResetFactor
				}
				link, err := reset(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return printLink(cmd.OutOrStdout(), tools, link)
			})
		},
	}
	command.Flags().BoolVar(&factor, "second-factor", false, "forget the second factor, passkeys and recovery codes too: check who asks first")
	return speaking(command)
}

func accountChangeCommand(use, short string, do func(ctx context.Context, tools *service.Tools, accounts *access.Accounts, login string) error) *cobra.Command {
	return speaking(&cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withAccounts(cmd, func(tools *service.Tools, accounts *access.Accounts, _ tongue) error {
			return do(cmd.Context(), tools, accounts, args[0])
		})
	}})
}

func enableAccount(ctx context.Context, _ *service.Tools, accounts *access.Accounts, login string) error {
	return accounts.Enable(ctx, login)
}

// disableAccount lets nobody in by an account. What its owner has in hand asks the team
// again: else it would stay with somebody who is not there.
func disableAccount(ctx context.Context, tools *service.Tools, accounts *access.Accounts, login string) error {
	if err := accounts.Disable(ctx, login); err != nil {
		return err
	}
	account, err := accounts.Store.AccountByLogin(ctx, access.Normalise(login))
	if err != nil {
		return fmt.Errorf("read an account: %w", err)
	}
	if there, err := accounts.Knows(ctx, account.Name); there || err != nil {
		return err
	}
	_, err = alerts.GiveBack(ctx, tools.Alerts, account.Name, "vigie account disable", "compte désactivé (account disabled)", clock())
	return err
}

func accountListCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "list",
		Short: "Les comptes, leurs rôles et leurs équipes (list the accounts)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd, func(_ *service.Tools, accounts *access.Accounts, in tongue) error {
				list, err := accounts.Store.Accounts(cmd.Context())
				if err != nil {
					return err
				}
				passkeys, err := accounts.Store.Passkeys(cmd.Context(), "")
				if err != nil {
					return err
				}
				return writeAccounts(cmd.OutOrStdout(), list, passkeys, in, asJSON)
			})
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line, without secrets")
	return speaking(command)
}

// listedAccount is an account as a list shows it: no hash, no secret.
type listedAccount struct {
	Login       string              `json:"login"`
	Name        string              `json:"name"`
	Roles       []access.Role       `json:"roles"`
	Teams       []string            `json:"teams,omitempty"`
	Identifiers []access.Identifier `json:"identifiers,omitempty"`
	Created     time.Time           `json:"created"`
	Disabled    time.Time           `json:"disabled,omitzero"`
	State       string              `json:"state"`
	Passkeys    int                 `json:"passkeys,omitempty"`
}

func listedOf(a access.Account, passkeys []access.Passkey) listedAccount {
	keys := 0
	for _, p := range passkeys {
		if p.Account == a.ID {
			keys++
		}
	}
	state := "active"
	switch {
	case !a.Disabled.IsZero():
		state = "disabled"
	case a.Password == "" && len(a.Bound) > 0:
		state = "elsewhere"
	case a.Password == "":
		state = "invited"
	case a.Code == nil && keys == 0:
		state = "no-second-factor"
	}
	return listedAccount{a.Login, a.Name, a.Roles, a.Teams, a.Identifiers, a.Created, a.Disabled, state, keys}
}

var accountStates = map[string]protocols.Text{
	"active":           {FR: "actif", EN: "active"},
	"disabled":         {FR: "désactivé", EN: "disabled"},
	"invited":          {FR: "invité", EN: "invited"},
	"elsewhere":        {FR: "sans mot de passe ici, par identité professionnelle", EN: "no password here, by professional identity"},
	"no-second-factor": {FR: "sans second facteur", EN: "no second factor"},
}

func writeAccounts(out io.Writer, list []access.Account, passkeys []access.Passkey, in tongue, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		for _, account := range list {
			if err := encoder.Encode(listedOf(account, passkeys)); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, account := range list {
		shown := listedOf(account, passkeys)
		var roles []string
		for _, role := range account.Roles {
			info, _ := role.Info()
			roles = append(roles, info.Title.In(string(in)))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", shown.Login, shown.Name, strings.Join(roles, ", "), strings.Join(shown.Teams, ", "), accountStates[shown.State].In(string(in)), passkeysOf(shown.Passkeys, in))
	}
	return table.Flush()
}

// passkeysOf says how many passkeys an account has; nothing where it has none.
func passkeysOf(count int, in tongue) string {
	if count == 0 {
		return ""
	}
	return in.some(count, passkeyNoun)
}

// tokenCommand is `vigie token`.
func tokenCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "token",
		Short: "Jetons des programmes : donner, lister, révoquer (programs' tokens)",
	}
	command.AddCommand(tokenAddCommand(), tokenListCommand(), tokenRevokeCommand())
	return command
}

func tokenAddCommand() *cobra.Command {
	var owner string
	var scopes, teams []string
	var days int
	command := &cobra.Command{
		Use:     "add NAME",
		Short:   "Donner un jeton à un programme ; il s'affiche une fois (give a program a token)",
		Example: "  vigie token add tableau-de-bord --owner c.roy --scope see-patients --team cardio --days 90",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, func(_ *service.Tools, accounts *access.Accounts, _ tongue) error {
				token := access.Token{Name: args[0], Teams: teams, Until: time.Now().UTC().AddDate(0, 0, days)}
				for _, scope := range scopes {
					token.Scopes = append(token.Scopes, access.Right(scope))
				}
				secret, err := accounts.Give(cmd.Context(), owner, token)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&owner, "owner", "", "login of the account that answers for it")
	flags.StringSliceVar(&scopes, "scope", nil, "right, as see-patients, act, see-devices; repeated or separated by commas")
	flags.StringSliceVar(&teams, "team", nil, "only these teams of its owner")
	flags.IntVar(&days, "days", 90, "how long it holds, at most 400")
	return speaking(command)
}

func tokenListCommand() *cobra.Command {
	return speaking(&cobra.Command{
		Use: "list", Short: "Les jetons, leurs droits et leur fin (list the tokens)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(cmd, func(_ *service.Tools, accounts *access.Accounts, _ tongue) error {
				tokens, err := accounts.Tokens(cmd.Context())
				if err != nil {
					return err
				}
				people, err := accounts.Store.Accounts(cmd.Context())
				if err != nil {
					return err
				}
				return writeTokens(cmd.OutOrStdout(), tokens, people)
			})
		},
	})
}

func writeTokens(out io.Writer, tokens []access.Token, people []access.Account) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, token := range tokens {
		owner := token.Owner
		if i := slices.IndexFunc(people, func(a access.Account) bool { return a.ID == token.Owner }); i >= 0 {
			owner = people[i].Login
		}
		var scopes []string
		for _, scope := range token.Scopes {
			scopes = append(scopes, string(scope))
		}
		end := token.Until.Format(time.DateOnly)
		if !token.Revoked.IsZero() {
			end = "revoked " + token.Revoked.Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", token.ID, token.Name, owner, strings.Join(scopes, ","), strings.Join(token.Teams, ","), end)
	}
	return table.Flush()
}

func tokenRevokeCommand() *cobra.Command {
	return speaking(&cobra.Command{
		Use: "revoke ID", Short: "Retirer un jeton, aussitôt (end a token at once)", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(cmd, func(_ *service.Tools, accounts *access.Accounts, _ tongue) error {
				return accounts.Revoke(cmd.Context(), args[0])
			})
		},
	})
}
