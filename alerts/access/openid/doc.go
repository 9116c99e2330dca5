// Package openid asks an OpenID Connect provider who somebody is, by the authorization code
// flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636), as Pro Santé Connect does
// it: the discovery document may lie under a path of the provider's own, and the places
// where a professional practises stand in SubjectRefPro of the userinfo answer.
//
// Libraries check the signature, the issuer, the audience and the end of an ID token. This
// package checks its nonce, its authorized party and its level of assurance (acr), and that
// the userinfo answer is of the same person. It keeps the discovery document for an hour, and
// nothing else. Whoever calls it keeps the attempt, and knows the accounts.
package openid
