package webauthn

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"

	"vigie/protocols/cbor"
)

// Fault is one reason why a passkey is not accepted.
type Fault string

// Error returns the reason.
func (f Fault) Error() string { return string(f) }

// The faults.
const (
	Unreadable    Fault = "what the browser sent cannot be read"
	WrongKind     Fault = "it was made for another act"
	WrongOrigin   Fault = "it was made for another site"
	WrongParty    Fault = "the passkey is of another site"
	NotPresent    Fault = "nobody touched the authenticator"
	NotVerified   Fault = "the authenticator did not verify who used it"
	BadBackup     Fault = "its backup flags contradict each other"
	BadKey        Fault = "its key has an algorithm or a form that is not accepted"
	BadStatement  Fault = "its attestation is not accepted"
	WrongSigner   Fault = "the signature is not of this passkey"
	longestAnswer       = 64 << 10 // bytes of what a browser sends
)

// Credential is a passkey as it is registered.
type Credential struct {
	ID         []byte
	Key        []byte // COSE
	Transports []string
	State
}

// State is what an authenticator says each time.
type State struct {
	Counter  uint32 // of its signatures; 0 where it keeps none
	Verified bool   // it knows who used it, by a PIN, a finger or a face
	Eligible bool   // the key may be copied to other devices
	BackedUp bool   // it is
}

// The flags of authenticator data (WebAuthn, section 6.1).
const (
	flagPresent, flagVerified, flagEligible, flagBackedUp = 1, 4, 8, 16
	flagAttested, flagExtended                            = 64, 128
)

// answer is what a browser sends of a passkey: PublicKeyCredential.toJSON().
type answer struct {
	Name     encoded `json:"id"` // the same as the id
	ID       encoded `json:"rawId"`
	Type     string  `json:"type"`
	Response struct {
		Client     encoded  `json:"clientDataJSON"`
		Object     encoded  `json:"attestationObject"`
		Data       encoded  `json:"authenticatorData"`
		Signature  encoded  `json:"signature"`
		UserHandle encoded  `json:"userHandle"`
		Transports []string `json:"transports"`
	} `json:"response"`
}

// encoded is bytes in base64url without padding.
type encoded []byte

// UnmarshalText is part of encoding.TextUnmarshaler.
func (e *encoded) UnmarshalText(text []byte) (err error) {
	*e, err = base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	return err
}

// client is what the browser says of where and for what a passkey was used.
type client struct {
	Type        string  `json:"type"`
	Challenge   encoded `json:"challenge"`
	Origin      string  `json:"origin"`
	CrossOrigin bool    `json:"crossOrigin"`
}

// Answer is what a browser sent, read and not yet checked.
type Answer struct {
	ID         []byte // of the passkey
	UserHandle []byte // whose it is, as it was told at its registration; may be empty
	Challenge  []byte
	raw        answer
	client     client
}

// Read reads what a browser sent. The error is Unreadable.
func Read(body []byte) (*Answer, error) {
	a := &Answer{}
	if len(body) > longestAnswer || json.Unmarshal(body, &a.raw) != nil || json.Unmarshal(a.raw.Response.Client, &a.client) != nil {
		return nil, Unreadable
	}
	a.ID, a.UserHandle, a.Challenge = a.raw.ID, a.raw.Response.UserHandle, a.client.Challenge
	if a.raw.Type != "public-key" || len(a.ID) == 0 || len(a.ID) > longestID || !bytes.Equal(a.ID, a.raw.Name) {
		return nil, Unreadable
	}
	return a, nil
}

// Register checks a new passkey, whose challenge the caller has found right. The error is a
// Fault.
func (p Party) Register(a *Answer) (*Credential, error) {
	if err := p.about(a, "webauthn.create"); err != nil {
		return nil, err
	}
	r := &cbor.Reader{Rest: a.raw.Response.Object}
	var format string
	var data, statement []byte
	err := fields(r, func(_ int64, name string) (err error) {
		switch name {
		case "fmt":
			format, err = text(r)
		case "authData":
			_, data, err = numberOrBytes(r)
		case "attStmt":
			before := r.Rest
			err = r.Skip(deepest)
			statement = before[:len(before)-len(r.Rest)]
		default:
			err = cbor.ErrForm
		}
		return err
	})
	if err != nil || len(r.Rest) > 0 || statement == nil {
		return nil, Unreadable
	}
	read, err := p.state(data, flagAttested)
	if err != nil {
		return nil, err
	}
	if read.key == nil || !bytes.Equal(read.id, a.ID) {
		return nil, BadKey
	}
	if !attested(format, statement, read.key, signedBy(data, a)) {
		return nil, BadStatement
	}
	return &Credential{ID: a.ID, Key: read.cose, Transports: known(a.raw.Response.Transports), State: read.State}, nil
}

