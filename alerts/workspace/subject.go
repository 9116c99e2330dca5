package workspace

import (
	"context"
	"html/template"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/alerts"
	"vigie/ingest/registry"
)

// subject is a patient, or a device without one, in words.
type subject struct {
	ID    string
	Name  string // the id where no name is to be shown
	About string // "F 34 ans · diabète · p-0021"
	Zone  *time.Location
	Reach []reachRow
	Ways  []string // how he measures, the language he speaks
}

// reachRow is somebody to call about a patient.
type reachRow struct {
	Who   string // empty for the patient
	Phone string
	Hours string
}

// Dial is the number as a telephone takes it.
func (r reachRow) Dial() template.URL {
	return template.URL("tel:" + strings.Map(func(c rune) rune {
		if c == '+' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, r.Phone))
}

// subject finds whom an alert is about.
func (w *Workspace) subject(ctx context.Context, v view, a *alerts.Alert) (subject, error) {
	if a.Patient == "" {
		return subject{Name: a.Device, About: v.T("device")}, nil
	}
	face, known, err := w.records.face(ctx, a.Patient)
	if err != nil {
		return subject{}, err
	}
	pathology := w.disease(v, a.Protocol, a.Version)
	if !known {
		return subject{ID: a.Patient, Name: a.Patient, About: pathology}, nil
	}
	return v.subject(&face, pathology), nil
}

func (v view) subject(f *registry.Face, pathology string) subject {
	p := subject{ID: f.Patient, Name: f.BirthName + " " + f.FirstGiven}
	if len(f.Followed) > 0 {
		p.Zone, _ = time.LoadLocation(f.Followed[len(f.Followed)-1].Zone)
	}
	about := []string{f.Sex + " " + v.age(f.BirthDate)}
	if pathology != "" {
		about = append(about, pathology)
	}
	p.About = strings.Join(append(about, f.Patient), " · ")
	if f.Contact != nil {
		p.Reach, p.Ways = v.reach(f.Contact), v.ways(f.Contact)
	}
	return p
}

// reach lists whom to call, the patient first.
func (v view) reach(c *registry.Contact) (rows []reachRow) {
	add := func(title, name, tie, phone, hours string) {
		if phone == "" && (name == "" || hours != "") {
			return
		}
		who := title
		if name != "" {
			who += v.T("colon") + name
		}
		if tie != "" {
			who += " (" + tie + ")"
		}
		rows = append(rows, reachRow{who, phone, hours})
	}
	add("", "", "", c.Phone, c.Hours)
	if c.Carer != nil {
		add(v.T("reach.carer"), c.Carer.Name, c.Carer.Tie, c.Carer.Phone, c.Carer.Hours)
	}
	if c.Physician != nil {
		add(v.T("reach.physician"), c.Physician.Name, "", c.Physician.Phone, "")
	}
	return rows
}

// ways says how a patient measures, and which language he speaks where it is not that of
// the page.
func (v view) ways(c *registry.Contact) (ways []string) {
	var by []string
	for _, way := range c.Measures {
		by = append(by, v.T("measures-by."+way))
	}
	if len(by) > 0 {
		ways = append(ways, v.T("reach.measures")+v.T("colon")+strings.Join(by, ", "))
	}
	if c.Language != "" && c.Language != v.Language {
		spoken := v.T("speaks." + c.Language)
		if spoken == "speaks."+c.Language {
			spoken = c.Language
		}
		ways = append(ways, v.T("reach.language")+v.T("colon")+spoken)
	}
	return ways
}

// age is how old somebody is, in years.
func (v view) age(birth string) string {
	born, err := time.Parse(time.DateOnly, birth)
	if err != nil {
		return ""
	}
	years := v.now.Year() - born.Year()
	if v.now.YearDay() < born.AddDate(years, 0, 0).YearDay() {
		years--
	}
	return whole(v.Language, years) + " " + v.T("years")
}

// pathology names what a patient is followed for.
func (w *Workspace) pathology(v view, f *registry.Face) string {
	if len(f.Followed) == 0 {
		return ""
	}
	last := f.Followed[len(f.Followed)-1]
	return w.disease(v, last.Protocol, last.Version)
}

// disease names what a protocol is for, as it stands beside a name: "insuffisance
// cardiaque"; its title where it does not say.
func (w *Workspace) disease(v view, id, version string) string {
	if w.Protocol != nil {
		if p := w.Protocol(id, version); p != nil && v.In(p.Pathology.Title) != "" {
			return lowered(v.In(p.Pathology.Title))
		}
	}
	return w.protocolTitle(v, id, version)
}

// lowered begins a title with a small letter, unless it is an abbreviation.
func lowered(title string) string {
	first, size := utf8.DecodeRuneInString(title)
	if next, _ := utf8.DecodeRuneInString(title[size:]); unicode.IsUpper(next) {
		return title
	}
	return string(unicode.ToLower(first)) + title[size:]
}

func (w *Workspace) protocolTitle(v view, id, version string) string {
	if w.Protocol != nil {
		if p := w.Protocol(id, version); p != nil {
			return v.In(p.Title)
		}
	}
	return id
}
