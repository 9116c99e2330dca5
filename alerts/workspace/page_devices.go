package workspace

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// devicesView is the page of the devices that patients have, what needs somebody first.
type devicesView struct {
	view
	Tabs          []deskTab
	Part, Search  string
	Team          string
	Rows          []deviceLine
	Total, Next   string
	First, Nobody string
}

// deviceLine is one device.
type deviceLine struct {
	Name, Kind, Serial, Firmware string
	Faults                       []faultLine
	Part                         string // the gravest, for its colour; empty for none
	Aside, AsideLink             string
	Person                       subject // who has it; without a name for who may not see it
	Record, Replace, Strike      string
	Heard                        *stamp
	Battery                      string
	Level                        int // of the battery, per cent
	Low                          bool
}

type faultLine struct {
	Text, Link string
	Since      *stamp
}

const (
	devicePages = 50
	partNeed    = "need" // all that needs somebody
	partAll     = "all"
)

func (w *Workspace) devicesPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := devicesView{view: w.view(r, "devices.title"), Part: query.Get("show"), Search: strings.TrimSpace(query.Get("q")), Team: query.Get("team")}
	v.Place = "devices"
	page, err := strconv.Atoi(orWord(query.Get("page"), "1"))
	if err != nil || page < 1 {
		w.failPage(rw, r, badParameter("page", "c'est un numéro à partir de 1", "it is a number from 1 on"))
		return
	}
	if parts := append([]string{partNeed, partAll}, fleetParts...); v.Part != "" && !slices.Contains(parts, v.Part) {
		w.failPage(rw, r, badParameter("show", "utilisez "+strings.Join(parts, ", "), "use "+strings.Join(parts, ", ")))
		return
	}
	list, err := w.fleet(r.Context(), v.Team)
	if err == nil {
		err = w.fillDevices(r.Context(), &v, list, page)
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, http.StatusOK, "devices", v)
}

// fillDevices sorts the devices into parts and writes a page of the one that is asked for.
// Unless somebody asks, that is what needs somebody, or all where nothing does.
func (w *Workspace) fillDevices(ctx context.Context, v *devicesView, list []*fleetDevice, page int) (err error) {
	if v.Search != "" {
		if list, err = w.matching(ctx, list, v.Search); err != nil {
			return err
		}
	}
	of := map[string][]*fleetDevice{partAll: list}
	for _, d := range list {
		parts := d.parts()
		slices.Sort(parts)
		for _, part := range slices.Compact(parts) {
			of[part] = append(of[part], d)
		}
		if len(parts) > 0 {
			of[partNeed] = append(of[partNeed], d)
		}
	}
	if v.Part == "" {
		v.Part = partNeed
		if len(of[partNeed]) == 0 || v.Search != "" {
			v.Part = partAll
		}
	}
	for _, part := range slices.Concat([]string{partNeed}, fleetParts, []string{partAll}) {
		v.Tabs = append(v.Tabs, deskTab{Name: part, Text: v.T("devices." + part), Count: whole(v.Language, len(of[part])), Link: v.address(part, 1), Current: part == v.Part})
	}
	shown := of[v.Part]
	begin := min((page-1)*devicePages, len(shown))
	end := min(begin+devicePages, len(shown))
	if end < len(shown) {
		v.Next = v.address(v.Part, page+1)
	}
	if begin > 0 {
		v.First = v.address(v.Part, 1)
	}
	v.Nobody = v.T(map[bool]string{true: "devices.none.found", false: "devices.none.need"}[v.Search != ""])
	if len(list) == 0 && v.Search == "" {
		v.Nobody = v.T("devices.none")
	}
	return w.deviceLines(ctx, v, shown[begin:end])
}

// address is the page of a part.
func (v *devicesView) address(part string, page int) string {
	values := url.Values{"show": {part}}
	for name, value := range map[string]string{"q": v.Search, "team": v.Team, "page": map[bool]string{true: strconv.Itoa(page)}[page > 1]} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return "/devices?" + values.Encode()
}

