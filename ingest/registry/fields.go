package registry

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-playground/validator/v10"

	"vigie/protocols/document"
)

// rules checks fields by their validate tags and the rules between fields.
var rules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(jsonName)
	for tag, valid := range tags {
		err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return valid(f.Field().String()) })
		if err != nil {
			panic("registry: the tag " + tag + " cannot be registered: " + err.Error())
		}
	}
	v.RegisterStructValidation(checkTeam, Team{})
	v.RegisterStructValidation(checkIdentity, Identity{})
	v.RegisterStructValidation(checkEnrolment, Enrolment{})
	v.RegisterStructValidation(checkConsent, Consent{})
	return v
})

// plainName is what may stand in a topic, a user name and an address.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// tags are the validate tags of our own.
var tags = map[string]func(string) bool{
	"name":   plainName.MatchString,
	"ins":    validINS,
	"oid":    func(s string) bool { return s == OIDNIR || s == OIDNIA || s == OIDTest || s == OIDDemo },
	"rpps":   validRPPS,
	"zone":   func(s string) bool { _, err := time.LoadLocation(s); return err == nil && s != "" && s != "Local" },
	"clock":  func(s string) bool { _, err := time.Parse("15:04", s); return err == nil && len(s) == 5 },
	"secret": func(s string) bool { _, _, ok := parseSecret(s); return ok },
}

// checkTeam holds that hours have a length, that a rota names people it knows, and
// that overrides end after they begin.
func checkTeam(s validator.StructLevel) {
	team := s.Current().Interface().(Team)
	if tags["clock"](team.Opens) && team.Closes == team.Opens {
		s.ReportError(team.Closes, "closes", "Closes", "after-opens", "")
	}
	for i, hours := range team.Further {
		if tags["clock"](hours.Opens) && hours.Closes == hours.Opens {
			s.ReportError(hours.Closes, fmt.Sprintf("further_hours[%d].closes", i), "Closes", "after-opens", "")
		}
	}
	if team.Rota == nil {
		return
	}
	known := func(id string) bool {
		return slices.ContainsFunc(team.Rota.People, func(p Person) bool { return p.ID == id })
	}
	for i, shift := range team.Rota.Shifts {
		for j, id := range shift.People {
			if !known(id) {
				s.ReportError(id, fmt.Sprintf("rota.shifts[%d].people[%d]", i, j), "People", "on-rota", "")
			}
		}
	}
	for i, override := range team.Rota.Overrides {
		if !known(override.Person) {
			s.ReportError(override.Person, fmt.Sprintf("rota.overrides[%d].person", i), "Person", "on-rota", "")
		}
		if !override.Until.After(override.From) {
			s.ReportError(override.Until, fmt.Sprintf("rota.overrides[%d].until", i), "Until", "after-from", "")
		}
	}
}

func checkIdentity(s validator.StructLevel) {
	identity := s.Current().Interface().(Identity)
	if !strings.HasPrefix(identity.GivenNames+" ", identity.FirstGiven+" ") {
		s.ReportError(identity.FirstGiven, "first_given_name", "FirstGiven", "first-given", "")
	}
}

func checkEnrolment(s validator.StructLevel) {
	e := s.Current().Interface().(Enrolment)
	zone, err := time.LoadLocation(e.Zone)
	if err != nil || e.From.IsZero() || e.Prescription.IsZero() {
		return
	}
	if !e.Prescription.After(e.From) {
		s.ReportError(e.Prescription, "prescription_end", "Prescription", "after-from", "")
	}
	if anniversary := e.From.In(zone).AddDate(1, 0, 0); e.Prescription.After(startOfDay(anniversary).AddDate(0, 0, 1)) {
		s.ReportError(e.Prescription, "prescription_end", "Prescription", "one-year", "")
	}
}

func checkConsent(s validator.StructLevel) {
	c := s.Current().Interface().(Consent)
	if !c.Withdrawn.IsZero() && c.Withdrawn.Before(c.Date) {
		s.ReportError(c.Withdrawn, "withdrawn", "Withdrawn", "after-consent", "")
	}
}

