package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// consentRow is what the patient says on one purpose.
type consentRow struct {
	Name, Title, State string
	Given              bool
	Details            []string // since when, with whom, how, by whom, which notice, the proof
}

// consentEvent is what the patient once said.
type consentEvent struct {
	At                  *stamp
	Title, State, Known string
	Details             []string
}

// monitoring is the purpose of the enrolment itself, beside registry.Purposes.
const monitoring = "monitoring"

// purposeNames are all purposes, in the order in which they are asked.
func purposeNames() []string { return append([]string{monitoring}, registry.Purposes...) }

// purposeOf is what was said on one purpose.
func purposeOf(c *registry.Consent, name string) registry.Purpose {
	if p := c.Purpose(name); p != nil {
		return *p
	}
	return registry.Purpose{Given: c.Given, Date: c.Date, With: c.Scope, Withdrawn: c.Withdrawn, Notice: c.Notice, How: c.How, By: c.By, Proof: c.Proof}
}

// consentRow says where a purpose stands.
func (v view) consentRow(name string, p registry.Purpose) consentRow {
	row := consentRow{Name: name, Title: v.T("purpose." + name), Given: p.At(v.now)}
	day := func(t time.Time) string { return date(v.Language, t.In(v.Zone("")), v.now) }
	switch {
	case p.IsZero():
		row.State = v.T("purpose.unasked")
	case !p.Given:
		row.State = v.T("consent.refused") + " " + day(p.Date)
	case !p.Withdrawn.IsZero():
		row.State = v.T("consent.withdrawn") + " " + day(p.Withdrawn)
	default:
		row.State = v.T("consent.given") + " " + day(p.Date)
	}
	with := "purpose.with"
	if name == monitoring {
		with = "purpose.scope"
	}
	how := p.How
	if how != "" {
		how = v.T("purpose.how." + how)
	}
	for _, detail := range [][2]string{{with, p.With}, {"purpose.how", how}, {"purpose.by", p.By}, {"purpose.notice", p.Notice}, {"purpose.proof", shortProof(p.Proof)}} {
		if detail[1] != "" {
			row.Details = append(row.Details, v.T(detail[0])+v.T("colon")+readable(detail[1]))
		}
	}
	return row
}

// shortProof is the beginning of a digest, enough to compare by eye.
func shortProof(digest string) string {
	if len(digest) <= 16 {
		return digest
	}
	return digest[:16] + "…"
}

// fillConsents lists what the patient says now and said before, newest first.
func (w *Workspace) fillConsents(ctx context.Context, v *enrolmentView, e *registry.Enrolment) error {
	for _, name := range purposeNames() {
		v.Consents = append(v.Consents, v.consentRow(name, purposeOf(&e.Consent, name)))
	}
	v.Notice = orWord(e.Consent.Notice, w.Options.Notice)
	if w.Versions == nil {
		return nil
	}
	versions, err := w.Versions(ctx, e.ID)
	if err != nil {
		return err
	}
	var before registry.Consent
	for i := range versions {
		c := versions[i].Enrolment.Consent
		for _, name := range purposeNames() {
			if p := purposeOf(&c, name); p != purposeOf(&before, name) {
				row := v.consentRow(name, p)
				v.Said = append(v.Said, consentEvent{v.Stamp(versions[i].At, ""), row.Title, row.State, readable(versions[i].Author), row.Details})
			}
		}
		before = c
	}
	slices.Reverse(v.Said)
	return nil
}

// saidConsent is what a form says of a purpose, signed by who asks. It holds from now on.
func (w *Workspace) saidConsent(_ http.ResponseWriter, r *http.Request, e *registry.Enrolment) (proposal, error) {
	form, now := r.PostForm, w.Now().UTC().Truncate(time.Second)
	said := registry.Purpose{
		Given: form.Get("answer") == "yes", With: strings.TrimSpace(form.Get("with")), Notice: strings.TrimSpace(form.Get("notice")),
		How: form.Get("how"), By: access.From(r.Context()).Name, Proof: form.Get("proof_sha256"),
	}
	name := form.Get("purpose")
	if form.Get("answer") != "yes" && form.Get("answer") != "no" {
		return proposal{}, refuse(codeMalformed, "Dites si le patient accepte ou refuse.", "Say whether the patient agrees or refuses.")
	}
	next, known := e.Allowing(name, said, now)
	switch {
	case known:
		return proposal{patch: map[string]any{"consent": map[string]any{name: purposePatch(*next.Consent.Purpose(name))}}}, nil
	case name != monitoring:
		return proposal{}, refuse(codeMalformed, "Choisissez la question.", "Choose the question.")
	}
	c := &e.Consent
	switch standing := purposeOf(c, monitoring); {
	case said.Given && c.At(now): // it stands, and says more
		patch := map[string]any{}
		for field, value := range map[string]string{"scope": said.With, "notice": said.Notice, "how": said.How, "by": said.By, "proof_sha256": said.Proof} {
			if value != "" {
				patch[field] = value
			}
		}
		return proposal{patch: map[string]any{"consent": patch}}, nil
	case !said.Given && standing.At(now):
		return proposal{patch: map[string]any{"consent": map[string]any{"withdrawn": now.Format(time.RFC3339)}}}, nil
	}
	said.Date, said.With = now, orWord(said.With, c.Scope)
	patch := purposePatch(said)
	patch["scope"], patch["history"] = patch["with"], nil
	delete(patch, "with")
	return proposal{patch: map[string]any{"consent": patch}}, nil
}

// purposePatch is a purpose as a merge patch that leaves nothing of the one before.
func purposePatch(p registry.Purpose) map[string]any {
	patch := map[string]any{"given": p.Given, "date": p.Date.UTC().Format(time.RFC3339), "withdrawn": nil}
	if !p.Withdrawn.IsZero() {
		patch["withdrawn"] = p.Withdrawn.UTC().Format(time.RFC3339)
	}
	for field, value := range map[string]string{"with": p.With, "notice": p.Notice, "how": p.How, "by": p.By, "proof_sha256": p.Proof} {
		patch[field] = nil
		if value != "" {
			patch[field] = value
		}
	}
	return patch
}

const (
	largestProof = 20 << 20 // a scan of what was signed
	largestField = 4 << 10
)

// readStep reads the form of a step. A file that comes with it is not kept: only its
// SHA-256 stands in the form then, as proof_sha256.
func readStep(rw http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "multipart/form-data" {
		return readForm(rw, r)
	}
	r.Body = http.MaxBytesReader(rw, r.Body, largestProof)
	parts, err := r.MultipartReader()
	form := url.Values{}
	for err == nil {
		err = readPart(parts, form)
	}
	r.PostForm, r.Form = form, form
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &large):
		return refuse(codeTooLarge, "Le fichier dépasse 20 Mio.", "The file is larger than 20 MiB.")
	}
	return refuse(codeMalformed, "Le formulaire est illisible.", "The form cannot be read.")
}

// readPart adds the next part of a form.
func readPart(parts *multipart.Reader, form url.Values) error {
	part, err := parts.NextPart()
	if err != nil {
		return err
	}
	if part.FileName() != "" {
		digest := sha256.New()
		size, err := io.Copy(digest, part)
		if err == nil && size > 0 {
			form.Set("proof_sha256", hex.EncodeToString(digest.Sum(nil)))
		}
		return err
	}
	if part.FormName() == "proof" { // no file was chosen
		return nil
	}
	value, err := io.ReadAll(io.LimitReader(part, largestField))
	if err == nil && len(form) < 50 {
		form.Add(part.FormName(), string(value))
	}
	return err
}
