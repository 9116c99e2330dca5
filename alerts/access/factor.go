package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// codePeriod is how long one code holds; codes of one period before and after are
// taken too, for clocks that are not quite right.
const codePeriod = 30 * time.Second

// newSecret makes the secret of a one-time password: 160 bits, as RFC 4226 asks.
func newSecret() string {
	var secret [20]byte
	rand.Read(secret[:]) // never fails, see crypto/rand
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[:])
}

// CodeAddress is what a QR code for an authenticator holds (otpauth://…).
func CodeAddress(secret, login string) (string, error) {
	address := "otpauth://totp/Vigie:" + login + "?secret=" + secret + "&issuer=Vigie&algorithm=SHA1&digits=6&period=30"
	if _, err := otp.NewKeyFromURL(address); err != nil {
		return "", fmt.Errorf("write the address of a one-time password: %w", err)
	}
	return address, nil
}

// takeCode reports whether a code is right at that time and was not taken before,
// and remembers that it is taken now.
func (f *CodeFactor) takeCode(code string, now time.Time) bool {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	step := now.Unix() / int64(codePeriod/time.Second)
	for _, s := range []int64{step, step - 1, step + 1} {
		right, err := hotp.GenerateCodeCustom(f.Secret, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil || subtle.ConstantTimeCompare([]byte(right), []byte(code)) != 1 {
			continue
		}
		if s <= f.Step {
			return false
		}
		f.Step = s
		return true
	}
	return false
}

// Recovery codes let somebody in who has lost the second factor, each once.
const recoveryCodes = 10

// newRecovery makes recovery codes of 120 bits and what is kept of them.
func newRecovery() (codes, digests []string) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text())
		code := strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16], text[16:20], text[20:24]}, "-")
		codes = append(codes, code)
		digests = append(digests, digest(plainCode(code)))
	}
	return codes, digests
}

// takeRecovery uses a recovery code up.
func (a *Account) takeRecovery(code string) bool {
	i := slices.Index(a.Recovery, digest(plainCode(code)))
	if i < 0 {
		return false
	}
	a.Recovery = slices.Delete(slices.Clone(a.Recovery), i, i+1)
	return true
}

// plainCode is a recovery code as it is compared, however it was typed.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// digest is what is kept of a secret of at least 112 random bits: no salt is needed,
// because nobody can try them all.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newID makes an id or a secret of 128 random bits or more.
func newID() string { return strings.ToLower(rand.Text()) }