// complaint is how a tag that does not hold is put to a person: a stable code,
// a sentence about the field, and the way out.
type complaint struct{ code, sentence, wayOut string }

var complaints = map[string]complaint{
	"required":      {"missing", "is missing", ""},
	"required_if":   {"missing", "is missing", ""},
	"name":          {"bad-name", "may hold letters without accents, digits, points, dashes and underscores only, 64 at most, the first a letter or digit", ""},
	"ins":           {"bad-ins", "is not an INS: 13 characters and a key of 2 digits that fits them", "read the INS again from the patient's record"},
	"oid":           {"bad-oid", "is not an OID of the INS", "use " + OIDNIR + " for a NIR, " + OIDNIA + " for a NIA, " + OIDTest + " for a synthetic patient"},
	"rpps":          {"bad-rpps", "is not an RPPS number: 11 digits, the last of which is a check digit", "read the number again from the professional's card"},
	"zone":          {"bad-time-zone", "is not a time zone", "use an IANA name: Europe/Paris, Indian/Reunion, America/Martinique"},
	"clock":         {"bad-clock", "is not a time of day", "write it as 08:30"},
	"secret":        {"bad-secret", "is not a secret written by an export", "leave it out: a new password is generated"},
	"datetime":      {"bad-date", "is not a date", "write it as 1951-03-27"},
	"len":           {"bad-birth-place", "is not an INSEE code of 5 characters", "75056 is Paris, 2A004 Ajaccio, 97411 Saint-Denis of La Réunion"},
	"alphanum":      {"bad-birth-place", "is not an INSEE code of 5 characters", "75056 is Paris, 2A004 Ajaccio, 97411 Saint-Denis of La Réunion"},
	"email":         {"bad-mail", "is not a mail address", ""},
	"http_url":      {"bad-url", "is not an address that begins with https:// or http://", ""},
	"min":           {"weak-password", "is too short to resist being tried: 16 characters at least", "leave it out: one of 256 random bits is generated"},
	"after-opens":   {"bad-clock", "is the same as opens", ""},
	"on-rota":       {"unknown-person", "is nobody that the rota lists under people", ""},
	"first-given":   {"bad-given-name", "is not what given_names begins with", ""},
	"after-from":    {"bad-date", "is not later than from", ""},
	"one-year":      {"prescription-too-long", "is later than the same day of the next year: a prescription lasts one year at most", "renew it by another enrolment when the time comes"},
	"after-consent": {"bad-date", "is earlier than the consent itself", ""},
}

// checkFields reports every field of item that its tags refuse. Values are not
// repeated: they may be an identity trait or a password.
func (d *decoder) checkFields(doc *document.Node, item any, path string) {
	err := rules().Struct(item)
	if err == nil {
		return
	}
	refused, ok := err.(validator.ValidationErrors)
	if !ok {
		d.problem(doc, path, "unreadable", "", "%s cannot be checked: %v", path, err)
		return
	}
	for _, field := range refused {
		_, inside, _ := strings.Cut(field.Namespace(), ".")
		where := join(path, inside)
		said, known := complaints[field.Tag()]
		if field.Tag() == "oneof" {
			said, known = complaint{"unknown-word", "is none of the words known here", "use one of: " + field.Param()}, true
		}
		if !known {
			said = complaint{"refused", "does not satisfy " + field.Tag(), ""}
		}
		if where == path+".consent.date" && field.Tag() == "required" {
			said = complaint{"consent-missing", "is missing: without a consent, given or refused, nobody is enrolled", "add consent: given, date and scope"}
		}
		d.problem(find(doc, where), where, said.code, said.wayOut, "%s %s", where, said.sentence)
	}
}

// eachItem calls check with every item of a slice and its path.
func eachItem[T any](name string, items []T, check func(item *T, path string)) {
	for i := range items {
		check(&items[i], fmt.Sprintf("%s[%d]", name, i))
	}
}
