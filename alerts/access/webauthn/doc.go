// Package webauthn checks what browsers send of a passkey: W3C Web Authentication, level 3,
// sections 7.1 (a new one) and 7.2 (a sign-in). It keeps nothing, has no clock, and draws
// nothing by chance. Whoever calls it checks the challenge, keeps the key and compares the
// counter.
//
// Attestation is not asked for: which make of device holds the key decides nothing here.
// Algorithms are ES256, EdDSA (Ed25519) and RS256.
package webauthn
