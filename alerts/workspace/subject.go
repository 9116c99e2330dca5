package workspace

import (
	"context"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
)

// subject is a patient, or a device without one, in words.
type subject struct {
	ID    string
	Name  string // the id where no name is to be shown
	About string // "F 34 ans · diabète · p-0021"
	Zone  *time.Location
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
	pathology := w.protocolTitle(v, a.Protocol, a.Version)
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
	return p
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
	return w.protocolTitle(v, last.Protocol, last.Version)
}

func (w *Workspace) protocolTitle(v view, id, version string) string {
	if w.Protocol != nil {
		if p := w.Protocol(id, version); p != nil {
			return v.In(p.Title)
		}
	}
	return id
}
