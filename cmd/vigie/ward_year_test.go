package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
)

// livedPatients is how many patients live the year of TestAYearOfAWard:
//
//	go test ./cmd/vigie -run TestAYearOfAWard -lived-patients 500 -v -timeout 60m
var livedPatients = flag.Int("lived-patients", 5, "patients who live a year through the interface for programs and the commands")

// TestAYearOfAWard has patients live a year of enrolments, renewals, other devices,
// withdrawals and erasures. Each act goes through the interface for programs, by the account
// of whoever may do it, or through a command beside the running service. At the end of each
// month what the service answers is held against a model, which knows nothing of a store.
func TestAYearOfAWard(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { liveAYear(t, "") })
	t.Run("postgres", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the embedded store lives the same year")
		}
		liveAYear(t, servers.Postgres(t).URL)
	})
}

// home is where the patients live. Its clock never changes.
var home = time.FixedZone("Indian/Reunion", 4*60*60)

// followUp is what the model knows of an enrolment.
type followUp struct {
	Patient, Device, Version string
	From, Ends               time.Time
	State                    registry.State
	Gain                     string // the setting fast-gain; empty for the protocol's own
	Research                 bool

	paused time.Time // until when a pause runs
}

// stand says where the enrolment stands at a moment.
func (f *followUp) stand(now time.Time) {
	switch {
	case !now.Before(f.Ends):
		f.State = registry.Ended
	case f.State == registry.Proposed:
	case now.Before(f.From):
		f.State = registry.Validated
	case now.Before(f.paused):
		f.State = registry.Suspended
	default:
		f.State = registry.Active
	}
}

// wardYear is a year of a ward and the model of it.
type wardYear struct {
	*testing.T
	file    string // the configuration
	shared  bool   // the store is PostgreSQL
	rand    *rand.Rand
	at      atomic.Int64
	asked   atomic.Bool // the service asked to be started anew
	service *service.Service
	who     map[string]string // cookie of a session, by login

	patients map[string]string // birth name, by id; empty for who is erased
	follows  map[string]*followUp
	of       map[string][]string // ids of enrolments, by patient
	devices  map[string]string   // password, by name; empty where nobody was told
	version  string              // of the protocol under which patients are enrolled now
	acts     map[string]int
	traced   map[string]int // acts over HTTP, by patient
}

func liveAYear(t *testing.T, postgres string) {
	y := &wardYear{
		T: t, shared: postgres != "", rand: rand.New(rand.NewPCG(2026, 12)), who: map[string]string{},
		patients: map[string]string{}, follows: map[string]*followUp{}, of: map[string][]string{}, devices: map[string]string{}, acts: map[string]int{}, traced: map[string]int{},
	}
	y.at.Store(time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC).UnixNano())
	former := clock
	clock = y.now
	t.Cleanup(func() { clock = former })
	y.begin(postgres)
	begun := time.Now()
	for day := range 365 {
		for arrive := min(*livedPatients-len(y.patients), 1+*livedPatients/100); arrive > 0; arrive-- {
			if y.rand.IntN(150) < max(40, *livedPatients/5) {
				y.arrive()
			}
		}
		for _, patient := range slices.Sorted(maps.Keys(y.patients)) {
			y.live(patient)
		}
		switch day {
		case 50:
			y.moveOverHTTP("101")
		case 110:
			y.moveByHand("102")
		}
		if day%30 == 29 {
			y.eraseSome()
			y.compare()
			t.Logf("day %d: %d patients, %v since the start", day+1, len(y.patients), time.Since(begun).Round(time.Second))
		}
		y.at.Add(int64(24 * time.Hour))
	}
	y.compare()
	for _, patient := range slices.Sorted(maps.Keys(y.traced)) {
		y.compareTraces(patient)
	}
	if whole := y.verb("audit", "verify", "--language", "en"); !strings.Contains(whole, "The trail is whole.") {
		y.Errorf("the trail: %s", whole)
	}
	for _, act := range []string{"arrive", "propose", "validate", "renew", "swap", "withdraw", "research", "set", "unset", "pause", "resume", "close", "correct", "rotate", "erase", "stale", "unnamed", "not allowed", "dry run"} {
		if y.acts[act+" http"]+y.acts[act+" verb"] == 0 {
			t.Errorf("nobody had: %s", act)
		}
	}
	t.Logf("%d patients, %v", len(y.patients), y.acts)
}

