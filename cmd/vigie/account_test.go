package main

import (
	"bytes"
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
