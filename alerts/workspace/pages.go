package workspace

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/protocols"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// pages are the templates, ready to fill, and the files they refer to.
type pages struct {
	templates map[string]*template.Template
	assets    map[string]asset  // by name in the address
	names     map[string]string // from the plain name to that in the address
	worker    []byte            // the script that shows push messages
}

type asset struct {
	body []byte
	kind string
}

var kinds = map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml", "png": "image/png"}

var newPages = sync.OnceValues(func() (*pages, error) {
	p := &pages{templates: map[string]*template.Template{}, assets: map[string]asset{}, names: map[string]string{}}
	if err := p.readAssets(); err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue // in each of the others
		}
		t, err := template.New("layout.html").Funcs(template.FuncMap{"asset": p.address}).
			ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", file)
		if err != nil {
			return nil, err
		}
		p.templates[name] = t
	}
	return p, nil
})

// readAssets gives every file an address with a digest of its content, so that
// browsers may keep it for ever.
func (p *pages) readAssets() error {
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		body, err := assetFiles.ReadFile("assets/" + entry.Name())
		if err != nil {
			return err
		}
		if entry.Name() == "worker.js" {
			p.worker = body
			continue
		}
		base, extension, _ := strings.Cut(entry.Name(), ".")
		sum := sha256.Sum256(body)
		name := base + "." + hex.EncodeToString(sum[:6]) + "." + extension
		p.assets[name] = asset{body, kinds[extension]}
		p.names[entry.Name()] = name
	}
	return nil
}

func (p *pages) address(name string) (string, error) {
	hashed, ok := p.names[name]
	if !ok {
		return "", fmt.Errorf("there is no file %s", name)
	}
	return "/assets/" + hashed, nil
}

func (w *Workspace) asset(rw http.ResponseWriter, r *http.Request) {
	a, ok := w.pages.assets[r.PathValue("name")]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	rw.Header().Set("Content-Type", a.kind)
	http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(a.body))
}

// view is what every page knows.
type view struct {
	Language  string
	Other     string // the other language
	OtherLink string // this page in it
	Author    string // who is logged in; empty on the login page
	Edition   string // of the program
	Person    bool   // somebody with an account, not a program
	Title     string
	Nav       []navItem
	OnDuty    []string // who is on duty for the teams of who asks
	Place     string   // the part of the navigation that the page stands in
	Live      bool     // the page follows events
	Drawn     bool     // the page holds charts
	Keyed     bool     // the page has buttons for passkeys
	Refresh   bool     // without a script, the page is loaded again now and then; never where somebody writes
	Untraced  bool     // looks are not written to the trail at the moment
	Opened    bool     // another team opened the record of one of their patients
	now       time.Time
	teams     map[string]Team
	home      *time.Location // of the patient: times of measurement say theirs where it differs
	team      string         // whose units are written beside
	zone      *time.Location // of the patient that the page is about; nil: times are those of the team
	TeamList  []Team
}

func (w *Workspace) view(r *http.Request, title string) view {
	v := view{Language: languageOf(r), Author: access.From(r.Context()).Name, Person: access.From(r.Context()).Session != "", Edition: w.Edition, now: w.Now(), teams: map[string]Team{}, TeamList: w.Teams()}
	for _, team := range v.TeamList {
		v.teams[team.ID] = team
	}
	v.Other = spoken[0]
	if v.Language == spoken[0] {
		v.Other = spoken[1]
	}
	query := r.URL.Query()
	query.Set("lang", v.Other)
	if next := r.PostForm.Get("next"); next != "" { // a form that is shown once more
		query.Set("next", here(next))
	}
	v.OtherLink = r.URL.Path + "?" + query.Encode()
	v.Title = v.T(title)
	v.Nav = w.navigation(v, access.From(r.Context()))
	v.OnDuty = w.onGuard(r.Context(), v)
	grants, err := w.opened(r.Context())
	if err != nil {
		w.Log.Error("cannot tell whether records were opened by another team", "error", err)
	}
	v.Opened = len(grants) > 0
	since, _, _ := w.Trail.Gap()
	v.Untraced = v.Author != "" && !since.IsZero()
	return v
}

// T is a word of the catalogue.
func (v view) T(key string) string {
	text, ok := catalogue[key]
	if !ok {
		return key
	}
	return text.In(v.Language)
}

// In is a text in the language of the page.
func (v view) In(text protocols.Text) string { return text.In(v.Language) }

// LevelName is a level in words.
func (v view) LevelName(level protocols.Level) string { return v.In(alerts.LevelText(level)) }

// Zone is where the patient lives that the page is about, else the time zone of a team;
// UTC when neither is known.
func (v view) Zone(team string) *time.Location {
	if v.zone != nil {
		return v.zone
	}
	if zone := v.teams[team].Zone; zone != nil {
		return zone
	}
	return time.UTC
}

