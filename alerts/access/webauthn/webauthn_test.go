package webauthn

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"vigie/alerts/access/webauthn/authenticator"
	"vigie/protocols/cbor"
)

var (
	site      = Party{ID: "vigie.example.org", Origin: "https://vigie.example.org"}
	challenge = []byte("a challenge of the thirty-two by")
	owner     = []byte("account-of-lea")
)

func passkey(algorithm int) *authenticator.Passkey {
	return authenticator.New(algorithm, site.ID, site.Origin, owner)
}

// oracle says what go-webauthn makes of the same: it weighs 2 MB too much for the program.
func oracleRegisters(body []byte, verified bool) error {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return err
	}
	var offered []protocol.CredentialParameter
	for _, algorithm := range Algorithms {
		offered = append(offered, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.COSEAlgorithmIdentifier(algorithm)})
	}
	_, err = parsed.Verify(base64.RawURLEncoding.EncodeToString(challenge), site.ID, []string{site.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, verified, true, nil, offered, protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	return err
}

func oracleChecks(body, cose []byte, verified bool) error {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return err
	}
	return parsed.Verify(base64.RawURLEncoding.EncodeToString(challenge), site.ID, "", []string{site.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, verified, true, cose, protocol.SignaturePolicy{})
}

// registers and checks are ours, with what the caller has to do.
func registers(body []byte, verified bool) (*Credential, error) {
	a, err := Read(body)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a.Challenge, challenge) {
		return nil, errors.New("another challenge")
	}
	c, err := site.Register(a)
	if err == nil && verified && !c.Verified {
		err = NotVerified
	}
	return c, err
}

func checks(body, cose []byte, verified bool) (State, error) {
	a, err := Read(body)
	if err != nil {
		return State{}, err
	}
	if !bytes.Equal(a.Challenge, challenge) {
		return State{}, errors.New("another challenge")
	}
	state, err := site.Check(a, cose)
	if err == nil && verified && !state.Verified {
		err = NotVerified
	}
	return state, err
}

// wrongs are the ways in which a passkey can be wrong; a nil error is none.
var wrongs = []struct {
	name    string
	change  func(*authenticator.Passkey)
	creates error // at the registration
	signs   error // at a sign-in
}{
	{"as it should be", func(*authenticator.Passkey) {}, nil, nil},
	{"with a counter", func(k *authenticator.Passkey) { k.Counter = 41 }, nil, nil},
	{"backed up", func(k *authenticator.Passkey) { k.Flags |= authenticator.Eligible | authenticator.BackedUp }, nil, nil},
	{"that may be backed up", func(k *authenticator.Passkey) { k.Flags |= authenticator.Eligible }, nil, nil},
	{"with an extension", func(k *authenticator.Passkey) {
		k.Flags |= authenticator.Extended
		k.Extension = authenticator.Map(authenticator.Text("credProtect"), authenticator.Int(2))
	}, nil, nil},
	{"that attests itself", func(k *authenticator.Passkey) { k.Format = "packed" }, nil, nil},
	{"without a user handle", func(k *authenticator.Passkey) { k.User = nil }, nil, nil},

	{"of another origin", func(k *authenticator.Passkey) { k.Origin = "https://vigie.example.org.evil.example" }, WrongOrigin, WrongOrigin},
	{"of another port", func(k *authenticator.Passkey) { k.Origin += ":8443" }, WrongOrigin, WrongOrigin},
	{"over no TLS", func(k *authenticator.Passkey) { k.Origin = "http://vigie.example.org" }, WrongOrigin, WrongOrigin},
	{"in a frame of another site", func(k *authenticator.Passkey) { k.Cross = true }, WrongOrigin, WrongOrigin},
	{"of another site", func(k *authenticator.Passkey) { k.Party = "example.org" }, WrongParty, WrongParty},
	{"that nobody touched", func(k *authenticator.Passkey) { k.Flags &^= authenticator.Present }, NotPresent, NotPresent},
	{"that does not know who used it", func(k *authenticator.Passkey) { k.Flags &^= authenticator.Verified }, NotVerified, NotVerified},
	{stricter, func(k *authenticator.Passkey) { k.Flags |= authenticator.BackedUp }, BadBackup, BadBackup},
	{"with an extension that is not there", func(k *authenticator.Passkey) { k.Flags |= authenticator.Extended }, Unreadable, Unreadable},
	{"with something behind", func(k *authenticator.Passkey) { k.Extension = []byte{0} }, Unreadable, Unreadable},
	{"attested in another way", func(k *authenticator.Passkey) { k.Format = "wonder" }, BadStatement, nil},
	{"without an id", func(k *authenticator.Passkey) { k.ID = nil }, Unreadable, Unreadable},
	{"of another algorithm", func(k *authenticator.Passkey) { k.COSE[4] = 0x22 }, BadKey, BadKey}, // −3: a key wrap
	{"whose key is cut", func(k *authenticator.Passkey) { k.COSE = k.COSE[:len(k.COSE)-3] }, BadKey, BadKey},
}

