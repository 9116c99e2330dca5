// Package authenticator is an authenticator in software, for tests: it makes passkeys and
// signs with them as a telephone or a security key does, and can be told to be wrong.
package authenticator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// Algorithms are those of COSE that it has.
const (
	ES256 = -7
	EdDSA = -8
	RS256 = -257
)

// The flags of authenticator data.
const (
	Present, Verified, Eligible, BackedUp = 1, 4, 8, 16
	Attested, Extended                    = 64, 128
)

// Passkey is a passkey and where it is used. Its fields are changed to be wrong.
type Passkey struct {
	ID        []byte
	User      []byte // the user handle
	Party     string // whose hash is signed
	Origin    string
	Flags     byte
	Counter   uint32
	Format    string // of the attestation
	Extension []byte // CBOR behind authenticator data
	Cross     bool   // used in a frame of another site
	COSE      []byte // the public key
	sign      func(message []byte) []byte
}

// New makes a passkey of a site that verifies who uses it.
func New(algorithm int, party, origin string, user []byte) *Passkey {
	k := &Passkey{ID: []byte(rand.Text()), User: user, Party: party, Origin: origin, Flags: Present | Verified, Format: "none"}
	switch algorithm {
	case ES256:
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		point, err := private.PublicKey.Bytes()
		must(err)
		k.COSE = Map(Int(1), Int(2), Int(3), Int(ES256), Int(-1), Int(1), Int(-2), Bytes(point[1:33]), Int(-3), Bytes(point[33:]))
		k.sign = func(message []byte) []byte {
			digest := sha256.Sum256(message)
			return signed(private.Sign(rand.Reader, digest[:], crypto.SHA256))
		}
	case EdDSA:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		must(err)
		k.COSE = Map(Int(1), Int(1), Int(3), Int(EdDSA), Int(-1), Int(6), Int(-2), Bytes(public))
		k.sign = func(message []byte) []byte { return ed25519.Sign(private, message) }
	case RS256:
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		must(err)
		k.COSE = Map(Int(1), Int(3), Int(3), Int(RS256), Int(-1), Bytes(private.N.Bytes()), Int(-2), Bytes([]byte{1, 0, 1}))
		k.sign = func(message []byte) []byte {
			digest := sha256.Sum256(message)
			return signed(private.Sign(rand.Reader, digest[:], crypto.SHA256))
		}
	}
	return k
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func signed(signature []byte, err error) []byte {
	must(err)
	return signature
}

// Create is what a browser sends of a new passkey.
func (k *Passkey) Create(challenge []byte) []byte {
	client := k.client("webauthn.create", challenge)
	data := k.data(k.Flags | Attested)
	statement := Map()
	if k.Format == "packed" {
		hash := sha256.Sum256(client)
		statement = Map(Text("alg"), algorithmOf(k.COSE), Text("sig"), Bytes(k.sign(slices.Concat(data, hash[:]))))
	}
	object := Map(Text("fmt"), Text(k.Format), Text("attStmt"), statement, Text("authData"), Bytes(data))
	return k.answer(map[string]any{"clientDataJSON": text(client), "attestationObject": text(object), "transports": []string{"internal"}})
}

// algorithmOf is the algorithm as it stands in a COSE key that this package wrote.
func algorithmOf(cose []byte) []byte {
	rest := cose[4:] // map, 1, type, 3
	if rest[0] < 0x38 {
		return rest[:1]
	}
	return rest[:3]
}

// Sign is what a browser sends of a sign-in. The counter has gone up by one, where there is
// one.
func (k *Passkey) Sign(challenge []byte) []byte {
	if k.Counter > 0 {
		k.Counter++
	}
	client, data := k.client("webauthn.get", challenge), k.data(k.Flags)
	hash := sha256.Sum256(client)
	response := map[string]any{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(k.sign(slices.Concat(data, hash[:]))),
	}
	if k.User != nil {
		response["userHandle"] = text(k.User)
	}
	return k.answer(response)
}

func (k *Passkey) client(kind string, challenge []byte) []byte {
	client, err := json.Marshal(map[string]any{"type": kind, "challenge": text(challenge), "origin": k.Origin, "crossOrigin": k.Cross})
	must(err)
	return client
}

func (k *Passkey) data(flags byte) []byte {
	party := sha256.Sum256([]byte(k.Party))
	data := binary.BigEndian.AppendUint32(append(party[:], flags), k.Counter)
	if flags&Attested != 0 {
		data = append(data, make([]byte, 16)...)
		data = append(binary.BigEndian.AppendUint16(data, uint16(len(k.ID))), k.ID...)
		data = append(data, k.COSE...)
	}
	return append(data, k.Extension...)
}

func (k *Passkey) answer(response map[string]any) []byte {
	body, err := json.Marshal(map[string]any{"id": text(k.ID), "rawId": text(k.ID), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	must(err)
	return body
}

func text(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Map, Int, Bytes and Text write CBOR as CTAP has it. A map has a label before each value.
func Map(items ...[]byte) []byte {
	return slices.Concat(append([][]byte{head(5, len(items)/2)}, items...)...)
}

// Int writes a whole number.
func Int(n int) []byte {
	if n < 0 {
		return head(1, -1-n)
	}
	return head(0, n)
}

// Bytes writes a string of bytes.
func Bytes(data []byte) []byte { return append(head(2, len(data)), data...) }

// Text writes a text.
func Text(text string) []byte { return append(head(3, len(text)), text...) }

func head(major byte, n int) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 256:
		return []byte{major<<5 | 24, byte(n)}
	}
	return binary.BigEndian.AppendUint16([]byte{major<<5 | 25}, uint16(n))
}
