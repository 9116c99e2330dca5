package webauthn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"slices"

	"vigie/protocols/cbor"
)

// Algorithms are those that a new passkey may have, as COSE numbers them (RFC 9053 and RFC
// 8812): the best first.
var Algorithms = []int64{eddsa, es256, rs256}

const (
	es256 = -7
	eddsa = -8
	rs256 = -257
)

// The labels and values of a COSE key (RFC 9052, section 7; RFC 9053, section 7; RFC 8230).
const (
	labelType, labelAlgorithm         = 1, 3
	labelCurve, labelX, labelY        = -1, -2, -3
	labelModulus, labelExponent       = -1, -2
	typeOKP, typeEC2, typeRSA         = 1, 2, 3
	curveP256, curveEd25519           = 1, 6
	shortestModulus, longestModulus   = 2048 / 8, 8192 / 8 // bytes
	coordinate                        = 32                 // bytes of a coordinate on either curve
	longestID, leastAuthenticatorData = 1023, 37           // WebAuthn, sections 7.1 and 6.1
)

// key is a public key that checks signatures.
type key struct {
	algorithm int64
	ec        *ecdsa.PublicKey
	ed        ed25519.PublicKey
	rsa       *rsa.PublicKey
}

// readKey reads a COSE key from the beginning of what r holds.
func readKey(r *cbor.Reader) (*key, error) {
	numbers, texts := map[int64]int64{}, map[int64][]byte{}
	err := fields(r, func(label int64, _ string) error {
		if number, text, err := numberOrBytes(r); err != nil {
			return err
		} else if text != nil {
			texts[label] = text
		} else {
			numbers[label] = number
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	k := &key{algorithm: numbers[labelAlgorithm]}
	switch {
	case numbers[labelType] == typeEC2 && k.algorithm == es256 && numbers[labelCurve] == curveP256:
		x, y := texts[labelX], texts[labelY]
		if len(x) != coordinate || len(y) != coordinate {
			return nil, BadKey
		}
		k.ec, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	case numbers[labelType] == typeOKP && k.algorithm == eddsa && numbers[labelCurve] == curveEd25519:
		if k.ed = texts[labelX]; len(k.ed) != ed25519.PublicKeySize {
			return nil, BadKey
		}
	case numbers[labelType] == typeRSA && k.algorithm == rs256:
		n, e := new(big.Int).SetBytes(texts[labelModulus]), new(big.Int).SetBytes(texts[labelExponent])
		bytes := (n.BitLen() + 7) / 8
		if bytes < shortestModulus || bytes > longestModulus || n.Bit(0) == 0 || e.BitLen() > 31 || e.Bit(0) == 0 || e.BitLen() < 2 {
			return nil, BadKey
		}
		k.rsa = &rsa.PublicKey{N: n, E: int(e.Int64())}
	default:
		return nil, BadKey
	}
	if err != nil {
		return nil, BadKey
	}
	return k, nil
}

// signed reports whether a signature is of this key.
func (k *key) signed(message, signature []byte) bool {
	digest := sha256.Sum256(message)
	switch k.algorithm {
	case es256:
		return ecdsa.VerifyASN1(k.ec, digest[:], signature)
	case eddsa:
		return ed25519.Verify(k.ed, message, signature)
	}
	return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest[:], signature) == nil
}