func (y *wardYear) now() time.Time { return time.Unix(0, y.at.Load()).UTC() }

// begin writes the configuration, with two versions of the protocol beside the one that
// ships, starts the service and lets three people in.
func (y *wardYear) begin(postgres string) {
	y.Helper()
	folder := y.TempDir()
	shelf, err := service.NewShelf()
	if err != nil {
		y.Fatal(err)
	}
	y.version = shelf.Latest("heart-failure")
	text := shelf.Text("heart-failure", y.version)
	for _, next := range []string{"101", "102"} {
		y.write(filepath.Join(folder, "added", "heart-failure-"+next+".yaml"), strings.Replace(text, fmt.Sprintf("version: %q", y.version), fmt.Sprintf("version: %q", next), 1))
	}
	y.file = filepath.Join(folder, "vigie.yaml")
	settings := fmt.Sprintf("data: %s\nhttp: {listen: '127.0.0.1:0'}\nbroker: {inside: {listen: '127.0.0.1:0'}}\nprotocols: {folders: [%s]}\naccess: {second_factor: optional}\n", filepath.Join(folder, "data"), filepath.Join(folder, "added"))
	if y.shared {
		settings += fmt.Sprintf("store: {postgres: {url: %q}}\n", postgres)
	}
	y.write(y.file, settings)
	y.serve()
	team := filepath.Join(folder, "team.yaml")
	y.write(team, "teams:\n  - {id: cardio, name: Cardiologie, time_zone: Indian/Reunion, opens: '08:30', closes: '18:00', days: [monday], contacts: {mail: [equipe@example.org]}}\n")
	y.verb("registry", "import", team, "--author", "Op")
	y.letIn("aubry", access.Physician, "cardio")
	y.letIn("weber", access.Coordinator, "cardio")
	y.letIn("lea", access.Nurse, "cardio")
	y.letIn("hoarau", access.Administrator)
}

func (y *wardYear) write(name, text string) {
	y.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		y.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		y.Fatal(err)
	}
}

// serve starts the service. Its sweeps stand still: who never measures would fill the list.
func (y *wardYear) serve() {
	y.Helper()
	c, err := config.Load(y.file, nil)
	if err != nil {
		y.Fatal(err)
	}
	options := service.Options{Config: c, Now: y.now, Log: slog.New(slog.DiscardHandler), Stepped: true, Again: func() { y.asked.Store(true) }}
	if y.service, err = service.Start(y.Context(), options); err != nil {
		y.Fatal(err)
	}
	running := y.service
	y.Cleanup(func() { _ = running.Close() })
}

func (y *wardYear) end() {
	y.Helper()
	if err := y.service.Close(); err != nil {
		y.Fatal(err)
	}
}

// letIn makes an account and logs it in.
func (y *wardYear) letIn(login string, role access.Role, teams ...string) {
	y.Helper()
	const password = "trois petits chats bleus"
	accounts := y.service.Accounts()
	link, err := accounts.Add(y.Context(), access.Account{Login: login, Name: "Account " + login, Roles: []access.Role{role}, Teams: teams})
	if err == nil {
		_, err = accounts.Choose(y.Context(), link, password)
	}
	if err != nil {
		y.Fatal(err)
	}
	form := url.Values{"login": {login}, "password": {password}, "next": {"/"}}
	answer, _ := y.send("POST", "/login", []byte(form.Encode()), "", "Content-Type", "application/x-www-form-urlencoded")
	cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	if answer.StatusCode != http.StatusSeeOther || cookie == "" {
		y.Fatalf("%s is not let in: %s", login, answer.Status)
	}
	y.who[login] = cookie
}

