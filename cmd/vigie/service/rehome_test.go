package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/cmd/vigie/config"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// couple is a service in which a husband and his wife are followed, with a scale each.
func couple(t *testing.T) (*Service, string, time.Time) {
	t.Helper()
	c := config.Default()
	c.Data, c.HTTP.Listen, c.Broker.Inside.Listen, c.Access.SecondFactor = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", config.Optional
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: quiet, Stepped: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now := time.Now().Truncate(time.Second)
	reg := &registry.Registry{Teams: []registry.Team{{ID: "cardio", Name: "Cardiologie", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"}}}}
	for _, name := range []string{"her", "his"} {
		reg.Patients = append(reg.Patients, registry.Patient{ID: "p-" + name, Identity: registry.Identity{BirthName: "ROUX", GivenNames: "X", FirstGiven: "X", Sex: "F", BirthDate: "1951-03-12", BirthPlace: "51215"}})
		reg.Devices = append(reg.Devices, registry.Device{Name: "scale-" + name, Serial: "S", Kind: "scale", Brand: "B", Model: "M", Password: "a password long enough"})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: "e-" + name, Patient: "p-" + name, Protocol: "heart-failure", Version: s.Shelf.Latest("heart-failure"), Zone: "Europe/Paris", Team: "cardio", Physician: "10001234565",
			Devices: []string{"scale-" + name}, From: now.AddDate(0, 0, -5), Prescription: now.AddDate(0, 2, 0), Consent: registry.Consent{Given: true, Date: now.AddDate(0, 0, -6), Scope: "poids"}})
	}
	if _, err := s.Registry().Import(t.Context(), reg, "a nurse", now); err != nil {
		t.Fatal(err)
	}
	link, err := s.accounts.Add(t.Context(), access.Account{Login: "lea", Name: "Léa", Roles: []access.Role{access.Nurse}, Teams: []string{"cardio"}})
	if err == nil {
		_, err = s.accounts.Choose(t.Context(), link, "trois petits chats bleus")
	}
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.accounts.Give(t.Context(), "lea", access.Token{Name: "test", Scopes: []access.Right{access.SeePatients, access.EnterReadings}, Until: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return s, token, now
}

// A husband steps on the scale of his wife. His weight goes to him, is seen by his rules, and
// counts no more for her. Where it could not be used for him, nothing changes.
func TestAReadingGoesToThePatientWhoseItIs(t *testing.T) {
	s, token, now := couple(t)
	at := now.Add(-2 * time.Hour)
	weigh := func(device, id string, when time.Time, kilograms string) {
		t.Helper()
		kept := make(chan error, 1)
		s.pipeline.Submit(t.Context(), ingest.Message{
			Topic: ingest.Topic("vigie/v1", device, ingest.ReadingsTopic), Device: device, Client: device, Received: now, Done: func(err error) { kept <- err },
			Payload: fmt.Appendf(nil, `{"id":%q,"time":%q,"measure":"weight","values":{"value":%s},"unit":"kg","context":{"clothed":"yes"}}`, id, when.UTC().Format(time.RFC3339), kilograms),
		})
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
	}
	weigh("scale-her", "a1b2c3d4e5f6-1", at.Add(-24*time.Hour), "62.1")
	weigh("scale-her", "a1b2c3d4e5f6-2", at, "88.4")
	weights := func(patient string) (list []string) {
		t.Helper()
		err := s.Store().History(t.Context(), patient, protocols.MeasureByID("weight"), time.Time{}, now, func(r *protocols.Reading) bool {
			list = append(list, fmt.Sprintf("%s %s %v", r.Device, r.Values[0], r.Struck))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	send := func(body string, status int) (answer struct {
		Readings []struct{ ID string }
		Entered  struct {
			Batch      string
			New, Known int
		}
		Code string
	}) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Page()+"/api/v1/readings/rehome", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		got, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		if err == nil {
			err = json.Unmarshal(text, &answer)
		}
		if err != nil || got.StatusCode != status {
			t.Fatalf("%s: %s %s, %v", body, got.Status, text, err)
		}
		return answer
	}
	body := func(more string) string {
		return fmt.Sprintf(`{"patient":"p-her","time":%q,"reason":"son mari",%s}`, at.UTC().Format(time.RFC3339), more)
	}
	send(body(`"into":"p-her","as_device":"scale-her"`), http.StatusBadRequest)
	send(body(`"into":"p-his","as_device":""`), http.StatusBadRequest)
	send(body(`"into":"p-none","as_device":"scale-his"`), http.StatusNotFound)
	send(strings.Replace(body(`"into":"p-his","as_device":"scale-his"`), at.UTC().Format(time.RFC3339), at.Add(-time.Hour).UTC().Format(time.RFC3339), 1), http.StatusNotFound)
	send(body(`"into":"p-his","as_device":"scale-her"`), http.StatusUnprocessableEntity) // she has it
	if got := strings.Join(weights("p-her"), ", ") + " | " + strings.Join(weights("p-his"), ", "); got != "scale-her 62.1 false, scale-her 88.4 false | " {
		t.Fatalf("after what was refused: %s", got)
	}
	moved := send(body(`"into":"p-his","as_device":"scale-his"`), http.StatusOK)
	if len(moved.Readings) != 1 || moved.Entered.New != 1 || moved.Entered.Batch == "" {
		t.Errorf("moved: %+v", moved)
	}
	if got := strings.Join(weights("p-her"), ", ") + " | " + strings.Join(weights("p-his"), ", "); got != "scale-her 62.1 false, scale-her 88.4 true | scale-his 88.4 false" {
		t.Errorf("moved: %s", got)
	}
	send(body(`"into":"p-his","as_device":"scale-his"`), http.StatusNotFound) // it is his already
}
