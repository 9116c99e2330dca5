package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigie/alerts/access"
)

// The list says who has how many passkeys, to whoever is about to take them away.
func TestTheListOfAccountsCountsPasskeys(t *testing.T) {
	list := []access.Account{{ID: "1", Login: "lea", Name: "Léa", Password: "x"}, {ID: "2", Login: "zoe", Name: "Zoé", Password: "x"}, {ID: "3", Login: "ida", Name: "Ida", Password: "x"}}
	passkeys := []access.Passkey{{Account: "1"}, {Account: "1"}, {Account: "2"}}
	for in, want := range map[tongue][]string{"fr": {"actif                2 clés d'accès", "actif                1 clé d'accès", "sans second facteur"}, "en": {"active            2 passkeys", "active            1 passkey", "no second factor"}} {
		var out bytes.Buffer
		if err := writeAccounts(&out, list, passkeys, in, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%d lines: %s", len(lines), &out)
		}
		for i, line := range lines {
			if !strings.HasSuffix(strings.TrimSpace(line), want[i]) {
				t.Errorf("%q does not end in %q", line, want[i])
			}
		}
	}
}

// Somebody is invited, invited once more because the telephone is lost, and goes.
func TestAnAccountIsAddedResetAndDisabledByHand(t *testing.T) {
	folder, _ := aWard(t)
	link := regexp.MustCompile(`/welcome\?link=\S+`)
	first := link.FindString(typedWell(t, folder, "account", "add", "lea", "--name", "Léa Morel", "--role", "nurse", "--team", "cardio"))
	again := link.FindString(typedWell(t, folder, "account", "reset", "lea", "--second-factor"))
	if first == "" || again == "" || first == again {
		t.Errorf("the links are %q and %q", first, again)
	}
	state := func(want string) {
		t.Helper()
		if said := typedWell(t, folder, "account", "list"); !strings.Contains(said, "Léa Morel") || !strings.Contains(said, want) {
			t.Errorf("the list says %s, want %s", said, want)
		}
	}
	state("invité")
	typedWell(t, folder, "account", "disable", "lea")
	state("désactivé")
	for _, line := range [][]string{{"account", "add", "lea", "--name", "Léa", "--role", "nurse"}, {"account", "add", "zoe", "--name", "Zoé", "--role", "wizard"}, {"account", "disable", "nobody"}, {"account", "reset", "nobody"}} {
		if said, err := typed(t, folder, line...); err == nil {
			t.Errorf("%v: %s", line, said)
		}
	}
	found := typedWell(t, folder, "audit", "search", "--limit", "0")
	for _, deed := range []string{"vigie account add", "vigie account reset", "vigie account disable"} {
		if !strings.Contains(found, deed) {
			t.Errorf("the trail says nothing of %s:\n%s", deed, found)
		}
	}
}

// A national identifier is given, replaced and taken away by hand; no two accounts in use
// have the same one, and what is no identifier changes nothing.
func TestANationalIdentifierIsGivenByHand(t *testing.T) {
	folder, _ := aWard(t)
	for _, login := range []string{"lea", "paul"} {
		typedWell(t, folder, "account", "add", login, "--name", login, "--role", "nurse", "--team", "cardio")
	}
	has := func(login string, want ...string) {
		t.Helper()
		for line := range strings.Lines(typedWell(t, folder, "account", "list", "--json")) {
			var account listedAccount
			if err := json.Unmarshal([]byte(line), &account); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range account.Identifiers {
				got = append(got, i.Type+":"+i.Value)
			}
			if account.Login == login && !slices.Equal(got, want) {
				t.Errorf("%s has %v, want %v", login, got, want)
			}
		}
	}
	typedWell(t, folder, "account", "identify", "lea", "RPPS:10001234565", "ANS:ANS123")
	has("lea", "RPPS:10001234565", "ANS:ANS123")
	if said := typedWell(t, folder, "account", "identify", "lea", "RPPS:10001234573", "--language", "en"); strings.Contains(said, "check digit") {
		t.Errorf("a number that fits is doubted: %s", said)
	}
	has("lea", "RPPS:10001234573")
	for said, line := range map[string][]string{
		"has this national identifier already": {"paul", "IDNPS:810001234573"}, // the same person
		"is no national identifier":            {"paul", "CARD:7"},
		"11 digits":                            {"paul", "RPPS:12"},
		"nobody":                               {"nobody", "RPPS:10001234565"},
	} {
		if _, err := typed(t, folder, append([]string{"account", "identify", "--language", "en"}, line...)...); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%v: %v, want %q", line, err, said)
		}
	}
	has("paul")
	if said := typedWell(t, folder, "account", "identify", "paul", "RPPS:10001234566", "--language", "en"); !strings.Contains(said, "check digit") {
		t.Errorf("a number whose check digit does not fit is taken without a word: %s", said)
	}
	typedWell(t, folder, "account", "identify", "lea")
	has("lea")
	if found := typedWell(t, folder, "audit", "search", "--limit", "0"); strings.Count(found, "vigie account identify") != 4 {
		t.Errorf("the trail does not have four of them:\n%s", found)
	}
}