var once = http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (y *wardYear) send(method, path string, body []byte, login string, headers ...string) (*http.Response, []byte) {
	y.Helper()
	request, err := http.NewRequestWithContext(y.Context(), method, y.service.Page()+path, bytes.NewReader(body))
	if err != nil {
		y.Fatal(err)
	}
	request.Header.Set("Cookie", y.who[login])
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := once.Do(request)
	if err != nil {
		y.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		y.Fatal(err)
	}
	return answer, read
}

// object is a JSON object.
type object = map[string]any

// ask sends a request of an account and returns the answer, which has to be of a status.
func (y *wardYear) ask(status int, login, method, path string, body object, headers ...string) (object, http.Header) {
	y.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			y.Fatal(err)
		}
	}
	answer, read := y.send(method, "/api/v1/"+path, text, login, headers...)
	if answer.StatusCode != status {
		y.Fatalf("%v: %s %s of %s %s: %s %s, want %d", y.now(), method, path, login, text, answer.Status, read, status)
	}
	var got object
	if len(read) > 0 {
		if err := json.Unmarshal(read, &got); err != nil {
			y.Fatalf("%s %s: %v in %s", method, path, err, read)
		}
	}
	return got, answer.Header
}

// change reads an item and changes it under its version.
func (y *wardYear) change(login, method, item, rest string, body object) object {
	y.Helper()
	_, read := y.ask(200, login, "GET", item, nil)
	done, _ := y.ask(200, login, method, item+rest, body, "If-Match", read.Get("ETag"))
	if f := y.follows[strings.TrimPrefix(item, "enrolments/")]; f != nil {
		y.traced[f.Patient]++
	}
	return done
}

// verb runs a command on the store of the service, which runs.
func (y *wardYear) verb(line ...string) string {
	y.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append(line, "--config", y.file))
	if err := root.ExecuteContext(y.Context()); err != nil {
		y.Fatalf("%v: vigie %s: %v\n%s", y.now(), strings.Join(line, " "), err, &out)
	}
	return out.String()
}

// either has an act done by a command, once in four, or over HTTP.
func (y *wardYear) either(act string, http, verb func()) {
	y.Helper()
	if y.rand.IntN(4) == 0 {
		verb()
		act += " verb"
	} else {
		http()
		act += " http"
	}
	y.acts[act]++
}

// lastDay is the day so many days from today, where the patients live, and the instant at
// which it ends.
func (y *wardYear) lastDay(days int) (day string, ends time.Time) {
	local := y.now().In(home).AddDate(0, 0, days)
	return local.Format(time.DateOnly), time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, home).UTC()
}

// letters writes a number in capitals, as names are.
func letters(n int) string {
	text := ""
	for ; n > 0 || text == ""; n /= 26 {
		text += string(rune('A' + n%26))
	}
	return text
}

// passwords is a file that is not there yet.
func (y *wardYear) passwords() string { return filepath.Join(y.TempDir(), "passwords.csv") }

// given reads the password of a device in the file that a command wrote.
func (y *wardYear) given(file, device string) string {
	y.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		y.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if password, is := strings.CutPrefix(strings.TrimSpace(line), device+","); is {
			return password
		}
	}
	y.Fatalf("%s has no password in %s", device, text)
	return ""
}

// another adds a device that nobody has.
func (y *wardYear) another() string {
	name := fmt.Sprintf("scale-%04d", len(y.devices)+1)
	y.either("device", func() {
		done, _ := y.ask(201, "weber", "POST", "devices", object{"name": name, "serial": "S-" + name, "kind": "scale", "brand": "B", "model": "M"})
		y.devices[name] = done["password"].(string)
	}, func() {
		file := y.passwords()
		y.verb("device", "add", name, "--serial", "S-"+name, "--kind", "scale", "--brand", "B", "--model", "M", "--passwords", file, "--author", "Op")
		y.devices[name] = y.given(file, name)
	})
	return name
}

