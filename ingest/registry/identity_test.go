package registry

import (
	"strings"
	"testing"

	"vigie/protocols/document"
)

// TestAMatriculeThatContradictsThePersonIsSaid changes the traits of the first patient. A
// person confirms what is right all the same; nobody validates the identity before.
func TestAMatriculeThatContradictsThePersonIsSaid(t *testing.T) {
	for name, c := range map[string]struct{ former, now, says string }{
		"another sex":       {"sex: F", "sex: M", "sex"},
		"another year":      {"birth_date: 1977-07-04", "birth_date: 1978-07-04", "birth_date"},
		"another month":     {"birth_date: 1977-07-04", "birth_date: 1977-08-04", "birth_date"},
		"another commune":   {`birth_place: "63220"`, `birth_place: "63221"`, "birth_place"},
		"another day":       {"birth_date: 1977-07-04", "birth_date: 1977-07-05", ""},
		"a century earlier": {"birth_date: 1977-07-04", "birth_date: 1877-07-04", ""},
		"an unknown place":  {`birth_place: "63220"`, `birth_place: "99999"`, ""},
	} {
		text := strings.Replace(ward, c.former, c.now, 1)
		_, problems := check(t, text, nil)
		if c.says == "" {
			if len(problems) > 0 {
				t.Errorf("%s: %+v", name, problems)
			}
			_, problems = check(t, strings.Replace(text, "sex: F", "sex: F, confirmed: [sex]", 1), nil)
			if len(problems) != 1 || problems[0].Code != "nothing-to-confirm" || !strings.HasSuffix(problems[0].Path, "identity.confirmed[0]") {
				t.Errorf("%s, confirmed: %+v", name, problems)
			}
			continue
		}
		said := func(what string, problems []document.Problem, refused bool) {
			t.Helper()
			if len(problems) != 1 || problems[0].Code != "ins-contradicts" || Refused(problems) != refused || problems[0].Line != 11 || !strings.Contains(problems[0].Message.EN, c.says) || strings.Contains(problems[0].Message.EN, "277") {
				t.Errorf("%s, %s: %+v", name, what, problems)
			}
		}
		said("provisional", problems, false)
		validated := strings.Replace(text, `ins: "277076322082910"`, `ins: "277076322082910", status: validated`, 1)
		_, problems = check(t, validated, nil)
		said("validated", problems, true)
		_, problems = check(t, strings.Replace(validated, "status: validated", "status: validated, confirmed: ["+c.says+"]", 1), nil)
		if len(problems) > 0 {
			t.Errorf("%s, confirmed: %+v", name, problems)
		}
	}
}

func TestPlacesOfAMatricule(t *testing.T) {
	for _, c := range []struct {
		matricule, place string
		same             bool
	}{
		{"75112", "75056", true}, {"69385", "69123", true}, {"13201", "13055", true}, {"75112", "69123", false},
		{"20004", "2A004", true}, {"20033", "2B033", true}, {"2A004", "2a004", false}, {"99100", "99109", false},
	} {
		if got := samePlace(c.matricule, c.place); got != c.same {
			t.Errorf("%s and %s: %v", c.matricule, c.place, got)
		}
	}
	for _, code := range []string{"75056", "2A004", "2b033", "97411", "97801", "98735", "99100", "99999", "01001", "95680"} {
		if !birthPlace.MatchString(code) {
			t.Errorf("%s is refused", code)
		}
	}
	for _, code := range []string{"", "7505", "750561", "00001", "96001", "2C004", "97901", "98100", "A0001", "7505A", "75 56"} {
		if birthPlace.MatchString(code) {
			t.Errorf("%q passes for an INSEE code", code)
		}
	}
}

// TestAMatriculeMayComeLater reads patients without one, and half of one.
func TestAMatriculeMayComeLater(t *testing.T) {
	without := strings.Replace(ward, `ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, `, "", 1)
	without = strings.Replace(without, `ins: 177072A00412392, oid: 1.2.250.1.213.1.4.10, `, "status: validated, ", 1)
	reg, problems := check(t, without, nil)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	if reg.Patients[0].Identity.Qualified() || reg.Patients[1].Identity.Qualified() {
		t.Error("an identity without a matricule is qualified")
	}
	for former, field := range map[string]string{`ins: "277076322082910", `: "ins", "oid: 1.2.250.1.213.1.4.10, birth_name: DURAND": "oid"} {
		now := ""
		if field == "oid" {
			now = "birth_name: DURAND"
		}
		_, problems := check(t, strings.Replace(ward, former, now, 1), nil)
		if len(problems) != 1 || problems[0].Code != "missing" || !strings.HasSuffix(problems[0].Path, "identity."+field) {
			t.Errorf("without its %s: %+v", field, problems)
		}
	}
}

func TestAMatriculeLeavesOnlyWithAQualifiedIdentity(t *testing.T) {
	qualified := Identity{INS: "279035121518989", OID: OIDTest, BirthName: "ROUX", Status: ValidIdentity}
	for name, c := range map[string]struct {
		change func(*Identity)
		leaves bool
	}{
		"qualified":    {func(*Identity) {}, true},
		"provisional":  {func(i *Identity) { i.Status = Provisional }, false},
		"nothing said": {func(i *Identity) { i.Status = "" }, false},
		"no kind":      {func(i *Identity) { i.OID = "" }, false},
		"a wrong key":  {func(i *Identity) { i.INS = "123456789012244" }, false},
	} {
		one := qualified
		c.change(&one)
		if got := one.Leaving(); (got.INS != "") != c.leaves || got.BirthName != "ROUX" || !c.leaves && got.OID != "" {
			t.Errorf("%s: %+v leaves", name, got)
		}
	}
}

func TestTraitsAreStrictInCapitalsWithoutDiacritics(t *testing.T) {
	for received, strict := range map[string]string{
		"Lœtitia Élise-Anne": "LOETITIA ELISE-ANNE", "d’Aubigné": "D'AUBIGNE", "Ÿvonne  François": "YVONNE FRANCOIS", "GROß": "GROSS", "Æsa": "AESA",
		"N\u0303ora": "NORA", "O'BRIEN": "O'BRIEN",
	} {
		one := Identity{BirthName: received, GivenNames: received, FirstGiven: received}
		if got := one.Strict(); got.BirthName != strict || got.GivenNames != strict || got.FirstGiven != strict {
			t.Errorf("%q is strictly %q, want %q", received, got.BirthName, strict)
		}
		if one.BirthName != received {
			t.Error("what was received is lost")
		}
	}
}
