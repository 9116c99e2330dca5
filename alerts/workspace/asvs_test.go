package workspace_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access/openid/standin"
)

// level2 lists the requirements of ASVS 5.0.0 up to level 2 in the chapters on
// authentication, session management and authorization, and those on a client of OpenID
// Connect.
var level2 = strings.Fields(`
6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12
6.3.1 6.3.2 6.3.3 6.3.4 6.4.1 6.4.2 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3
6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2 7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2
7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.1 8.1.2 8.2.1 8.2.2 8.2.3 8.3.1 8.4.1
10.1.1 10.1.2 10.2.1 10.2.2 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5`)

// Every line of the table names tests that exist, or says why it does not apply.
func TestEveryLineOfTheStandardIsShown(t *testing.T) {
	table, err := os.ReadFile("ASVS.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = filepath.WalkDir("../..", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil || len(tests) < 500 {
		t.Fatal(len(tests), err)
	}
	contract, err := os.ReadFile("../../ingest/stores/storetest/access.go")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \| (.+) \| (.+) \|$`).FindAllStringSubmatch(string(table), -1) {
		id, shown := row[1], row[3]
		lines = append(lines, id)
		named := 0
		for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(shown, -1) {
			if named++; !tests[name[1]] {
				t.Errorf("%s: there is no test %s", id, name[1])
			}
		}
		for _, name := range regexp.MustCompile(`“([^”]+)”`).FindAllStringSubmatch(shown, -1) {
			if named++; !strings.Contains(string(contract), `{"`+name[1]+`",`) {
				t.Errorf("%s: the contract has no case %q", id, name[1])
			}
		}
		if reason, away := strings.CutPrefix(shown, "Does not apply: "); named == 0 && (!away || len(reason) < 10) {
			t.Errorf("%s: no test, and no reason", id)
		}
	}
	if !slices.Equal(lines, level2) {
		t.Errorf("the table has the lines %v", lines)
	}
}

// Nothing is open but what has to be before somebody is in, or says nothing of anybody.
func TestEveryOpenAddressIsNamed(t *testing.T) {
	w := enrolled(t, signedInAt(t, standin.Start(t, time.Now), "https://vigie.example.org", nil))
	var open []string
	for _, route := range w.space.Routes() {
		if route.Open {
			open = append(open, route.Pattern)
		}
	}
	want := []string{
		"GET /healthz", "GET /api/v1/openapi.json", "GET /assets/{name}", "GET /app.webmanifest", "GET /login", "POST /login", "GET /login/code", "POST /login/code", "POST /login/code/ask",
		"POST /login/passkey", "POST /login/passkey/ask", "POST /logout",
		"POST /login/openid", "GET /login/openid/back", "GET /login/openid/place", "POST /login/openid/place",
		"GET /welcome", "POST /welcome", "POST /mine/open", "POST /mine/close", "GET /alerts/{id}/{act}", "GET /readyz", "GET /status",
	}
	for _, pattern := range open {
		if !slices.Contains(want, pattern) {
			t.Errorf("%s is open", pattern)
		}
	}
}

// What a stranger may read asks for no hint, and tells of nobody.
func TestStrangersKnowNothing(t *testing.T) {
	w := enrolled(t)
	w.invite("Lea Nurse")
	for _, path := range []string{"/login", "/status", "/healthz", "/readyz", "/api/v1/openapi.json"} {
		got := w.ask("GET", path, "", "Authorization", "")
		for _, word := range []string{"Lea Nurse", "lea.nurse", "secrète"} {
			if strings.Contains(got.body, word) {
				t.Errorf("%s says %q", path, word)
			}
		}
	}
	wrong, unknown := w.enter("lea.nurse", "guess guess guess", "/"), w.enter("nobody", "guess guess guess", "/")
	if wrong.StatusCode != unknown.StatusCode || strings.ReplaceAll(wrong.body, "lea.nurse", "x") != strings.ReplaceAll(unknown.body, "nobody", "x") {
		t.Error("an account that exists is told from one that does not")
	}
}
