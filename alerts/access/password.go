package access

import (
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Hashing is what a password costs to check, with argon2id: 19 MiB and 2 passes, the
// least that OWASP's password storage guide asks for. More memory would let a few
// logins at once crowd out readings on a small machine.
var Hashing = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hasher hashes passwords, one at a time: a core stays free for readings.
type hasher struct {
	params  argon2id.Params
	unknown string        // the hash of no password
	room    chan struct{} // holds one while a password is being hashed
	compare func(password, hash string) (bool, error)
}

// nobodys is a hash that no password has, at the usual cost, made once.
var nobodys = sync.OnceValues(func() (string, error) { return argon2id.CreateHash(nobodysPassword, &Hashing) })

const nobodysPassword = "nobody has this password"

func newHasher(params argon2id.Params) (*hasher, error) {
	unknown, err := nobodys()
	if params != Hashing {
		unknown, err = argon2id.CreateHash(nobodysPassword, &params)
	}
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return &hasher{params, unknown, make(chan struct{}, 1), argon2id.ComparePasswordAndHash}, nil
}

func (h *hasher) hash(password string) (string, error) {
	h.room <- struct{}{}
	defer func() { <-h.room }()
	hash, err := argon2id.CreateHash(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// right reports whether a password is an account's. It takes the same time for an
// account that does not exist (nil), or that has no password.
func (h *hasher) right(account *Account, password string) bool {
	hash := h.unknown
	if account != nil && account.Password != "" {
		hash = account.Password
	}
	if utf8.RuneCountInString(password) > longestPassword {
		password = ""
	}
	h.room <- struct{}{}
	defer func() { <-h.room }()
	same, err := h.compare(password, hash)
	return err == nil && same && hash != h.unknown
}

// How long a password may be, in characters: long enough to resist, short enough
// to hash.
const (
	ShortestPassword = 12
	longestPassword  = 256
)

// CheckPassword returns why a password cannot be chosen, nil when it can. known lists those
// that thieves have; nil for none.
func CheckPassword(password string, account *Account, known *Known) error {
	length := utf8.RuneCountInString(password)
	if length < ShortestPassword || length > longestPassword {
		return refuse(WeakPassword,
			"Choisissez un mot de passe de 12 caractères au moins, par exemple quatre mots sans lien.",
			"Choose a password of at least 12 characters, for instance four unrelated words.")
	}
	if plain(password, account) {
		return refuse(WeakPassword,
			"Ce mot de passe se devine : il se répète, suit le clavier, ou reprend un nom. Choisissez-en un autre.",
			"This password can be guessed: it repeats itself, follows the keyboard, or is a name. Choose another one.")
	}
	if known.holds(password) {
		return refuse(WeakPassword,
			"Ce mot de passe figure dans une liste de mots de passe volés. Choisissez-en un autre.",
			"This password stands in a list of stolen passwords. Choose another one.")
	}
	return nil
}

func distinct(text string) map[rune]bool {
	found := map[rune]bool{}
	for _, r := range text {
		found[r] = true
	}
	return found
}
