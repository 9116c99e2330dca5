package workspace

import (
	"encoding/json"
	"net/http"
)

// manifestPath is where browsers find what to put on a home screen. It has a name of its
// own, since a telephone looks there again for what has changed.
const manifestPath = "/app.webmanifest"

// manifest is a web application manifest (W3C): Vigie on the home screen of a telephone, in a
// window of its own. An iPhone takes push messages only there.
type manifest struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Short       string         `json:"short_name"`
	Description string         `json:"description"`
	Language    string         `json:"lang"`
	Start       string         `json:"start_url"`
	Scope       string         `json:"scope"`
	Display     string         `json:"display"`
	Background  string         `json:"background_color"`
	Theme       string         `json:"theme_color"`
	Icons       []manifestIcon `json:"icons"`
}

type manifestIcon struct {
	Source  string `json:"src"`
	Sizes   string `json:"sizes"`
	Kind    string `json:"type"`
	Purpose string `json:"purpose"`
}

// showManifest answers in the language of who asks.
func (w *Workspace) showManifest(rw http.ResponseWriter, r *http.Request) {
	v := view{Language: languageOf(r)}
	m := manifest{
		ID: "/", Name: "Vigie", Short: "Vigie", Description: v.T("brand.tagline"), Language: v.Language,
		Start: "/", Scope: "/", Display: "standalone", Background: "#f4f6f7", Theme: "#0b5c6b",
	}
	for _, icon := range []struct{ file, sizes, purpose string }{
		{"icon.svg", "any", "any"},
		{"icon-512.png", "512x512", "any"},
		{"icon-512.png", "512x512", "maskable"}, // what is drawn stands inside its inner circle
		{"icon-180.png", "180x180", "any"},
	} {
		address, err := w.pages.address(icon.file)
		if err != nil {
			w.failPage(rw, r, err)
			return
		}
		m.Icons = append(m.Icons, manifestIcon{address, icon.sizes, w.pages.assets[w.pages.names[icon.file]].kind, icon.purpose})
	}
	body, err := json.Marshal(m)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	rw.Header().Set("Content-Type", "application/manifest+json")
	rw.Header().Set("Cache-Control", "no-cache")
	rw.Header().Set("Vary", "Accept-Language, Cookie")
	if _, err := rw.Write(body); err != nil {
		w.Log.Debug("the manifest was not sent", "error", err)
	}
}