// arrive adds a patient and a device, and enrols the patient, or proposes it.
func (y *wardYear) arrive() {
	n := len(y.patients) + 1
	id, name := fmt.Sprintf("p-%04d", n), "QUER"+letters(n)
	y.either("arrive", func() {
		identity := object{"birth_name": name, "given_names": "INES", "first_given_name": "INES", "sex": "F", "birth_date": "1951-03-27", "birth_place": "51215"}
		for _, status := range []int{201, 200} { // the same request once more adds nobody
			y.ask(status, "weber", "POST", "patients", object{"id": id, "identity": identity}, "Idempotency-Key", "arrival-"+id)
		}
		y.traced[id]++
	}, func() {
		y.verb("patient", "add", id, "--birth-name", name, "--given-names", "INES", "--sex", "F", "--birth-date", "1951-03-27", "--birth-place", "51215", "--author", "Op")
	})
	y.patients[id] = name
	device, enrolment := y.another(), fmt.Sprintf("e-%04d", n)
	proposed := y.rand.IntN(3) == 0
	day, ends := y.lastDay(60 + y.rand.IntN(120))
	f := &followUp{Patient: id, Device: device, Version: y.version, From: y.now(), Ends: ends, State: registry.Active}
	act, login := "enrol", "aubry"
	if proposed {
		act, login, f.State = "propose", "weber", registry.Proposed
	}
	y.either(act, func() {
		y.ask(201, login, "POST", "enrolments", object{
			"id": enrolment, "patient": id, "protocol": "heart-failure", "version": y.version, "time_zone": "Indian/Reunion", "team": "cardio", "physician": "10001234565", "proposed": proposed,
			"devices": []string{device}, "from": f.From.Format(time.RFC3339), "prescription_end": day, "consent": object{"given": true, "date": f.From.Format(time.RFC3339), "scope": "poids"},
		})
		y.traced[id]++
	}, func() {
		line := []string{"enrolment", "add", enrolment, "--patient", id, "--protocol", "heart-failure", "--version", y.version, "--team", "cardio", "--physician", "10001234565", "--device", device, "--until", day, "--scope", "poids", "--author", "Op"}
		if proposed {
			line = append(line, "--proposed")
		}
		y.verb(line...)
	})
	y.follows[enrolment], y.of[id] = f, []string{enrolment}
}

// standing is the enrolment of a patient that ends last, and whether it is over.
func (y *wardYear) standing(patient string) (id string, over bool) {
	for _, other := range y.of[patient] {
		if id == "" || y.follows[other].Ends.After(y.follows[id].Ends) {
			id = other
		}
	}
	return id, id == "" || !y.now().Before(y.follows[id].Ends)
}

// running lists the enrolments of a patient that are not over.
func (y *wardYear) running(patient string) (ids []string) {
	for _, id := range y.of[patient] {
		if y.now().Before(y.follows[id].Ends) {
			ids = append(ids, id)
		}
	}
	return ids
}

