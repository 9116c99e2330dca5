package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"vigie/protocols"
)

// Identity holds the strict traits of the French INS, and how the person is reached. The
// traits stand here as they were received; see Strict.
type Identity struct {
	INS        string `json:"ins,omitempty" yaml:"ins,omitempty" validate:"required_with=OID,omitempty,ins"` // 13 characters and the 2-digit key; empty while it is not known
	OID        string `json:"oid,omitempty" yaml:"oid,omitempty" validate:"required_with=INS,omitempty,oid"` // 1.2.250.1.213.1.4.10 for synthetic patients
	BirthName  string `json:"birth_name" yaml:"birth_name" validate:"required"`                              //
	GivenNames string `json:"given_names" yaml:"given_names" validate:"required"`                            // all, separated by spaces
	FirstGiven string `json:"first_given_name" yaml:"first_given_name" validate:"required"`                  //
	Sex        string `json:"sex" yaml:"sex" validate:"required,oneof=M F"`                                  // M or F
	BirthDate  string `json:"birth_date" yaml:"birth_date" validate:"required,datetime=2006-01-02"`          // 2006-01-02
	BirthPlace string `json:"birth_place" yaml:"birth_place" validate:"required,insee"`                      // INSEE code: "75056", "2A004", "97411", "99100"

	// Status says whether somebody has checked the traits against an identity document.
	Status Status `json:"status,omitempty" yaml:"status,omitempty" validate:"omitempty,oneof=provisional validated"`
	// Confirmed names the traits that the matricule contradicts and that a person has
	// looked at: they are right all the same. See Contradictions.
	Confirmed []string `json:"confirmed,omitempty" yaml:"confirmed,omitempty" validate:"dive,oneof=sex birth_date birth_place"`

	Contact *Contact `json:"contact,omitempty" yaml:"contact,omitempty" validate:"omitempty"`
}

// Status is how far an identity may be trusted.
type Status string

// The statuses of an identity. Empty is Provisional.
const (
	Provisional   Status = "provisional"
	ValidIdentity Status = "validated" // its traits were checked against an identity document
)

// Qualified reports whether the identity has a matricule with its kind and is validated. No
// other matricule leaves Vigie (FR Core, identity reliability).
func (i *Identity) Qualified() bool {
	return i.Status == ValidIdentity && i.OID != "" && validINS(i.INS)
}

// Leaving is the identity as it may leave: without its matricule unless it is qualified.
func (i Identity) Leaving() Identity {
	if !i.Qualified() {
		i.INS, i.OID, i.Confirmed = "", "", nil
	}
	return i
}

// Strict is the identity with its traits as the national identity writes them: capitals
// without diacritics, dashes and apostrophes kept.
func (i Identity) Strict() Identity {
	for _, name := range []*string{&i.BirthName, &i.GivenNames, &i.FirstGiven} {
		*name = capitals(*name)
	}
	i.BirthPlace = strings.ToUpper(i.BirthPlace)
	return i
}

// ligatures are letters that stand for two, and marks that are written otherwise.
var ligatures = strings.NewReplacer("œ", "OE", "Œ", "OE", "æ", "AE", "Æ", "AE", "ß", "SS", "ø", "O", "Ø", "O", "’", "'", "ʼ", "'")

// capitals writes a name in capitals without diacritics, with single spaces.
func capitals(name string) string {
	bare := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return unicode.ToUpper(c)
	}, norm.NFD.String(ligatures.Replace(name)))
	return strings.Join(strings.Fields(bare), " ")
}

// birthPlace is an INSEE code of a commune, or of a country after 99. Which of them exist
// changes each year, so the numbers of communes are not looked at.
var birthPlace = regexp.MustCompile(`^(?:(?:0[1-9]|[1-8][0-9]|9[0-5]|2[ABab])[0-9]{3}|97[1-8][0-9]{2}|98[4-8][0-9]{2}|99[0-9]{3})$`)

// The traits that a matricule repeats, by their JSON names.
const (
	traitSex   = "sex"
	traitBirth = "birth_date"
	traitPlace = "birth_place"
)

// contradicts says of each trait that a matricule repeats what it is another one's.
var contradicts = map[string]protocols.Text{
	traitSex:   protocols.Say("d'un autre sexe", "sex"),
	traitBirth: protocols.Say("née un autre mois ou une autre année (birth_date)", "month or year of birth (birth_date)"),
	traitPlace: protocols.Say("née ailleurs (birth_place)", "place of birth (birth_place)"),
}

// Contradictions lists the traits that differ from those that the matricule repeats: its
// first digits are the sex, the year, the month and the place of birth. Somebody else's
// matricule may have been copied. It also happens to whose papers were put right, and to
// whose commune was given to another department.
func (i *Identity) Contradictions() (traits []string) {
	born, err := time.Parse(time.DateOnly, i.BirthDate)
	if err != nil || !validINS(i.INS) {
		return nil
	}
	if sex := map[byte]string{'1': "M", '7': "M", '2': "F", '8': "F"}[i.INS[0]]; sex != "" && sex != i.Sex {
		traits = append(traits, traitSex)
	}
	month := i.INS[3:5] // above 12 where the date of birth is not known whole
	if i.INS[1:3] != born.Format("06") || month >= "01" && month <= "12" && month != born.Format("01") {
		traits = append(traits, traitBirth)
	}
	if !samePlace(i.INS[5:10], strings.ToUpper(i.BirthPlace)) {
		traits = append(traits, traitPlace)
	}
	return traits
}

// arrondissements are the cities whose matricules name an arrondissement, by their INSEE
// code, with the first digits of those of the arrondissements.
var arrondissements = map[string]string{"75056": "751", "69123": "6938", "13055": "132"}

