package registry

import (
	"crypto/rand"
	"crypto/sha256"
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

const secretScheme = "sha256"

// HashSecret returns the salted SHA-256 of a device's password, written
// "sha256$salt$hash".
//
// It is deliberately not bcrypt, scrypt or argon2. Those are slow so that the
// few likely passwords of a person cannot all be tried; a device's password is
// 256 random bits (NewPassword), of which no share worth mentioning can be
// tried at any speed. A slow hash would only let 10,000 devices that reconnect
// at once, or anybody who sends wrong passwords, keep the processor busy for
// minutes.
func HashSecret(password string) string {
	var salt [16]byte
	rand.Read(salt[:])
	sum := salted(salt[:], password)
	return secretScheme + "$" + encode(salt[:]) + "$" + encode(sum[:])
}

// CheckSecret reports whether the password is the one that secret was made
// from. The time it takes tells nothing about either.
func CheckSecret(secret, password string) bool {
	salt, want, ok := parseSecret(secret)
	if !ok {
		return false
	}
	sum := salted(salt, password)
	return subtle.ConstantTimeCompare(sum[:], want) == 1
}

func salted(salt []byte, password string) [sha256.Size]byte {
	return sha256.Sum256(append(append(make([]byte, 0, len(salt)+len(password)), salt...), password...))
}

func parseSecret(secret string) (salt, hash []byte, ok bool) {
	scheme, rest, _ := strings.Cut(secret, "$")
	first, second, _ := strings.Cut(rest, "$")
	salt, err := base64.RawStdEncoding.DecodeString(first)
	if err != nil || scheme != secretScheme || len(salt) == 0 {
		return nil, nil, false
	}
	hash, err = base64.RawStdEncoding.DecodeString(second)
	return salt, hash, err == nil && len(hash) == sha256.Size
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

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