func (w *Workspace) deviceLines(ctx context.Context, v *devicesView, list []*fleetDevice) error {
	var unknown []*fleetDevice
	for _, d := range list {
		if d.status == nil {
			unknown = append(unknown, d)
		}
	}
	if err := w.addStatuses(ctx, unknown); err != nil {
		return err
	}
	for _, d := range list {
		line, err := w.deviceLine(ctx, v.view, d)
		if err != nil {
			return err
		}
		v.Rows = append(v.Rows, line)
	}
	return nil
}

// deviceLine writes one device. Whose it is, and what its alerts say, is for who may see
// the patient.
func (w *Workspace) deviceLine(ctx context.Context, v view, d *fleetDevice) (line deviceLine, err error) {
	line = deviceLine{Name: d.name, Level: -1}
	known, err := w.assignment(ctx, d.name)
	if err != nil {
		return line, err
	}
	kind := kindOf(known)
	if known != nil {
		title := known.Device.Kind
		if kind != nil {
			title = v.In(kind.Title)
		}
		line.Kind, line.Serial = strings.TrimSpace(strings.Join([]string{title, known.Device.Brand, known.Device.Model}, " ")), known.Device.Serial
	}
	sees, err := w.records.mayFor(ctx, access.SeePatients, d.face.Patient)
	if err != nil {
		return line, err
	}
	if sees {
		if err := w.holds(ctx, v, d, &line); err != nil {
			return line, err
		}
		if _, served := w.needs["GET /enrolments/{id}"]; served {
			line.Replace = d.enrolment(known)
		}
	}
	for _, f := range d.faults {
		fault := faultLine{Text: v.In(f.title), Since: v.Stamp(f.since, d.team)}
		if sees && f.alert != "" {
			fault.Link = alertAddress(f.alert, "/devices")
		}
		line.Faults = append(line.Faults, fault)
	}
	if w.canStrikeWide() && access.From(ctx).MayIn(access.EnterReadings, d.team) {
		line.Strike = wideAddress(d.name, nil)
	}
	if parts := d.parts(); len(parts) > 0 {
		line.Part = fleetParts[d.rank()]
	}
	if d.aside > 0 {
		line.Aside, line.AsideLink = v.counted("devices.aside", d.aside), "/set-aside?"+url.Values{"device": {d.name}}.Encode()
	}
	last, err := w.records.heardOf(ctx, d.face.Patient, d.name, kind)
	if err != nil {
		return line, err
	}
	line.Heard = v.Stamp(last.at, d.team)
	line.charge(v, d, last.battery)
	return line, nil
}

// holds writes who has a device.
func (w *Workspace) holds(ctx context.Context, v view, d *fleetDevice, line *deviceLine) error {
	saw(ctx, d.face.Patient)
	line.Person, line.Record = subject{ID: d.face.Patient, Name: d.face.Patient}, "/patients/"+url.PathEscape(d.face.Patient)
	face, named, err := w.records.face(ctx, d.face.Patient)
	if err == nil && named {
		line.Person = v.subject(&face, w.pathology(v, &face))
	}
	return err
}

// enrolment is the page on which the device of a patient is replaced; empty for none.
func (d *fleetDevice) enrolment(known *registry.Assignment) string {
	if known == nil {
		return ""
	}
	i := slices.IndexFunc(known.Enrolments, func(e registry.Enrolment) bool {
		return e.Patient == d.face.Patient && e.Team == d.team && slices.Contains(e.Devices, d.name)
	})
	if i < 0 {
		return ""
	}
	return "/enrolments/" + url.PathEscape(known.Enrolments[i].ID) + "#devices"
}

// charge writes the battery as the device told it last, or as its latest reading did.
func (l *deviceLine) charge(v view, d *fleetDevice, told int) {
	if s := d.status; s != nil {
		l.Firmware = readable(s.Firmware)
		if s.Battery >= 0 {
			told = s.Battery
		}
		l.Low = !s.LowSince.IsZero()
	}
	if told >= 0 {
		l.Level, l.Battery = told, whole(v.Language, told)+"\u202f%"
	}
}