// live is one day of a patient.
func (y *wardYear) live(patient string) {
	y.Helper()
	id, over := y.standing(patient)
	if over {
		return
	}
	f, item := y.follows[id], "enrolments/"+id
	f.stand(y.now())
	if f.State == registry.Proposed {
		if y.rand.IntN(4) == 0 {
			y.validate(id)
		}
		return
	}
	if !f.From.Before(y.now()) { // renewed, and the one before runs; or begun at this instant
		return
	}
	if f.State == registry.Suspended && y.rand.IntN(5) == 0 {
		y.either("resume", func() {
			y.change("weber", "DELETE", item, fmt.Sprintf("/pauses/%d?allow_loosening=pauses:%s", y.pauses(id), id), nil)
		},
			func() { y.verb("enrolment", "resume", id, "--author", "Op") })
		f.paused = y.now()
		return
	}
	days := max(1000*min(*livedPatients, 20)/20, 300) // in which each act happens: a small ward does more
	switch chance := y.rand.IntN(days); {
	case f.Ends.Sub(y.now()) < 15*24*time.Hour && chance < 150:
		y.renew(id)
	case chance >= 200 && chance < 205:
		y.swap(patient)
	case chance < 207 && chance >= 205:
		y.either("withdraw", func() {
			y.change("weber", "PATCH", item, "/consent?allow_loosening=consent:"+id, object{"withdrawn": y.now().Format(time.RFC3339)})
		}, func() { y.verb("consent", "withdraw", id, "--author", "Op") })
		f.Ends = y.now()
	case chance >= 210 && chance < 215:
		y.research(id)
	case chance >= 220 && chance < 228:
		y.set(id)
	case chance >= 230 && chance < 235 && f.State == registry.Active:
		day, _ := y.lastDay(3 + y.rand.IntN(10))
		y.either("pause", func() {
			y.change("weber", "POST", item, "/pauses?allow_loosening=pauses:"+id, object{"from": y.now().Format(time.RFC3339), "until": day, "reason": "hopital"})
		}, func() { y.verb("enrolment", "pause", id, "--until", day, "--reason", "hopital", "--author", "Op") })
		until, err := time.ParseInLocation(time.DateOnly, day, home)
		if err != nil {
			y.Fatal(err)
		}
		f.paused = until.UTC()
	case chance == 240:
		y.either("close", func() { y.change("aubry", "DELETE", item, "?allow_loosening=prescription_end:"+id, nil) }, func() { y.verb("enrolment", "close", id, "--author", "Op") })
		f.Ends = y.now()
	case chance >= 250 && chance < 253:
		y.correct(patient)
	case chance >= 260 && chance < 263:
		y.rotate(patient, f.Device)
	case chance >= 270 && chance < 282:
		y.refused(id)
	}
}

// pauses counts those of an enrolment.
func (y *wardYear) pauses(id string) int {
	y.Helper()
	got, _ := y.ask(200, "weber", "GET", "enrolments/"+id+"/pauses", nil)
	return len(got["pauses"].([]any))
}

func (y *wardYear) validate(id string) {
	y.either("validate", func() { y.change("aubry", "POST", "enrolments/"+id, "/validate", nil) }, func() { y.verb("enrolment", "validate", id, "--author", "Dr Aubry") })
	f := y.follows[id]
	f.From, f.State = y.now(), registry.Active
}

// renew has another enrolment begin where one ends.
func (y *wardYear) renew(id string) {
	f, next := *y.follows[id], id+"-x"
	from := f.Ends.In(home).Format(time.DateOnly)
	days := int(f.Ends.Sub(y.now())/(24*time.Hour)) + 60 + y.rand.IntN(90)
	day, ends := y.lastDay(days)
	y.either("renew", func() {
		former, _ := y.ask(200, "aubry", "GET", "enrolments/"+id, nil)
		former["id"], former["from"], former["prescription_end"] = next, from, day
		delete(former, "pauses")
		delete(former, "validated")
		if settings, has := former["settings"].(object); has { // signed by who renews
			gain := settings["fast-gain"].(object)
			former["settings"] = object{"fast-gain": object{"value": gain["value"], "reason": gain["reason"]}}
		}
		y.ask(201, "aubry", "POST", "enrolments", former)
		y.traced[f.Patient]++
	}, func() { y.verb("enrolment", "renew", id, "--until", day, "--as", next, "--author", "Op") })
	f.From, f.Ends, f.paused = f.Ends, ends, time.Time{}
	y.follows[next] = &f
	y.of[f.Patient] = append(y.of[f.Patient], next)
}