// samePlace reports whether a place in a matricule may be a place of birth. Corsica was one
// department, 20, until 1976. Two places of which one is unknown may be the same.
func samePlace(inMatricule, place string) bool {
	if inMatricule == place || place == "99999" || inMatricule == "99999" {
		return true
	}
	if begins := arrondissements[place]; begins != "" && strings.HasPrefix(inMatricule, begins) {
		return true
	}
	return strings.HasPrefix(inMatricule, "20") && (strings.HasPrefix(place, "2A") || strings.HasPrefix(place, "2B"))
}

// checkIdentity holds what one trait says against another. What the matricule contradicts
// is a warning, which a person confirms; nobody validates an identity before.
func (c *checker) checkIdentity(of *Identity, path string) {
	if !strings.HasPrefix(of.GivenNames+" ", of.FirstGiven+" ") {
		c.refuse(path+".first_given_name", "bad-given-name", protocols.Say("given_names ne commence pas ainsi", "this is not what given_names begins with"), none)
	}
	denied := of.Contradictions()
	for _, trait := range denied {
		says := protocols.Say("cet INS est celui d'une personne %s", "this INS is that of a person with another %s", contradicts[trait])
		switch {
		case slices.Contains(of.Confirmed, trait):
		case of.Status == ValidIdentity:
			c.refuse(path+".ins", "ins-contradicts", says, protocols.Say("relire l'INS dans le dossier du patient ; si tout est exact, le confirmer : confirmed: [%s]", "read the INS again from the patient's record; if all is right, confirm it: confirmed: [%s]", trait))
		default:
			c.warn(path+".ins", "ins-contradicts", says, readAgain)
		}
	}
	for i, trait := range of.Confirmed {
		if _, known := contradicts[trait]; known && !slices.Contains(denied, trait) {
			c.refuse(fmt.Sprintf("%s.confirmed[%d]", path, i), "nothing-to-confirm", protocols.Say("l'INS ne contredit pas ce trait", "the INS does not contradict this trait"), protocols.Say("l'enlever", "leave it out"))
		}
	}
}

// unchecked reports whether next would keep, for other strict traits, what a person said of
// the former ones: that they were checked, or that a contradiction is none.
func unchecked(former, next *Identity) bool {
	if sameTraits(former, next) {
		return false
	}
	confirmed := slices.ContainsFunc(next.Confirmed, func(trait string) bool { return slices.Contains(former.Confirmed, trait) })
	return confirmed || former.Status == ValidIdentity && next.Status == ValidIdentity
}

// sameTraits compares the strict traits and the matricule. One that was not known before is
// no other one.
func sameTraits(a, b *Identity) bool {
	x, y := a.Strict(), b.Strict()
	sameINS := x.INS == "" || x.INS == y.INS && x.OID == y.OID
	return sameINS && x.BirthName == y.BirthName && x.GivenNames == y.GivenNames && x.FirstGiven == y.FirstGiven &&
		x.Sex == y.Sex && x.BirthDate == y.BirthDate && x.BirthPlace == y.BirthPlace
}

// stayChecked keeps what a person said of a former identity where a file says nothing of it
// and gives the same traits: a file of last month takes no check back.
func (i *Identity) stayChecked(former *Identity) {
	if i.Status != "" || !sameTraits(former, i) || former.INS != i.INS || former.OID != i.OID {
		return
	}
	i.Status = former.Status
	if i.Confirmed == nil {
		i.Confirmed = former.Confirmed
	}
}

// TraitsName names, in Registry.Loosening, that the other traits of a validated identity
// were checked too.
func TraitsName(patient string) string { return looseningName("traits", patient) }

// uncheckedTraits is why an identity with other traits is refused.
func uncheckedTraits(patient string) (said, wayOut protocols.Text) {
	return protocols.Say("l'identité du patient %s est validée, et ses traits seraient autres", "the identity of the patient %s is validated, and its traits would be others", patient),
		protocols.Say("la rendre provisoire (status: provisional, sans confirmed) puis la valider sur pièce, ou nommer le changement s'il est vérifié : %s", "make it provisional (status: provisional, without confirmed), then validate it from a document, or name the change if it was checked: %s", TraitsName(patient))
}

// Corrected is i with the traits of given that are not empty. A trait that becomes another
// one was not checked: the identity is provisional, with nothing confirmed, unless given
// says otherwise.
func (i Identity) Corrected(given Identity) Identity {
	next := i
	for into, trait := range map[*string]string{&next.INS: given.INS, &next.OID: given.OID, &next.BirthName: given.BirthName, &next.Sex: given.Sex,
		&next.BirthDate: given.BirthDate, &next.BirthPlace: given.BirthPlace} {
		*into = cmp.Or(trait, *into)
	}
	if given.GivenNames != "" {
		next.GivenNames = given.GivenNames
		next.FirstGiven, _, _ = strings.Cut(given.GivenNames, " ")
	}
	next.FirstGiven = cmp.Or(given.FirstGiven, next.FirstGiven)
	if !sameTraits(&i, &next) {
		next.Confirmed = nil
		if next.Status == ValidIdentity {
			next.Status = Provisional
		}
	}
	next.Status = cmp.Or(given.Status, next.Status)
	if given.Confirmed != nil {
		next.Confirmed = given.Confirmed
	}
	return next
}

// IdentityVersion is an identity as it was from At on.
type IdentityVersion struct {
	At       time.Time `json:"at"`
	Author   string    `json:"author"`
	Identity Identity  `json:"identity"`
}
