package access

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEveryRoleAndRightHasItsPlace(t *testing.T) {
	seen := map[Role]bool{}
	held := map[Right]bool{}
	for _, role := range Roles() {
		if seen[role.ID] || role.Title.FR == "" || role.Title.EN == "" {
			t.Errorf("role %q is there twice, or has no title", role.ID)
		}
		seen[role.ID] = true
		for _, right := range role.Rights {
			held[right] = true
		}
		if !role.InTeams && slices.ContainsFunc(role.Rights, func(r Right) bool { return slices.Contains(throughGlass, r) }) {
			t.Errorf("role %q sees patients without belonging to a team", role.ID)
		}
	}
	for _, right := range []Right{SeePatients, SeeIdentity, Act, EnterReadings, Prescribe, Enrol, ManageTeam, SeeFigures, SeeDevices, ManageAccounts, SeeTrail, BreakGlass} {
		if !held[right] {
			t.Errorf("nobody holds %q", right)
		}
	}
}

func TestWhoSeesWhom(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	nurse := Who{Account: "a", Roles: []Role{Nurse}, Teams: []string{"cardio"}}
	for _, c := range []struct {
		name  string
		who   Who
		right Right
		teams []string
		want  bool
	}{
		{"nobody", Who{}, SeePatients, []string{"cardio"}, false},
		{"nobody, of a patient without a team", Who{}, SeePatients, nil, false},
		{"a nurse, of her team", nurse, SeePatients, []string{"cardio"}, true},
		{"a nurse, of a patient two teams follow", nurse, Act, []string{"diabeto", "cardio"}, true},
		{"a nurse, of another team", nurse, SeePatients, []string{"diabeto"}, false},
		{"a nurse, of a patient nobody is in charge of", nurse, SeePatients, nil, true},
		{"a nurse changes thresholds", nurse, Prescribe, []string{"cardio"}, false},
		{"a nurse of no team", Who{Account: "a", Roles: []Role{Nurse}}, SeePatients, nil, false},
		{"an administrator sees patients", Who{Account: "a", Roles: []Role{Administrator}}, SeePatients, nil, false},
		{"a patient sees others", Who{Account: "a", Roles: []Role{Patient}, Teams: []string{"cardio"}}, SeePatients, []string{"cardio"}, false},
		{"a program of the configuration", Program("x", []Right{SeePatients}), SeePatients, []string{"cardio"}, true},
		{"a program of the configuration, beyond its scope", Program("x", []Right{SeePatients}), Act, []string{"cardio"}, false},
		{"a program without a scope", Program("x", []Right{}), SeePatients, []string{"cardio"}, false},
	} {
		if got := c.who.MayFor(c.right, "p-1", c.teams, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNationalIdentifiers(t *testing.T) {
	for _, c := range []struct {
		text     string
		right    bool
		doubtful bool
	}{
		{"RPPS:10001234565", true, false},
		{"RPPS:10001234566", true, true},
		{"IDNPS:810001234565", true, true},
		{"ANS:ANS20230101", true, false},
		{"RPPS:1000123456", false, false},
		{"IDNPS:10001234565", false, false},
		{"ADELI:123456789", false, false},
		{"10001234565", false, false},
		{"", false, false},
	} {
		got, err := ParseIdentifier(c.text)
		if (err == nil) != c.right {
			t.Errorf("%q: got %v", c.text, err)
		}
		if err == nil && got.Doubtful() != c.doubtful {
			t.Errorf("%q: doubtful is %v", c.text, got.Doubtful())
		}
	}
}

func TestPasswordsThatAreGuessed(t *testing.T) {
	account := &Account{Login: "lea.morel", Name: "Léa Morel"}
	for password, right := range map[string]bool{
		"trois petits chats":       true,
		"Xk4#fh2!Lq9z":             true,
		"aaaaaaaaaaaaaaaa":         false,
		"lea.morel2026":            false,
		"motdepasse123":            false,
		"court":                    false,
		string(make([]byte, 1000)): false,

		"toute phrase, même longue, 2026": true,
		"🐈 chats 🐕 chiens":                true,
		"un lapin sur un vélo":            true,
		strings.Repeat("é une ligne ", 6): true,
		// Among those most often stolen, of 12 characters and more.
		"123456789012": false, "1234567890qwerty": false, "123qweasdzxc": false, "1qaz2wsx3edc": false, "q1w2e3r4t5y6": false,
		"1q2w3e4r5t6y": false, "qazwsxedcrfv": false, "123456qwerty": false, "qwertyuiop123": false, "123456789qwe": false,
		"qwerasdfzxcv": false, "112233445566": false, "1qaz2wsx3edc4rfv": false, "123123123123": false, "123321123321": false,
		"zaq1xsw2cde3": false, "123456789abc": false, "azertyuiop123": false, "azertyazerty": false, "password1234": false,
		"motdepasse2026": false, "abcdefghijkl": false, "administrateur": false, "bonjour12345": false,
	} {
		if err := CheckPassword(password, account, nil); (err == nil) != right {
			t.Errorf("%.20q: got %v", password, err)
		}
	}
	for _, word := range contextWords {
		if err := CheckPassword(word+word+"2026!", account, nil); err == nil {
			t.Errorf("%q alone makes a password", word)
		}
	}
}

func TestAStolenPasswordIsRefused(t *testing.T) {
	known, err := ReadKnown(strings.NewReader("court\nUne Longue Phrase\nautre mot de passe\nautre mot de passe\n"))
	if err != nil || known.Len() != 2 {
		t.Fatalf("%d are known, %v", known.Len(), err)
	}
	for password, right := range map[string]bool{"une longue phrase": false, "UNE longue phrase": false, "une courte phrase": true} {
		if err := CheckPassword(password, &Account{}, known); (err == nil) != right {
			t.Errorf("%q: got %v", password, err)
		}
	}
}

// Secrets are made by the system's source of chance alone.
func TestSecretsComeFromTheSystem(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range parsed.Imports {
			if strings.HasPrefix(imported.Path.Value, `"math/rand`) {
				t.Errorf("%s imports %s", name, imported.Path.Value)
			}
		}
	}
	codes, digests := newRecovery()
	for i, code := range codes {
		if plain := plainCode(code); len(plain)*5 < 112 || digests[i] != digest(plain) || slices.Index(codes, code) != i {
			t.Errorf("a recovery code of %d bits, or one that is there twice", len(plain)*5)
		}
	}
	if first, second := newSecret(), newSecret(); len(first)*5 < 160 || first == second {
		t.Error("the secret of a one-time password is short, or the same twice")
	}
}

func TestWhatABrowserSaysOfItselfIsCutAtACharacter(t *testing.T) {
	if got := cut("Fire\x1b[31mfox é", 12); got != "Fire[31mfox " {
		t.Errorf("got %q", got)
	}
	if got := cut("ééé", 5); got != "éé" {
		t.Errorf("got %q", got)
	}
}

func TestTriesForget(t *testing.T) {
	var tries Tries
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range 3 * remembered {
		tries.Count(string(rune('a'+i%26))+time.Duration(i).String(), now.Add(time.Duration(i)*time.Second))
	}
	if len(tries.from) > remembered {
		t.Errorf("%d keys are remembered, at most %d are to be", len(tries.from), remembered)
	}
}

// What is written beside the table of the standard is what is done.
func TestTheDecisionsAreTheConstants(t *testing.T) {
	written, err := os.ReadFile("../workspace/ASVS.md")
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{}.orDefault()
	for _, decision := range []string{
		fmt.Sprintf("%d to %d characters", ShortestPassword, longestPassword),
		fmt.Sprintf("a one-time link for %.0f hours", linkHolds.Hours()),
		fmt.Sprintf("After %d wrong tries", mistyped), fmt.Sprintf("at most %.0f min", longestWait.Minutes()), fmt.Sprintf("%.0f min without a try", forgiven.Minutes()),
		fmt.Sprintf("%d wrong passwords at once and then %d a second", strangersAtOnce, strangersASecond),
		fmt.Sprintf("after %d wrong dates of birth", mostWrong),
		fmt.Sprintf("after %.0f min without a request and after %.0f h", limits.Idle.Minutes(), limits.Absolute.Hours()),
		fmt.Sprintf("holds %d sessions at most", mostSessions),
		fmt.Sprintf("A challenge holds for %.0f min", answering.Minutes()), fmt.Sprintf("within %.0f min after both factors", freshly.Minutes()),
		fmt.Sprintf("has %d passkeys at most", mostPasskeys),
		fmt.Sprintf("broken for %.0f hours", glassOpen.Hours()),
		fmt.Sprintf("a state that holds for %.0f min", signingIn.Minutes()), fmt.Sprintf("After %d answers", mistyped), fmt.Sprintf("At most %d exchanges", mostAway),
	} {
		if !strings.Contains(string(written), decision) {
			t.Errorf("it is not written: %q", decision)
		}
	}
}
