package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
)

func programs(t *testing.T, d *door) {
	link, err := d.Add(t.Context(), access.Account{Login: "coord", Name: "C. Roy", Roles: []access.Role{access.Coordinator}, Teams: []string{"cardio", "diabeto"}})
	d.must(err)
	_, err = d.Choose(t.Context(), link, goodPassword)
	d.must(err)
	until := d.now.Add(24 * time.Hour)
	_, err = d.Give(t.Context(), "coord", access.Token{Name: "x", Scopes: []access.Right{access.Prescribe}, Until: until})
	d.refused(err, access.BadToken)
	_, err = d.Give(t.Context(), "coord", access.Token{Name: "x", Scopes: []access.Right{access.Act}, Teams: []string{"pneumo"}, Until: until})
	d.refused(err, access.BadToken)
	_, err = d.Give(t.Context(), "coord", access.Token{Name: "x", Scopes: []access.Right{access.Act}})
	d.refused(err, access.BadToken)
	secret, err := d.Give(t.Context(), "coord", access.Token{Name: "tableau", Scopes: []access.Right{access.SeePatients}, Teams: []string{"cardio"}, Until: until})
	d.must(err)
	who, err := d.Program(t.Context(), secret, "192.0.2.9")
	d.must(err)
	expect(t, "sees its team", who.MayIn(access.SeePatients, "cardio"), true)
	expect(t, "sees another team of its owner", who.MayIn(access.SeePatients, "diabeto"), false)
	expect(t, "acts", who.MayIn(access.Act, "cardio"), false)
	d.now = until
	if _, err := d.Program(t.Context(), secret, "192.0.2.9"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("after its end: got %v, want nobody", err)
	}
}

func revoked(t *testing.T, d *door) {
	d.nurse("lea")
	secret, err := d.Give(t.Context(), "lea", access.Token{Name: "tableau", Scopes: []access.Right{access.SeePatients}, Until: d.now.Add(time.Hour)})
	d.must(err)
	tokens, err := d.Store.Tokens(t.Context())
	d.must(err)
	if len(tokens) != 1 || strings.Contains(tokens[0].Digest, secret) {
		t.Fatalf("kept %+v: want one token, without its secret", tokens)
	}
	d.must(d.Revoke(t.Context(), tokens[0].ID))
	if _, err := d.Program(t.Context(), secret, "192.0.2.9"); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("a revoked token: got %v, want nobody", err)
	}
}

func glass(t *testing.T, d *door) {
	factor, _ := d.nurse("lea")
	secret := d.login("lea", factor)
	who, err := d.Person(t.Context(), secret, "")
	d.must(err)
	_, err = d.Break(t.Context(), who, "p-9", " ")
	d.refused(err, access.NoReason)
	_, err = d.Break(t.Context(), who, "p-9", "appel du SAMU, sa cardiologue est absente")
	d.must(err)
	sees := func(patient string) bool {
		who, err := d.Person(t.Context(), secret, "")
		d.must(err)
		return who.MayFor(access.SeePatients, patient, []string{"diabeto"}, d.now)
	}
	expect(t, "sees that patient", sees("p-9"), true)
	expect(t, "sees another patient of that team", sees("p-8"), false)
	who, err = d.Person(t.Context(), secret, "")
	d.must(err)
	expect(t, "changes his thresholds", who.MayFor(access.Prescribe, "p-9", []string{"diabeto"}, d.now), false)
	for range 13 {
		d.now = d.now.Add(20 * time.Minute)
		sees("p-9")
	}
	expect(t, "sees him after more than four hours", sees("p-9"), false)
	since := func(ended time.Time) int {
		grants, err := d.Store.GrantsSince(t.Context(), ended)
		d.must(err)
		return len(grants)
	}
	expect(t, "what was granted this week", since(d.now.Add(-7*24*time.Hour)), 1)
	expect(t, "what is granted now", since(d.now), 0)
	_, err = d.Break(t.Context(), access.Program("tableau", []access.Right{access.SeePatients}), "p-9", "une raison")
	d.refused(err, access.NotYours)
}
