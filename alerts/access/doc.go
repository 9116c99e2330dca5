// Package access says who may see and do what.
//
// A person has an Account with one or more roles, in one or more care teams, and
// proves who they are with a password and a second factor. A program has a Token,
// which a person owns, with scopes, teams and an end. Both become a Who: the value
// that every reader of patients' data takes and that every act carries.
//
//	Account   a person: roles, teams, national identifiers, factors
//	Session   one login of an account, with an idle and an absolute limit
//	Passkey   a key of an account on a telephone, a computer or a stick
//	Token     a program's way in, kept as a digest
//	Grant     a look beyond one's own teams, for a reason ("breaking the glass")
//	Who       who asks, for the time of one request
//	Right     one thing that a Who may do
//	Accounts  the acts on all of these, over a Store
//
// The roles and their rights are one table, see Roles. Package webauthn
// checks passkeys; pages and commands are elsewhere, and the stores implement Store.
package access
