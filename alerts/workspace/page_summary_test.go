package workspace_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/ledongthuc/pdf"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// summed is a ward whose patient, Anne Durand, was weighed on 20 of the last 30 days, and
// had an alert that somebody has closed.
func summed(t *testing.T) *ward {
	t.Helper()
	w := enrolled(t, fromStore)
	var readings []*protocols.Reading
	for day := range 30 {
		if day%3 == 0 { // today is one of them
			continue
		}
		readings = append(readings, &protocols.Reading{
			ID: fmt.Sprint("w-", day), Device: "scale-1", Patient: "p-1", Time: w.now.AddDate(0, 0, -day), Measure: protocols.MeasureByID("weight"),
			Values: []protocols.Value{protocols.Value(80000 + 100*(day%5))}, Battery: -1,
		})
	}
	w.measured(readings...)
	who := w.colleague("cora", "Cora", access.Coordinator, "team-a")
	_, tag := w.held(who)
	if got := w.ask("POST", "/api/v1/enrolments/e-1/pauses?allow_loosening=pauses:e-1", `{"from":"2026-11-10","until":"2026-11-12","reason":"chez sa fille"}`, with(who, "If-Match", tag)...); got.StatusCode != 200 {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	id := w.raise("weight-fast", protocols.Orange)
	if err := alerts.Resolve(t.Context(), w.store, id, "Lea Nurse", "patient-called", "a mangé salé chez Mme Roux", w.now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	return w
}

// The summary says who, what was measured, how regularly, what rang and what became of it;
// without identity it holds neither name, nor matricule, nor what somebody has typed.
func TestASummaryForThePhysicianAndForAnotherOpinion(t *testing.T) {
	w := summed(t)
	nurse := w.login("Lea Nurse")
	w.wantText(w.page("/patients/p-1", nurse), `href="/patients/p-1/summary"`)
	whole := w.page("/patients/p-1/summary?last=30d", nurse)
	w.wantText(whole, "Synthèse de télésurveillance", "DURAND ANNE", "277076322082910 (1.2.250.1.213.1.4.10)", "DURAND, ANNE MARIE, F, 1977-07-04, 63220", "poids", "chaque jour", "19 / 28", "68\u202f%", "1 à traiter", "patient joint et conseillé, Lea Nurse, lun. 23 nov. 2026, 10:29", "Du 24 oct. 2026 au 23 nov. 2026", "a mangé salé", "chez sa fille", "note, réglage ou traitement", "petit gabarit", `id="chart-weight`)
	bare := w.page("/patients/p-1/summary?last=30d&for=opinion", nurse)
	w.wantText(bare, "p-1", "F 49 ans", "19 / 28", "patient joint", "Sans nom, matricule")
	for _, typed := range []string{"DURAND", "277076322082910", "salé", "chez sa fille", "petit gabarit", "1977"} {
		if strings.Contains(bare, typed) {
			t.Errorf("without identity it holds %q", typed)
		}
	}
	if accesses, err := w.store.Accesses(t.Context(), "p-1"); err != nil || len(accesses) != 1 || accesses[0].Author != "Lea Nurse" {
		t.Errorf("who read the matricule is logged as %v, %v", accesses, err)
	}
	identity, err := w.store.Identity(t.Context(), "p-1", registry.Access{Author: "Op", Reason: "a name to be checked again"})
	if err != nil {
		t.Fatal(err)
	}
	identity.Status = registry.Provisional
	if _, err := w.store.Import(t.Context(), &registry.Registry{Patients: []registry.Patient{{ID: "p-1", Identity: *identity}}}, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	if again := w.page("/patients/p-1/summary?last=30d", nurse); strings.Contains(again, "277076322082910") || !strings.Contains(again, "DURAND ANNE") {
		t.Error("the matricule of an identity that is not qualified stands in a summary")
	}
	if got := w.ask("GET", "/patients/p-1/summary", "", "Authorization", "", "Cookie", w.login("Ops", access.Operator)); got.StatusCode == 200 {
		t.Error("an operator reads a summary")
	}
}

// What Chromium prints to PDF can be searched, charts included, on A4 pages.
func TestTheSummaryIsAPDFThatCanBeSearched(t *testing.T) {
	w := summed(t)
	b := browse(w, w.login("Lea Nurse"))
	b.open("/patients/p-1/summary?last=30d")
	var data []byte
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		printed, err := cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
		if err != nil {
			return err
		}
		data = printed.Data
		return nil
	}))
	file, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := file.GetPlainText()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(string(text))), " ")
	for _, want := range []string{"Synthèse de télésurveillance", "DURAND ANNE", "277076322082910", "insuffisance cardiaque", "poids 80,1 kg", "19 / 28", "patient joint", "petit gabarit", "habituel 80,2 kg"} {
		if !strings.Contains(said, want) {
			t.Errorf("a search finds no %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, "Se déconnecter") || strings.Contains(said, "Imprimer") {
		t.Error("on paper stands what cannot be clicked")
	}
}
