package workspace_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
)

// What a patient says on each purpose is entered by itself, holds at once and stays in the
// history, with the digest of what was signed.
func TestConsentIsEnteredForEachPurposeAndWithdrawnAtOnce(t *testing.T) {
	w := enrolled(t, func(o *workspace.Options) { o.Notice = "vigie-1" })
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	nurse := w.colleague("lea", "Lea Nurse", access.Nurse, "team-a")
	const path = "/enrolments/e-1"
	form := func(pairs ...string) url.Values {
		values := url.Values{"seen": {between(t, w.pageAs(aubry, path), `name="seen" value="`, `"`)}}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values
	}
	say := func(status int, pairs ...string) answer {
		t.Helper()
		got := w.postAs(aubry, path+"/consent", form(pairs...))
		if got.StatusCode != status {
			t.Errorf("%v: %s, want %d\n%s", pairs, got.Status, status, got.body)
		}
		return got
	}
	page := w.pageAs(aubry, path)
	w.wantText(page, "Consentements", "La recherche", "pas demandé", `value="vigie-1"`)
	if page := w.pageAs(nurse, path); !strings.Contains(page, "La recherche") || strings.Contains(page, path+"/consent") {
		t.Error("a nurse reads the consents, and is offered no form")
	}
	if got := w.postAs(nurse, path+"/consent", form("purpose", "research", "answer", "yes")); got.StatusCode < 400 {
		t.Errorf("a nurse enters a consent: %s", got.Status)
	}
	say(http.StatusBadRequest, "purpose", "research")
	say(http.StatusBadRequest, "purpose", "marketing", "answer", "yes")

	// Research: with the file that was signed, of which only the digest is kept.
	signed := bytes.Repeat([]byte("signature "), 10_000)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for name, values := range form("purpose", "research", "answer", "yes", "with", "OSICAT", "how", "written", "notice", "vigie-1") {
		if err := parts.WriteField(name, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	file, err := parts.CreateFormFile("proof", "signé.pdf")
	if err == nil {
		_, err = file.Write(signed)
	}
	if err == nil {
		err = parts.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := w.ask("POST", path+"/consent", body.String(), append([]string{"Content-Type", parts.FormDataContentType()}, aubry...)...); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s\n%s", got.Status, got.body)
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(signed))
	research := w.enrolment("e-1").Consent.Research
	if !research.At(w.now) || research.With != "OSICAT" || research.How != "written" || research.Notice != "vigie-1" || research.By != "Dr Aubry" || research.Proof != digest {
		t.Errorf("research: %+v", research)
	}
	w.wantText(w.pageAs(aubry, path), "OSICAT", "par écrit", "Recueilli par", digest[:16]+"…")

	// It is withdrawn at once, and the monitoring goes on.
	w.now = w.now.Add(time.Hour)
	say(http.StatusSeeOther, "purpose", "research", "answer", "no")
	c := w.enrolment("e-1").Consent
	if c.Research.At(w.now) || !c.At(w.now) || c.Research.With != "OSICAT" {
		t.Errorf("withdrawn: %+v", c)
	}
	say(http.StatusSeeOther, "purpose", "sharing", "answer", "no", "how", "oral")
	if p := w.enrolment("e-1").Consent.Sharing; p.Given || p.IsZero() || p.How != "oral" {
		t.Errorf("refused: %+v", p)
	}
	say(http.StatusSeeOther, "purpose", "monitoring", "answer", "yes", "how", "electronic", "with", "poids et tension")
	if now := w.enrolment("e-1").Consent; !now.Date.Equal(c.Date) || now.How != "electronic" || now.Scope != "poids et tension" {
		t.Errorf("more is said of a consent that stands: %+v", now)
	}

	// To stop the monitoring has to be meant; given anew, it begins anew.
	w.wantText(say(http.StatusUnprocessableEntity, "purpose", "monitoring", "answer", "no").body, "moins surveillé")
	say(http.StatusSeeOther, "purpose", "monitoring", "answer", "no", "allow", "consent:e-1")
	if c := w.enrolment("e-1").Consent; c.At(w.now) || c.Scope != "poids et tension" {
		t.Errorf("the monitoring goes on: %+v", c)
	}
	w.now = w.now.Add(time.Hour)
	say(http.StatusSeeOther, "purpose", "monitoring", "answer", "yes")
	if c := w.enrolment("e-1").Consent; !c.At(w.now) || c.At(w.now.Add(-time.Minute)) || c.How != "" || c.By != "Dr Aubry" {
		t.Errorf("given anew: %+v", c)
	}
	page = w.pageAs(aubry, path)
	_, history, _ := strings.Cut(page, `id="said"`)
	w.wantText(history, "La recherche", "Consentement retiré le", "Le partage", "Consentement refusé le", "La télésurveillance", "Dr Aubry")
}
