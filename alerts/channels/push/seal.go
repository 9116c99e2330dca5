package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Every message is padded to the same size: its length says nothing to the push service.
const (
	padded     = 1024
	recordSize = 4096 // every service takes that much (RFC 8030, section 7.2)
)

// seal encrypts a message for a browser (RFC 8291), as one record of the coding
// aes128gcm (RFC 8188).
func (s subscription) seal(message []byte) ([]byte, error) {
	if len(message) >= padded {
		return nil, fmt.Errorf("a push message has %d bytes, of %d at most", len(message), padded-1)
	}
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	shared, err := ours.ECDH(s.key)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails, see crypto/rand
	point := ours.PublicKey().Bytes()
	both, err := hkdf.Key(sha256.New, shared, s.secret, "WebPush: info\x00"+string(s.key.Bytes())+string(point), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, both, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, both, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, padded)
	plain[copy(plain, message)] = 2 // ends the last record; zeros follow
	sealed := binary.BigEndian.AppendUint32(salt, recordSize)
	sealed = append(append(sealed, byte(len(point))), point...)
	return gcm.Seal(sealed, nonce, plain, nil), nil
}