// swap puts a device in the place of the one that a patient has.
func (y *wardYear) swap(patient string) {
	running := y.running(patient)
	former := y.follows[running[0]].Device
	y.either("swap", func() {
		name := y.another()
		for _, id := range running {
			y.change("weber", "PATCH", "enrolments/"+id, "?allow_loosening=devices:"+id, object{"devices": []string{name}})
			y.follows[id].Device = name
		}
	}, func() {
		name, file := fmt.Sprintf("scale-%04d", len(y.devices)+1), y.passwords()
		y.verb("device", "replace", former, name, "--serial", "S-"+name, "--passwords", file, "--author", "Op")
		y.devices[name] = y.given(file, name)
		for _, id := range running {
			y.follows[id].Device = name
		}
	})
}

func (y *wardYear) research(id string) {
	f := y.follows[id]
	said := object{"given": true, "date": y.now().Format(time.RFC3339), "with": "OSICAT", "withdrawn": nil}
	line := []string{"consent", "purpose", id, "research", "--with", "OSICAT", "--author", "Op"}
	if f.Research {
		said, line = object{"withdrawn": y.now().Format(time.RFC3339)}, []string{"consent", "purpose", id, "research", "--refuse", "--author", "Op"}
	}
	y.either("research", func() { y.change("weber", "PATCH", "enrolments/"+id, "/consent", object{"research": said}) }, func() { y.verb(line...) })
	f.Research = !f.Research
}

// set sets a threshold, or takes it away.
func (y *wardYear) set(id string) {
	f := y.follows[id]
	if f.Gain != "" && y.rand.IntN(3) == 0 {
		y.either("unset", func() {
			y.change("aubry", "DELETE", "enrolments/"+id, "/settings/fast-gain?allow_loosening=settings.fast-gain:"+id, nil)
		}, func() { y.verb("setting", "unset", id, "fast-gain", "--author", "Op") })
		f.Gain = ""
		return
	}
	gain := []string{"1.2", "1.5", "1.8", "2.5"}[y.rand.IntN(4)]
	y.either("set", func() {
		y.change("aubry", "PUT", "enrolments/"+id, "/settings/fast-gain", object{"value": json.Number(gain), "reason": "habitude"})
	}, func() {
		y.verb("setting", "set", id, "fast-gain", gain, "--by", "Dr Aubry", "--reason", "habitude", "--author", "Op")
	})
	f.Gain = gain
}

func (y *wardYear) correct(patient string) {
	name := y.patients[patient] + "A"
	y.either("correct", func() {
		y.change("weber", "PATCH", "patients/"+patient, "", object{"identity": object{"birth_name": name}})
		y.traced[patient]++
	}, func() { y.verb("patient", "correct", patient, "--birth-name", name, "--author", "Op") })
	y.patients[patient] = name
}

func (y *wardYear) rotate(patient, device string) {
	y.either("rotate", func() {
		y.devices[device] = y.change("weber", "POST", "devices/"+device, "/password", nil)["password"].(string)
		y.traced[patient]++
	}, func() {
		file := y.passwords()
		y.verb("device", "password", device, "--passwords", file, "--author", "Op")
		y.devices[device] = y.given(file, device)
	})
}

// refused tries what changes nothing: under a version of before, without naming what
// loosens the watch, by an account that may not, and only to look.
func (y *wardYear) refused(id string) {
	item := "enrolments/" + id
	_, read := y.ask(200, "aubry", "GET", item, nil)
	tag := read.Get("ETag")
	less := object{"devices": []string{}}
	switch y.rand.IntN(4) {
	case 0:
		y.ask(412, "aubry", "PATCH", item+"?allow_loosening=devices:"+id, less, "If-Match", `"0123456789abcdef"`)
		y.acts["stale http"]++
	case 1:
		y.ask(409, "aubry", "PATCH", item, less, "If-Match", tag)
		y.acts["unnamed http"]++
	case 2:
		y.ask(403, "lea", "PATCH", item+"?allow_loosening=devices:"+id, less, "If-Match", tag)
		y.acts["not allowed http"]++
	case 3:
		y.ask(200, "aubry", "PATCH", item+"?dry_run=1&allow_loosening=devices:"+id, less, "If-Match", tag)
		y.acts["dry run http"]++
	}
}

