package registry

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-playground/validator/v10"

	"vigie/protocols"
	"vigie/protocols/document"
)

// rules checks fields by their validate tags and the rules between fields.
var rules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	for tag, valid := range tags {
		err := v.RegisterValidation(tag, func(f validator.FieldLevel) bool { return valid(f.Field().String()) })
		if err != nil {
			panic("registry: the tag " + tag + " cannot be registered: " + err.Error())
		}
	}
	v.RegisterStructValidation(checkTeam, Team{})
	v.RegisterStructValidation(checkEnrolment, Enrolment{})
	v.RegisterStructValidation(checkConsent, Consent{})
	return v
})

// plainName is what may stand in a topic, a user name and an address.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// phoneNumber is a number as people write it: "02 62 12 34 56", "+262 692 12 34 56", or a
// short one: "3114".
var phoneNumber = regexp.MustCompile(`^\+?[0-9](?:[ .-]?[0-9]){1,18}$`)

// tags are the validate tags of our own.
var tags = map[string]func(string) bool{
	"name":   plainName.MatchString,
	"ins":    validINS,
	"insee":  birthPlace.MatchString,
	"oid":    func(s string) bool { return s == OIDNIR || s == OIDNIA || s == OIDTest || s == OIDDemo },
	"rpps":   validRPPS,
	"phone":  phoneNumber.MatchString,
	"zone":   func(s string) bool { _, err := time.LoadLocation(s); return err == nil && s != "" && s != "Local" },
	"clock":  IsClock,
	"secret": func(s string) bool { _, _, _, ok := parseSecret(s); return ok },
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
	for _, name := range Purposes {
		if p := c.Purpose(name); !p.Withdrawn.IsZero() && p.Withdrawn.Before(p.Date) {
			s.ReportError(p.Withdrawn, name+".withdrawn", "Withdrawn", "after-consent", "")
		}
	}
}

// complaint is how a tag that does not hold is put to a person: a stable code,
// a sentence about the field, and the way out.
type complaint struct {
	code             string
	sentence, wayOut protocols.Text
}

// complain is a complaint in both languages; the way out may be empty.
func complain(code, fr, en, wayOutFR, wayOutEN string) complaint {
	return complaint{code, protocols.Text{FR: fr, EN: en}, protocols.Text{FR: wayOutFR, EN: wayOutEN}}
}

var (
	readAgain    = protocols.Say("relire l'INS dans le dossier du patient", "read the INS again from the patient's record")
	notAfterFrom = protocols.Say("ce n'est pas plus tard que from", "this is not later than from")

	missing        = complain("missing", "ceci manque", "this is missing", "", "")
	withoutConsent = complain("consent-missing", "sans consentement, donné ou refusé, personne n'est inclus", "without a consent, given or refused, nobody is enrolled",
		"ajouter consent : given, date et scope", "add consent: given, date and scope")
)

