package registry

import (
	"bytes"
	"strings"
	"testing"

	"vigie/ingest/yaml"
)

// reached is a patient who can be called.
const reached = `patients:
  - id: p-1
    identity:
      ins: "277076322082910"
      oid: 1.2.250.1.213.1.4.10
      birth_name: DURAND
      given_names: ANNE MARIE
      first_given_name: ANNE
      sex: F
      birth_date: 1977-07-04
      birth_place: "63220"
      contact:
        phone: 02 61 91 00 12
        hours: après 17 h
        carer: {name: Luce DURAND, tie: fille, phone: +262 639 98 00 12}
        general_practitioner: {name: Dr Hoarau, rpps: "10001234565", phone: 02.61.91.00.13, mail: hoarau@example.org}
        language: rcf
        measures_by: [phone, paper]
`

func TestAPatientCanBeReached(t *testing.T) {
	reg, problems := check(t, reached, nil)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	c := reg.Patients[0].Identity.Contact
	if c.Carer.Phone != "+262 639 98 00 12" || c.Physician.RPPS != "10001234565" || strings.Join(c.Measures, " ") != "phone paper" {
		t.Errorf("%+v", c)
	}
	var text bytes.Buffer
	if err := Write(&text, &reg); err != nil {
		t.Fatal(err)
	}
	if again, _ := check(t, text.String(), nil); again.Patients[0].Identity.Contact.Carer.Tie != "fille" {
		t.Errorf("what was written does not come back:\n%s", text.String())
	}
	table := "id,identity.ins,identity.oid,identity.birth_name,identity.given_names,identity.first_given_name,identity.sex,identity.birth_date,identity.birth_place,identity.contact.phone,identity.contact.measures_by,identity.contact.carer.name,identity.contact.carer.phone\n" +
		"p-1,277076322082910,1.2.250.1.213.1.4.10,DURAND,ANNE MARIE,ANNE,F,1977-07-04,63220,02 61 91 00 12,device phone,Luce,06 39 98 00 12\n"
	if reg, problems := checkCSV(t, table, "patients", nil); len(problems) > 0 || len(reg.Patients[0].Identity.Contact.Measures) != 2 || reg.Patients[0].Identity.Contact.Carer.Name != "Luce" {
		t.Errorf("%+v", problems)
	}
}

func TestWhoCannotBeReachedIsRefused(t *testing.T) {
	for wrong, want := range map[string]string{
		"phone: 02 61 91 00 12": "phone: demain", "fille, phone: +262 639 98 00 12": "fille",
		"rpps: \"10001234565\"": "rpps: \"10001234566\"", "mail: hoarau@example.org": "mail: hoarau",
		"language: rcf": "language: créole de La Réunion", "measures_by: [phone, paper]": "measures_by: [pigeon]", "hours: après 17 h": "hours: " + strings.Repeat("tard ", 40),
	} {
		doc, err := yaml.Parse([]byte(strings.Replace(reached, wrong, want, 1)))
		if err != nil {
			t.Fatal(err)
		}
		_, problems, err := Check(t.Context(), doc, heart, nil)
		if err != nil || !Refused(problems) || !strings.Contains(problems[0].Path, "patients[0].identity.contact.") {
			t.Errorf("%s: %v %+v", want, err, problems)
		}
	}
}
