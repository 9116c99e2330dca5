package access

import (
	"slices"
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
	} {
		if err := CheckPassword(password, account); (err == nil) != right {
			t.Errorf("%.20q: got %v", password, err)
		}
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