// under counts the enrolments that are not over, and has the model move them.
func (y *wardYear) moved(version string) (count int) {
	for _, f := range y.follows {
		if f.Version == y.version && y.now().Before(f.Ends) {
			f.Version = version
			count++
		}
	}
	y.version = version
	return count
}

// moveOverHTTP moves all of a version, once it was shown what that changes.
func (y *wardYear) moveOverHTTP(to string) {
	y.Helper()
	body := object{"protocol": "heart-failure", "from": y.version, "to": to, "dry_run": true}
	shown, read := y.ask(200, "aubry", "POST", "enrolments/migrate", body)
	body["dry_run"] = false
	y.ask(412, "aubry", "POST", "enrolments/migrate", body, "If-Match", `"0123456789abcdef"`)
	y.ask(403, "weber", "POST", "enrolments/migrate", body, "If-Match", read.Get("ETag"))
	done, _ := y.ask(200, "aubry", "POST", "enrolments/migrate", body, "If-Match", read.Get("ETag"))
	for _, one := range done["enrolments"].([]any) {
		y.traced[one.(object)["patient"].(string)]++
	}
	if count, n := y.moved(to), len(done["enrolments"].([]any)); n != count || len(shown["enrolments"].([]any)) != count {
		y.Fatalf("%d moved, %v shown, want %d", n, shown, count)
	}
}

func (y *wardYear) moveByHand(to string) {
	y.Helper()
	y.verb("enrolment", "migrate", "--all", "heart-failure@"+y.version, "--to", to, "--author", "Op")
	y.moved(to)
}

// eraseSome erases patients whom nobody follows any more: some over HTTP, after which the
// service starts anew, the others by a command while it stands still. Where several nodes
// may share the store, all of them by the command.
func (y *wardYear) eraseSome() {
	y.Helper()
	var whom, byHand []string
	for _, patient := range slices.Sorted(maps.Keys(y.patients)) {
		id, over := y.standing(patient)
		if y.patients[patient] != "" && over && y.now().Sub(y.follows[id].Ends) >= 20*24*time.Hour && y.rand.IntN(2) == 0 {
			y.compareTraces(patient)
			whom = append(whom, patient)
		}
	}
	for _, patient := range whom {
		byCommand := y.rand.IntN(2) == 0
		if y.shared {
			y.ask(409, "hoarau", "POST", "patients/"+patient+"/erase", object{"reason": "demande"})
		}
		if byCommand || y.shared {
			byHand = append(byHand, patient)
			continue
		}
		y.ask(200, "hoarau", "POST", "patients/"+patient+"/erase", object{"reason": "demande", "dry_run": true})
		y.ask(200, "hoarau", "POST", "patients/"+patient+"/erase", object{"reason": "demande", "dry_run": false})
		y.erased(patient, "erase http")
	}
	anew := y.asked.Swap(false)
	if !anew && len(byHand) == 0 {
		return
	}
	y.end()
	if anew && len(byHand) > 0 { // what was asked for is done before a command reads the store
		y.serve()
		y.end()
	}
	for _, patient := range byHand {
		y.verb("patient", "erase", patient, "--reason", "demande", "--author", "Mme Hoarau")
		y.erased(patient, "erase verb")
	}
	y.serve()
}

func (y *wardYear) erased(patient, act string) {
	y.acts[act]++
	y.patients[patient] = ""
	delete(y.traced, patient)
	for _, id := range y.of[patient] {
		delete(y.follows, id)
	}
	delete(y.of, patient)
}

// all reads every page of a list.
func (y *wardYear) all(login, list, query string) (items []object) {
	y.Helper()
	for after := ""; ; {
		page, _ := y.ask(200, login, "GET", list+"?limit=500&after="+url.QueryEscape(after)+query, nil)
		for _, item := range page[list].([]any) {
			items = append(items, item.(object))
		}
		next, more := page["next"].(string)
		if !more {
			return items
		}
		after = next
	}
}