// Check checks a sign-in with a passkey whose COSE key is given; the caller has found the
// challenge right, and the passkey by its id. The error is a Fault.
func (p Party) Check(a *Answer, cose []byte) (State, error) {
	if err := p.about(a, "webauthn.get"); err != nil {
		return State{}, err
	}
	data := a.raw.Response.Data
	read, err := p.state(data, 0)
	if err != nil {
		return State{}, err
	}
	k, err := readKey(&cbor.Reader{Rest: cose})
	if err != nil {
		return State{}, BadKey
	}
	if !k.signed(signedBy(data, a), a.raw.Response.Signature) {
		return State{}, WrongSigner
	}
	return read.State, nil
}

// about reports whether an answer is of this site and of this kind of act.
func (p Party) about(a *Answer, kind string) error {
	switch {
	case a.client.Type != kind:
		return WrongKind
	case a.client.Origin != p.Origin || a.client.CrossOrigin:
		return WrongOrigin
	}
	return nil
}

// signedBy is what an authenticator signs.
func signedBy(data []byte, a *Answer) []byte {
	hash := sha256.Sum256(a.raw.Response.Client)
	return slices.Concat(data, hash[:])
}

// told is what stands in authenticator data. key is nil where there is none in it.
type told struct {
	State
	id, cose []byte
	key      *key
}

// state reads authenticator data (WebAuthn, section 6.1), which must have those flags.
func (p Party) state(data []byte, flags byte) (read told, err error) {
	if len(data) < leastAuthenticatorData {
		return read, Unreadable
	}
	party, has := sha256.Sum256([]byte(p.ID)), data[32]
	switch {
	case !bytes.Equal(data[:32], party[:]):
		return read, WrongParty
	case has&flagPresent == 0:
		return read, NotPresent
	case has&flagBackedUp != 0 && has&flagEligible == 0:
		return read, BadBackup
	case has&flags != flags:
		return read, Unreadable
	}
	read.State = State{
		Counter: binary.BigEndian.Uint32(data[33:]), Verified: has&flagVerified != 0,
		Eligible: has&flagEligible != 0, BackedUp: has&flagBackedUp != 0,
	}
	r := &cbor.Reader{Rest: data[leastAuthenticatorData:]}
	if has&flagAttested != 0 {
		if err := read.attested(r); err != nil {
			return read, err
		}
	}
	if has&flagExtended != 0 {
		before := r.Rest
		if r.Skip(deepest) != nil || before[0]>>5 != cbor.Map {
			return read, Unreadable
		}
	}
	if len(r.Rest) > 0 {
		return read, Unreadable
	}
	return read, nil
}

// attested reads attested credential data (WebAuthn, section 6.5.1).
func (read *told) attested(r *cbor.Reader) error {
	const model, length = 16, 2 // bytes of the AAGUID and of the length of the id
	head, err := r.Next(model + length)
	if err != nil {
		return Unreadable
	}
	if read.id, err = r.Next(uint64(binary.BigEndian.Uint16(head[model:]))); err != nil || len(read.id) == 0 || len(read.id) > longestID {
		return Unreadable
	}
	before := r.Rest
	if read.key, err = readKey(r); err != nil {
		return BadKey
	}
	read.cose = before[:len(before)-len(r.Rest)]
	return nil
}

// attested reports whether an attestation is none, or the passkey's own: both say nothing
// of the authenticator (WebAuthn, sections 8.2 and 8.7).
func attested(format string, statement []byte, k *key, message []byte) bool {
	r := &cbor.Reader{Rest: statement}
	if format == "none" {
		return bytes.Equal(statement, []byte{cbor.Map << 5})
	}
	var algorithm int64
	var signature []byte
	err := fields(r, func(_ int64, name string) (err error) {
		switch name {
		case "alg":
			algorithm, _, err = numberOrBytes(r)
		case "sig":
			_, signature, err = numberOrBytes(r)
		default:
			err = cbor.ErrForm
		}
		return err
	})
	return format == "packed" && err == nil && algorithm == k.algorithm && k.signed(message, signature)
}

// known leaves of the ways to reach an authenticator those that browsers know.
func known(transports []string) []string {
	ways := []string{"usb", "nfc", "ble", "smart-card", "hybrid", "internal"}
	return slices.DeleteFunc(ways, func(way string) bool { return !slices.Contains(transports, way) })
}
