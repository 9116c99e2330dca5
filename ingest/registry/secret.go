package registry

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// NewPassword returns 256 random bits as 43 characters that need no quoting
// anywhere.
func NewPassword() string {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: it ends the program when the system has no randomness left
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

const (
	// derivedScheme begins a secret: PBKDF2 with HMAC-SHA-512 and one iteration, in the form
	// of Mosquitto's password_file, "$7$1$salt$hash".
	derivedScheme = "$7$1$"
	// formerScheme begins a secret of an earlier Vigie: "sha256$salt$hash".
	formerScheme = "sha256$"
)

// HashSecret returns the salted digest of a device's password. Mosquitto understands it, see
// MosquittoOf.
//
// One iteration is deliberate. Many iterations are slow so that the few likely passwords of
// a person cannot all be tried; a device's password is 256 random bits (NewPassword), of
// which no share worth mentioning can be tried at any speed. A slow hash would only let
// 10,000 devices that reconnect at once, or anybody who sends wrong passwords, keep the
// processor busy for minutes.
func HashSecret(password string) string {
	var salt [12]byte
	rand.Read(salt[:])
	return derivedScheme + base64.StdEncoding.EncodeToString(salt[:]) + "$" + base64.StdEncoding.EncodeToString(derived(salt[:], password))
}

// CheckSecret reports whether the password is the one that secret was made
// from. The time it takes tells nothing about either.
func CheckSecret(secret, password string) bool {
	digest, salt, want, ok := parseSecret(secret)
	return ok && subtle.ConstantTimeCompare(digest(salt, password), want) == 1
}

// derived is the digest of secrets from now on.
func derived(salt []byte, password string) []byte {
	sum, err := pbkdf2.Key(sha512.New, password, salt, 1, sha512.Size)
	if err != nil {
		return nil // keys and salts that a standard forbids: nothing is equal to nothing of that length
	}
	return sum
}

// salted is the digest of secrets of an earlier Vigie.
func salted(salt []byte, password string) []byte {
	sum := sha256.Sum256(append(append(make([]byte, 0, len(salt)+len(password)), salt...), password...))
	return sum[:]
}

// parseSecret reads a secret of either form.
func parseSecret(secret string) (digest func(salt []byte, password string) []byte, salt, hash []byte, ok bool) {
	digest, encoding, size := derived, base64.StdEncoding, sha512.Size
	rest, now := strings.CutPrefix(secret, derivedScheme)
	if !now {
		digest, encoding, size = salted, base64.RawStdEncoding, sha256.Size
		if rest, ok = strings.CutPrefix(secret, formerScheme); !ok {
			return nil, nil, nil, false
		}
	}
	first, second, _ := strings.Cut(rest, "$")
	salt, err := encoding.DecodeString(first)
	if err != nil || len(salt) == 0 {
		return nil, nil, nil, false
	}
	hash, err = encoding.DecodeString(second)
	return digest, salt, hash, err == nil && len(hash) == size
}

// ChooseSecret gives d the secret it is to be kept with and forgets its password:
// the one in the import, else the one it had, else a new one, whose password is
// returned because nobody can read it again later.
func (d *Device) ChooseSecret(stored *Device) (generated string) {
	password := d.Password
	d.Password = ""
	switch {
	case password != "" && stored != nil && CheckSecret(stored.Secret, password):
		d.Secret = stored.Secret
	case password != "":
		d.Secret = HashSecret(password)
	case d.Secret != "":
	case stored != nil && stored.Secret != "":
		d.Secret = stored.Secret
	default:
		generated = NewPassword()
		d.Secret = HashSecret(generated)
	}
	return generated
}