// stricter is what go-webauthn leaves to its caller (WebAuthn, section 7.2, step 17).
const stricter = "backed up, and that may not be"

// TestPasskeysAreAcceptedAndRefusedAsGoWebAuthnDoes holds every way to be wrong, of every
// algorithm, against ours and against theirs.
func TestPasskeysAreAcceptedAndRefusedAsGoWebAuthnDoes(t *testing.T) {
	for _, algorithm := range []int{authenticator.ES256, authenticator.EdDSA, authenticator.RS256} {
		for _, c := range wrongs {
			k := passkey(algorithm)
			c.change(k)
			created := k.Create(challenge)
			kept, err := registers(created, true)
			if !errors.Is(err, c.creates) {
				t.Errorf("%d, a new one %s: got %v, want %v", algorithm, c.name, err, c.creates)
			}
			if theirs := oracleRegisters(created, true); (theirs == nil) != (err == nil) && c.name != stricter {
				t.Errorf("%d, a new one %s: we say %v, go-webauthn says %v", algorithm, c.name, err, theirs)
			}
			if err == nil && (!bytes.Equal(kept.ID, k.ID) || !bytes.Equal(kept.Key, k.COSE) || kept.Counter != k.Counter || kept.Eligible != (k.Flags&authenticator.Eligible != 0) || !slices.Equal(kept.Transports, []string{"internal"})) {
				t.Errorf("%d, a new one %s: kept %+v", algorithm, c.name, kept)
			}

			signed := k.Sign(challenge)
			state, err := checks(signed, k.COSE, true)
			if !errors.Is(err, c.signs) {
				t.Errorf("%d, a sign-in %s: got %v, want %v", algorithm, c.name, err, c.signs)
			}
			if theirs := oracleChecks(signed, k.COSE, true); (theirs == nil) != (err == nil) && c.name != stricter {
				t.Errorf("%d, a sign-in %s: we say %v, go-webauthn says %v", algorithm, c.name, err, theirs)
			}
			if err == nil && (state.Counter != k.Counter || state.BackedUp != (k.Flags&authenticator.BackedUp != 0)) {
				t.Errorf("%d, a sign-in %s: state %+v", algorithm, c.name, state)
			}
		}
	}
}

// TestOneBitMakesAPasskeyAnother changes and cuts what a browser sends, byte by byte:
// nothing is accepted that go-webauthn refuses, and no signature survives.
func TestOneBitMakesAPasskeyAnother(t *testing.T) {
	for _, algorithm := range []int{authenticator.ES256, authenticator.EdDSA} {
		k := passkey(algorithm)
		for _, part := range []string{"clientDataJSON", "authenticatorData", "signature", "attestationObject"} {
			body := k.Sign(challenge)
			try := func(body []byte) (ours, theirs error) {
				_, ours = checks(body, k.COSE, true)
				return ours, oracleChecks(body, k.COSE, true)
			}
			if part == "attestationObject" {
				body = k.Create(challenge)
				try = func(body []byte) (ours, theirs error) {
					_, ours = registers(body, true)
					return ours, oracleRegisters(body, true)
				}
			}
			whole := partOf(t, body, part)
			for i := range whole {
				flipped := bytes.Clone(whole)
				flipped[i] ^= 1 << (i % 8)
				for _, changed := range [][]byte{flipped, whole[:i]} {
					ours, theirs := try(with(t, body, part, changed))
					if ours == nil && (theirs != nil || part != "attestationObject") {
						t.Errorf("%d, %s changed or cut at byte %d of %d is accepted; go-webauthn says %v", algorithm, part, i, len(whole), theirs)
					}
				}
			}
		}
	}
}

