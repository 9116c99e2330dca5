package openid

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Attempt is what ties the answer of the provider to one question of one browser.
type Attempt struct {
	State    string
	Nonce    string // comes back in the ID token
	Verifier string // of PKCE: 43 to 128 characters of base64url
}

// Person is who the provider says somebody is.
type Person struct {
	Issuer, Subject string
	Identifier      string  // the national one, as the provider writes it
	Places          []Place // where the professional practises, in the provider's order
	Token           string  // the ID token: the provider takes it as a hint of who leaves
	// Authenticated is when the person signed in at the provider; zero where it does not say.
	Authenticated time.Time
}

// Place is a place of practice.
type Place struct {
	ID   string `json:"id"`             // of the structure
	Name string `json:"name,omitempty"` // its business name
}

// Answer is what a browser brings back from the provider.
type Answer struct {
	Code   string
	Issuer string // iss of RFC 9207
	Error  string
}

// Ask returns the address at which somebody signs in. Errors are of type *Fault.
func (p *Provider) Ask(ctx context.Context, attempt Attempt) (string, error) {
	k, err := p.discovered(ctx)
	if err != nil {
		return "", err
	}
	return k.oauth.AuthCodeURL(attempt.State, oidc.Nonce(attempt.Nonce), oauth2.S256ChallengeOption(attempt.Verifier),
		oauth2.SetAuthURLParam("acr_values", strings.Join(p.Levels, " ")), oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(mostAge.Seconds())))), nil
}

// Person exchanges the code of an answer for who the person is. Errors are of type *Fault.
func (p *Provider) Person(ctx context.Context, answer Answer, attempt Attempt) (*Person, error) {
	k, err := p.discovered(ctx)
	if err != nil {
		return nil, err
	}
	if answer.Issuer != "" && answer.Issuer != p.Issuer || answer.Issuer == "" && k.names {
		return nil, fault(Forged, "the answer is of another issuer, or of none")
	}
	if answer.Error != "" {
		return nil, said(answer.Error)
	}
	if answer.Code == "" {
		return nil, fault(Forged, "the answer has no code")
	}
	ctx = oidc.ClientContext(ctx, p.Client)
	tokens, err := k.oauth.Exchange(ctx, answer.Code, oauth2.VerifierOption(attempt.Verifier))
	if err != nil {
		return nil, exchanged(err)
	}
	person, err := p.verified(ctx, k, tokens, attempt)
	if err != nil {
		return nil, err
	}
	if err := p.described(ctx, k, tokens, person); err != nil {
		return nil, err
	}
	return person, nil
}

// said is what an error of the authorization endpoint means. What a stranger can write into
// an address goes nowhere.
func said(code string) *Fault {
	switch code {
	case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
		return fault(Refused, "the person or the provider said no")
	case "temporarily_unavailable", "server_error":
		return fault(Down, "the provider says that it cannot answer")
	case "unmet_authentication_requirements":
		return fault(Weak, "the provider cannot meet the level of assurance")
	}
	return fault(Setup, "the provider does not take the question")
}

// exchanged is what an error of the token endpoint means. Its text may hold what was sent.
func exchanged(err error) *Fault {
	var answered *oauth2.RetrieveError
	switch {
	case !errors.As(err, &answered) && unanswered(err):
		return fault(Down, "the code cannot be exchanged: the provider does not answer")
	case answered == nil:
		return fault(Forged, "the code was exchanged for what is no token")
	case answered.ErrorCode == "invalid_grant":
		return fault(Spent, "the provider does not take the code, or takes it no more")
	case answered.ErrorCode == "invalid_client" || answered.ErrorCode == "unauthorized_client":
		return fault(Setup, "the provider does not take the client's id and secret")
	case answered.Response.StatusCode >= http.StatusInternalServerError || answered.Response.StatusCode == http.StatusTooManyRequests:
		return fault(Down, "the code cannot be exchanged: "+answered.Response.Status)
	}
	return fault(Setup, "the provider does not exchange the code: "+answered.Response.Status)
}

