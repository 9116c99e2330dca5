package workspace

import (
	"net/http"

	"golang.org/x/text/language"
)

// The languages that pages and problems are written in, the first by default.
var (
	spoken  = []string{"fr", "en"}
	matcher = language.NewMatcher([]language.Tag{language.French, language.English})
)

const languageCookie = "vigie-language"

// languageOf is the language to answer in: the one asked for in the address, the
// one chosen before, or the one the browser prefers.
func languageOf(r *http.Request) string {
	if asked := r.URL.Query().Get("lang"); isSpoken(asked) {
		return asked
	}
	if cookie, err := r.Cookie(languageCookie); err == nil && isSpoken(cookie.Value) {
		return cookie.Value
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return spoken[0]
	}
	_, index, _ := matcher.Match(tags...)
	return spoken[index]
}

func isSpoken(name string) bool {
	for _, known := range spoken {
		if name == known {
			return true
		}
	}
	return false
}