// partOf is one part of an answer, and with an answer with another one.
func partOf(t testing.TB, body []byte, part string) []byte {
	t.Helper()
	var whole struct{ Response map[string]any }
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	read, err := base64.RawURLEncoding.DecodeString(whole.Response[part].(string))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func with(t testing.TB, body []byte, part string, changed []byte) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(body, &whole); err != nil {
		t.Fatal(err)
	}
	whole["response"].(map[string]any)[part] = base64.RawURLEncoding.EncodeToString(changed)
	written, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func TestAPasskeyOfAnotherIsRefused(t *testing.T) {
	k, other := passkey(authenticator.ES256), passkey(authenticator.EdDSA)
	if _, err := checks(k.Sign(challenge), other.COSE, true); !errors.Is(err, WrongSigner) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := checks(k.Create(challenge), k.COSE, true); !errors.Is(err, WrongKind) {
		t.Errorf("a registration as a sign-in: %v", err)
	}
	if _, err := registers(k.Sign(challenge), true); !errors.Is(err, WrongKind) {
		t.Errorf("a sign-in as a registration: %v", err)
	}
	if _, err := checks(k.Sign([]byte("a challenge of somebody else")), k.COSE, true); err == nil {
		t.Error("with another challenge: accepted")
	}
	for _, body := range []string{"", "{}", "null", "[]", `{"rawId":"QQ","type":"password","response":{}}`, `{"rawId":"Q=","type":"public-key"}`, strings.Repeat(" ", longestAnswer) + "{}"} {
		if _, err := Read([]byte(body)); !errors.Is(err, Unreadable) {
			t.Errorf("%.30q: %v", body, err)
		}
	}
}

// Keys that a program could be hurt with, or that are no keys, are not kept.
func TestWeakKeysAreRefused(t *testing.T) {
	point := make([]byte, 32)
	short := bytes.Repeat([]byte{0xff}, 128)
	long := bytes.Repeat([]byte{0xff}, 2048)
	m, i, b := authenticator.Map, authenticator.Int, authenticator.Bytes
	for name, cose := range map[string][]byte{
		"a point beside the curve":  m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(point), i(-3), b(point)),
		"a point that is cut":       m(i(1), i(2), i(3), i(-7), i(-1), i(1), i(-2), b(point[:31]), i(-3), b(point)),
		"P-256 for EdDSA":           m(i(1), i(1), i(3), i(-8), i(-1), i(1), i(-2), b(point)),
		"an RSA key of 1024 bits":   m(i(1), i(3), i(3), i(-257), i(-1), b(short), i(-2), b([]byte{1, 0, 1})),
		"an RSA key of 16384 bits":  m(i(1), i(3), i(3), i(-257), i(-1), b(long), i(-2), b([]byte{1, 0, 1})),
		"an RSA key with e = 1":     m(i(1), i(3), i(3), i(-257), i(-1), b(bytes.Repeat([]byte{0xff}, 256)), i(-2), b([]byte{1})),
		"RS256 with another type":   m(i(1), i(2), i(3), i(-257), i(-1), i(1), i(-2), b(point), i(-3), b(point)),
		"a label that is there two": m(i(1), i(2), i(1), i(2)),
		"no key":                    m(),
		"a list":                    {0x80},
		"a map without an end":      {0xbf, 0xff},
	} {
		if k, err := readKey(&cbor.Reader{Rest: cose}); err == nil {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

func TestWhereThereArePasskeys(t *testing.T) {
	for address, want := range map[string]Party{
		"https://Vigie.example.org/":        {"vigie.example.org", "https://vigie.example.org"},
		"https://vigie.example.org:443":     {"vigie.example.org", "https://vigie.example.org"},
		"https://vigie.example.org:8443/x":  {"vigie.example.org", "https://vigie.example.org:8443"},
		"http://localhost:8080":             {"localhost", "http://localhost:8080"},
		"http://vigie.example.org":          {},
		"https://192.0.2.1":                 {},
		"https://[2001:db8::1]:8443":        {},
		"":                                  {},
		"ftp://vigie.example.org":           {},
		"http://localhost.evil.example:808": {},
	} {
		if got, ok := PartyOf(address); got != want || ok != (want != Party{}) {
			t.Errorf("%q: %+v, %v", address, got, ok)
		}
	}
}

// FuzzAnswers reads anything that a browser may send: what is accepted, go-webauthn accepts.
func FuzzAnswers(f *testing.F) {
	k := passkey(authenticator.ES256)
	created, signed := k.Create(challenge), k.Sign(challenge)
	k.Format = "packed"
	for _, body := range [][]byte{created, signed, k.Create(challenge), []byte("{}"), signed[:len(signed)/2]} {
		f.Add(body, []byte{0xa0})
	}
	f.Add(created, partOf(f, created, "attestationObject"))
	f.Fuzz(func(t *testing.T, body, object []byte) {
		if _, err := registers(body, false); err == nil && oracleRegisters(body, false) != nil {
			t.Errorf("we register what go-webauthn refuses: %s", body)
		}
		if _, err := checks(body, k.COSE, false); err == nil && oracleChecks(body, k.COSE, false) != nil {
			t.Errorf("we let in whom go-webauthn refuses: %s", body)
		}
		body = with(t, created, "attestationObject", object)
		if _, err := registers(body, false); err == nil && oracleRegisters(body, false) != nil {
			t.Errorf("we register what go-webauthn refuses: %x", object)
		}
		_ = (&cbor.Reader{Rest: object}).Skip(deepest)
	})
}