// verified checks an ID token.
func (p *Provider) verified(ctx context.Context, k *known, tokens *oauth2.Token, attempt Attempt) (*Person, error) {
	raw, _ := tokens.Extra("id_token").(string)
	token, err := k.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fault(Forged, cut(err.Error())) // it repeats claims about the token, not about the person
	}
	var claims struct {
		Party string `json:"azp"`
		Level string `json:"acr"`
		At    int64  `json:"auth_time"` // seconds since 1970
	}
	if token.Claims(&claims) != nil {
		return nil, fault(Forged, "the ID token has claims of another type")
	}
	switch {
	case token.Subject == "":
		return nil, fault(Forged, "the ID token is of nobody")
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(attempt.Nonce)) != 1:
		return nil, fault(Forged, "the ID token has another nonce")
	case claims.Party != "" && claims.Party != p.ClientID, claims.Party == "" && len(token.Audience) > 1:
		return nil, fault(Forged, "the ID token was made for another client")
	case token.IssuedAt.After(p.Now().Add(clockLeeway)):
		return nil, fault(Forged, "the ID token is of a time to come")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil:
		return nil, fault(Forged, "the ID token is of another access token")
	case !slices.Contains(p.Levels, claims.Level):
		return nil, fault(Weak, "the ID token has another level of assurance")
	case claims.At != 0 && p.Now().Sub(time.Unix(claims.At, 0)) > mostAge+clockLeeway:
		return nil, fault(Weak, "the person signed in at the provider long ago")
	}
	person := &Person{Issuer: token.Issuer, Subject: token.Subject, Token: raw}
	if claims.At != 0 {
		person.Authenticated = time.Unix(claims.At, 0).UTC()
	}
	return person, nil
}

// longestReason bounds what a log holds, in bytes.
const longestReason = 200

func cut(text string) string { return text[:min(len(text), longestReason)] }

// described adds what the userinfo answer says of a person. An error of the library may hold
// that answer, so that none of its text is kept.
func (p *Provider) described(ctx context.Context, k *known, tokens *oauth2.Token, person *Person) error {
	info, err := k.provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil && unanswered(err) {
		return fault(Down, "the userinfo cannot be asked for")
	}
	var claims map[string]json.RawMessage
	if err != nil || info.Claims(&claims) != nil {
		return fault(Setup, "the provider gives no userinfo")
	}
	if info.Subject != person.Subject {
		return fault(Forged, "the userinfo is of another person")
	}
	if text, there := claims[p.Claim]; there && json.Unmarshal(text, &person.Identifier) != nil {
		return fault(Setup, "the claim of the national identifier is no text")
	}
	if text, there := claims["SubjectRefPro"]; there {
		var of practices
		if json.Unmarshal(text, &of) != nil {
			return fault(Setup, "SubjectRefPro has another form")
		}
		person.Places = of.places()
	}
	return nil
}

// practices is what is read of SubjectRefPro.
type practices struct {
	Exercises []struct {
		Activities []struct {
			Finess    string `json:"numeroFinessSite"`
			Siret     string `json:"numeroSiretSite"`
			Technical string `json:"identifiantTechniqueDeLaStructure"`
			Former    string `json:"ancienIdentifiantDeLaStructure"`
			Name      string `json:"raisonSocialeSite"`
			Sign      string `json:"enseigneCommercialeSite"`
		} `json:"activities"`
	} `json:"exercices"`
}

// mostPlaces is how many places of practice a person may have.
const mostPlaces = 50

// places lists each structure once.
func (of practices) places() (list []Place) {
	for _, exercise := range of.Exercises {
		for _, a := range exercise.Activities {
			place := Place{ID: cmp.Or(a.Finess, a.Siret, a.Technical, a.Former, a.Name, a.Sign), Name: cmp.Or(a.Name, a.Sign)}
			known := slices.ContainsFunc(list, func(p Place) bool { return p.ID == place.ID })
			if place.ID != "" && !known && len(list) < mostPlaces {
				list = append(list, place)
			}
		}
	}
	return list
}

// leaves is how long somebody who signs out waits for a provider of which nothing is known.
const leaves = time.Second

// Leave returns the address at which somebody signs out of the provider too, empty where it
// announced none, or does not say so at once. token is the ID token of Person, or empty.
func (p *Provider) Leave(ctx context.Context, token string) string {
	ctx, cancel := context.WithTimeout(ctx, leaves)
	defer cancel()
	k, err := p.discovered(ctx)
	if err != nil || k.leave == "" {
		return ""
	}
	address, err := url.Parse(k.leave)
	if err != nil {
		return ""
	}
	query := address.Query()
	query.Set("client_id", p.ClientID)
	query.Set("post_logout_redirect_uri", p.After)
	if token != "" {
		query.Set("id_token_hint", token)
	}
	address.RawQuery = query.Encode()
	return address.String()
}

// Title is how a place is called.
func (p Place) Title() string { return cmp.Or(p.Name, p.ID) }