// TeamName is the name of a team.
func (v view) TeamName(id string) string {
	if name := v.teams[id].Name; name != "" {
		return name
	}
	return id
}

// stamp is a time for a <time> element.
type stamp struct {
	Machine string // RFC 3339
	Exact   string // with the day and the offset
	Clock   string // time of day, with the day when it is another
	Ago     string
	Until   string
	Past    bool
}

// Stamp is a time on the clock of a team; nil for no time.
func (v view) Stamp(t time.Time, team string) *stamp {
	if t.IsZero() {
		return nil
	}
	local := t.In(v.Zone(team))
	return &stamp{
		Machine: local.Format(time.RFC3339), Exact: moment(v.Language, local, v.now) + " (" + offset(local) + ")",
		Clock: clock(v.Language, local, v.now), Ago: ago(v.Language, t, v.now), Until: until(v.Language, t, v.now), Past: !t.After(v.now),
	}
}

// Measured is a time of measurement: on the clock of a team, and on that of where the
// patient lives where the two differ then.
func (v view) Measured(t time.Time, team string) *stamp {
	s := v.Stamp(t, team)
	if s == nil || v.home == nil || v.zone != nil {
		return s
	}
	theirs, ours := t.In(v.home), t.In(v.Zone(team))
	if _, there := theirs.Zone(); there != second(ours.Zone()) {
		at := v.T("time.home") + " " + clock(v.Language, theirs, ours)
		s.Exact, s.Clock = s.Exact+", "+at, s.Clock+", "+at
	}
	return s
}

func second(_ string, n int) int { return n }

// render fills a page completely before the first byte leaves.
func (w *Workspace) render(rw http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var page bytes.Buffer
	if err := w.pages.templates[name].Execute(&page, data); err != nil {
		w.Log.Error("page not filled", "page", name, "error", err)
		http.Error(rw, errInternal.Text.In(languageOf(r)), http.StatusInternalServerError)
		return
	}
	if asked := r.URL.Query().Get("lang"); isSpoken(asked) {
		http.SetCookie(rw, &http.Cookie{Name: languageCookie, Value: asked, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true})
	}
	w.headers(rw, r)
	write := func() error { _, err := page.WriteTo(rw); return err }
	if status != http.StatusTooManyRequests && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") { // whoever storms is answered cheaply
		rw.Header().Set("Content-Encoding", "gzip")
		write = func() error { return squeeze(rw, page.Bytes()) }
	}
	rw.WriteHeader(status)
	if err := write(); err != nil {
		w.Log.Debug("answer not delivered", "route", r.Pattern, "error", err)
	}
}

// headers are those of every page.
func (w *Workspace) headers(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", languageOf(r))
	h.Set("Vary", "Accept-Language, Cookie, Accept-Encoding")
	w.hurry(rw)
}

// squeezers are writers to use again: a new one takes a megabyte.
var squeezers = sync.Pool{New: func() any {
	small, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level exists
	return small
}}

// squeeze writes a page small: a list of a hundred alerts is a tenth of its size, which
// a telephone notices. A page holds no secret that its length could tell.
func squeeze(to io.Writer, page []byte) error {
	small := squeezers.Get().(*gzip.Writer)
	defer squeezers.Put(small)
	small.Reset(to)
	if _, err := small.Write(page); err != nil {
		return err
	}
	return small.Close()
}

// failPage shows an error as a page.
func (w *Workspace) failPage(rw http.ResponseWriter, r *http.Request, err error) {
	refused := w.refusal(r, err)
	page := struct {
		view
		Sentence string
	}{w.view(r, "problem.title"), refused.Text.In(languageOf(r))}
	w.render(rw, r, statuses[refused.Code], "problem", page)
}

// here is a path inside the workspace, and nothing else, to go to after a login.
func here(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return path
}

// wanted is where somebody on the way in wanted to go, by the address or by the form.
func wanted(r *http.Request) string {
	if next := r.URL.Query().Get("next"); next != "" {
		return here(next)
	}
	return here(r.PostForm.Get("next"))
}

// loginAddress is the login that comes back to where somebody was. Who sent a form
// after the session had ended comes back to the alert it was about.
func loginAddress(r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = r.URL.EscapedPath()
	}
	if next == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {next}}.Encode()
}

// readForm reads a form of bounded size.
func readForm(rw http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(rw, r.Body, largestBody)
	err := r.ParseForm()
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refuse(codeTooLarge, "Le formulaire dépasse 64 Kio.", "The form is larger than 64 KiB.")
	}
	if err != nil {
		return refuse(codeMalformed, "Le formulaire est illisible.", "The form cannot be read.")
	}
	return nil
}