// complaints are what is said of each validate tag.
var complaints = map[string]complaint{
	"required":    missing,
	"required_if": missing,
	"name": complain("bad-name", "seuls des lettres sans accent, des chiffres, points, tirets et tirets bas ont leur place ici, 64 au plus, le premier une lettre ou un chiffre",
		"this may hold letters without accents, digits, points, dashes and underscores only, 64 at most, the first a letter or digit", "", ""),
	"ins": {"bad-ins", protocols.Say("ce n'est pas un INS : 13 caractères, et la clé de 2 chiffres qui leur va", "this is not an INS: 13 characters and a key of 2 digits that fits them"), readAgain},
	"oid": complain("bad-oid", "ce n'est pas un OID de l'INS", "this is not an OID of the INS",
		OIDNIR+" pour un NIR, "+OIDNIA+" pour un NIA, "+OIDTest+" pour un patient fictif", "use "+OIDNIR+" for a NIR, "+OIDNIA+" for a NIA, "+OIDTest+" for a synthetic patient"),
	"rpps": complain("bad-rpps", "ce n'est pas un numéro RPPS : 11 chiffres, dont une clé", "this is not an RPPS number: 11 digits, the last of which is a check digit",
		"relire le numéro sur la carte du professionnel", "read the number again from the professional's card"),
	"phone": complain("bad-phone", "ce n'est pas un numéro de téléphone", "this is not a telephone number",
		"l'écrire ainsi : 02 62 12 34 56, ou +262 692 12 34 56", "write it as 02 62 12 34 56, or +262 692 12 34 56"),
	"bcp47_language_tag": complain("bad-language", "ce n'est pas un code de langue", "this is not a language tag", "l'écrire ainsi : fr, en, pt-BR", "write it as fr, en, pt-BR"),
	"max":                complain("too-long", "c'est trop long pour être lu d'un coup d'œil", "this is too long to be read at a glance", "120 caractères au plus", "120 characters at most"),
	"email":              complain("bad-mail", "ce n'est pas une adresse de courriel", "this is not a mail address", "", ""),
	"zone": complain("bad-time-zone", "ce n'est pas un fuseau horaire", "this is not a time zone",
		"employer un nom de l'IANA : Europe/Paris, Indian/Reunion, America/Martinique", "use an IANA name: Europe/Paris, Indian/Reunion, America/Martinique"),
	"clock": complain("bad-clock", "ce n'est pas une heure du jour", "this is not a time of day", "l'écrire ainsi : 08:30", "write it as 08:30"),
	"secret": complain("bad-secret", "ce n'est pas une empreinte écrite par un export", "this is not a secret written by an export",
		"l'enlever : un nouveau mot de passe est tiré", "leave it out: a new password is generated"),
	"datetime": complain("bad-date", "ce n'est pas une date", "this is not a date", "l'écrire ainsi : 1951-03-27", "write it as 1951-03-27"),
	"insee": complain("bad-birth-place", "ce n'est pas un code INSEE de commune ou de pays", "this is no INSEE code of a commune or a country",
		"75056 est Paris, 2A004 Ajaccio, 97411 Saint-Denis de La Réunion, 99100 un pays étranger, 99999 un lieu inconnu", "75056 is Paris, 2A004 Ajaccio, 97411 Saint-Denis of La Réunion, 99100 a country abroad, 99999 an unknown place"),
	"required_with": missing,
	"http_url":      complain("bad-url", "ce n'est pas une adresse qui commence par https:// ou http://", "this is not an address that begins with https:// or http://", "", ""),
	"min": complain("weak-password", "trop court pour résister aux essais : 16 caractères au moins", "too short to resist being tried: 16 characters at least",
		"l'enlever : 256 bits au hasard sont tirés", "leave it out: one of 256 random bits is generated"),
	"after-opens": complain("bad-clock", "c'est la même heure que opens", "this is the same as opens", "", ""),
	"on-rota":     complain("unknown-person", "personne de ce nom n'est dans people", "this is nobody that the rota lists under people", "", ""),
	"after-from":  {"bad-date", notAfterFrom, protocols.Text{}},
	"one-year": complain("prescription-too-long", "une prescription dure un an au plus : jusqu'au même jour de l'année suivante", "a prescription lasts one year at most: until the same day of the next year",
		"la renouveler le moment venu par une autre inclusion", "renew it by another enrolment when the time comes"),
	"sha256": complain("bad-digest", "ce n'est pas une empreinte SHA-256 : 64 chiffres hexadécimaux", "this is not a SHA-256 digest: 64 hexadecimal digits",
		"la calculer avec sha256sum, ou vigie consent give --proof FICHIER", "compute it with sha256sum, or vigie consent give --proof FILE"),
	"after-consent": complain("bad-date", "c'est plus tôt que le consentement lui-même", "this is earlier than the consent itself", "", ""),
}

// checkFields notes every field of item that its tags refuse. Values are not
// repeated: they may be an identity trait or a password.
func (c *checker) checkFields(item any, path string) {
	err := rules().Struct(item)
	if err == nil {
		return
	}
	refused, ok := err.(validator.ValidationErrors)
	if !ok {
		c.refuse(path, "unreadable", protocols.Say("ceci ne peut pas être vérifié : %v", "this cannot be checked: %v", err), none)
		return
	}
	for _, field := range refused {
		_, inside, _ := strings.Cut(field.Namespace(), ".")
		where := document.Join(path, inside)
		said, known := complaints[field.Tag()]
		switch {
		case field.Tag() == "oneof":
			words := strings.Fields(field.Param())
			said = complaint{"unknown-word", protocols.Say("ce n'est pas un mot connu ici", "this is none of the words known here"), document.OneAmong(words)}
		case where == path+".consent.date" && field.Tag() == "required":
			said = withoutConsent
		case !known:
			said = complaint{"refused", protocols.Say("ceci ne satisfait pas %s", "this does not satisfy %s", field.Tag()), none}
		}
		c.refuse(where, said.code, said.sentence, said.wayOut)
	}
}

// eachItem calls check with every item of a slice and its path.
func eachItem[T any](name string, items []T, check func(item *T, path string)) {
	for i := range items {
		check(&items[i], fmt.Sprintf("%s[%d]", name, i))
	}
}

// IsClock reports whether text is a time of day as files and forms write it: "08:30".
func IsClock(text string) bool {
	_, err := time.Parse("15:04", text)
	return err == nil && len(text) == len("15:04")
}