// moment reads a day or an instant. A day begins where the patients live, and the last one
// ends there.
func (y *wardYear) moment(v any, last bool) time.Time {
	y.Helper()
	text, _ := v.(string)
	if day, err := time.ParseInLocation(time.DateOnly, text, home); err == nil {
		if last {
			day = day.AddDate(0, 0, 1)
		}
		return day.UTC()
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		y.Fatal(err)
	}
	return at.UTC()
}

// compare holds what the service answers against the model.
func (y *wardYear) compare() {
	y.Helper()
	y.compareFollows()
	known := map[string]string{}
	for _, p := range y.all("weber", "patients", "") {
		known[p["id"].(string)] = p["birth_name"].(string)
	}
	want := maps.Clone(y.patients)
	maps.DeleteFunc(want, func(_, name string) bool { return name == "" })
	if !maps.Equal(known, want) {
		y.Fatalf("%v: the patients are %v, the model has %v", y.now(), known, want)
	}
	for id, name := range y.patients {
		if name == "" {
			y.ask(404, "weber", "GET", "patients/"+id, nil)
		}
	}
	for _, f := range y.follows {
		kept, err := y.service.Registry().Device(y.Context(), f.Device)
		if err != nil || !registry.CheckSecret(kept.Device.Secret, y.devices[f.Device]) {
			y.Fatalf("%v: the password of %s is another: %v", y.now(), f.Device, err)
		}
	}
}

func (y *wardYear) compareFollows() {
	y.Helper()
	found, want := map[string]followUp{}, map[string]followUp{}
	states := map[string]registry.State{}
	for _, state := range registry.States() {
		for _, e := range y.all("aubry", "enrolments", "&state="+string(state)) {
			states[e["id"].(string)] = state
		}
	}
	for _, e := range y.all("aubry", "enrolments", "") {
		id, consent := e["id"].(string), e["consent"].(object)
		f := followUp{Patient: e["patient"].(string), Device: fmt.Sprint(e["devices"].([]any)...), Version: e["version"].(string), From: y.moment(e["from"], false), Ends: y.moment(e["prescription_end"], true), State: states[id]}
		if at, is := consent["withdrawn"]; is {
			f.Ends = y.moment(at, false)
		}
		if research, is := consent["research"].(object); is {
			f.Research = research["given"] == true && research["withdrawn"] == nil
		}
		if settings, is := e["settings"].(object); is {
			f.Gain = fmt.Sprint(settings["fast-gain"].(object)["value"])
		}
		found[id] = f
	}
	for id, f := range y.follows {
		f.stand(y.now())
		clean := *f
		clean.paused = time.Time{}
		want[id] = clean
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if found[id] != want[id] {
			y.Fatalf("%v: the enrolment %s is %+v, the model has %+v", y.now(), id, found[id], want[id])
		}
	}
	if len(found) != len(want) {
		y.Fatalf("%v: %d enrolments, the model has %d", y.now(), len(found), len(want))
	}
}

// compareTraces counts the acts on a patient over HTTP in the trail: one for each that was
// done, none for what was refused.
func (y *wardYear) compareTraces(patient string) {
	y.Helper()
	found := 0
	for line := range strings.Lines(y.verb("audit", "export", "--patient", patient)) {
		var row trail.Row
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			y.Fatalf("%v in %s", err, line)
		}
		entry, err := row.Entry()
		if err != nil {
			y.Fatal(err)
		}
		if _, path, _ := strings.Cut(entry.Deed, " "); entry.Kind == trail.Act && strings.HasPrefix(path, "/api/v1/") {
			found++
		}
	}
	if found != y.traced[patient] {
		y.Fatalf("%v: the trail has %d acts on %s, the model %d", y.now(), found, patient, y.traced[patient])
	}
}
