package workspace_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/protocols"
)

// described is the document as its reader has it.
type described struct {
	Paths map[string]map[string]struct {
		Parameters []struct{ Name, In string }
		Body       struct {
			Content map[string]struct {
				Schema, Example json.RawMessage
			}
		} `json:"requestBody"`
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
}

func (w *ward) described() (described, any) {
	w.Helper()
	got := w.ask("GET", "/api/v1/openapi.json", "", "Authorization", "")
	if got.StatusCode != http.StatusOK {
		w.Fatal(got.Status)
	}
	var d described
	if err := json.Unmarshal([]byte(got.body), &d); err != nil {
		w.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err != nil {
		w.Fatal(err)
	}
	return d, whole
}

// TestTheDocumentForProgramsIsTheTableOfRoutes holds each against the other.
func TestTheDocumentForProgramsIsTheTableOfRoutes(t *testing.T) {
	w := enrolled(t)
	d, _ := w.described()
	left := map[string]bool{}
	for path, methods := range d.Paths {
		for method := range methods {
			left[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, route := range w.space.Routes() {
		_, path, _ := strings.Cut(route.Pattern, " ")
		if !strings.HasPrefix(path, "/api/v1/") {
			continue
		}
		if !left[route.Pattern] {
			t.Errorf("the document says nothing of %s", route.Pattern)
		}
		delete(left, route.Pattern)
	}
	for _, pattern := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("the document speaks of %s, which is not served", pattern)
	}
	for _, pattern := range w.space.Described() {
		if !slices.ContainsFunc(w.space.Routes(), func(r workspace.Route) bool { return r.Pattern == pattern }) && !strings.HasSuffix(pattern, "/duty") {
			t.Errorf("the table describes %s, which is not served", pattern)
		}
	}
}

// TestTheServerDoesWhatTheDocumentSays sends every request of the document with its
// example, and holds the answers against the schemas.
func TestTheServerDoesWhatTheDocumentSays(t *testing.T) {
	reading := enrolled(t, everyRight)
	d, whole := reading.described()
	schemas := jsonschema.NewCompiler()
	schemas.DefaultDraft(jsonschema.Draft2020)
	if err := schemas.AddResource("https://vigie.example.org/openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	valid := func(what, place string, body []byte) {
		t.Helper()
		schema, err := schemas.Compile("https://vigie.example.org/openapi.json#" + place)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", what, err, body)
		}
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1").Replace
	apart := map[string]bool{ // tried in tests of their own: what is done of them is not kept by a registry
		"get /api/v1/stream": true, "post /api/v1/readings/import": true, "post /api/v1/readings/strike": true, "post /api/v1/readings/unstrike": true, "post /api/v1/readings/rehome": true, "post /api/v1/enrolments/{id}/validate": true,
		"post /api/v1/patients/{id}/reviews/undo": true, "post /api/v1/patients/{id}/merge": true, "post /api/v1/patients/{id}/unmerge": true, "post /api/v1/patients/{id}/erase": true,
	}
	for path, methods := range d.Paths {
		for method, o := range methods {
			what := method + " " + path
			at := "/paths/" + escape(path) + "/" + method
			body, media := "", "application/json"
			for media = range o.Body.Content {
				if example := o.Body.Content[media].Example; example != nil {
					valid(what+": the example", at+"/requestBody/content/"+escape(media)+"/schema", example)
					body = string(example)
				} else if !apart[what] {
					t.Errorf("%s: there is no example", what)
				}
			}
			if apart[what] {
				continue
			}
			w := reading
			if method != "get" {
				w = enrolled(t, everyRight)
			}
			got := w.asSaid(method, path, body)
			answered, said := o.Responses[strconv.Itoa(got.StatusCode)]
			if !said {
				t.Errorf("%s: %s %s", what, got.Status, got.body)
				continue
			}
			for media := range answered.Content {
				valid(what+": the answer", at+"/responses/"+strconv.Itoa(got.StatusCode)+"/content/"+escape(media)+"/schema", []byte(got.body))
			}
			refused := w.ask(strings.ToUpper(method), strings.ReplaceAll(path, "{", "nobody{"), body, "Authorization", "")
			if refused.StatusCode >= 400 {
				valid(what+": the refusal", "/components/schemas/Problem", []byte(refused.body))
			}
		}
	}
}

// everyRight gives a program every right.
func everyRight(o *workspace.Options) {
	o.Tokens = append(o.Tokens, workspace.Token{Name: "essai", Secret: "everything-secret", Scopes: []access.Right{
		access.SeePatients, access.SeeIdentity, access.Act, access.EnterReadings, access.Prescribe, access.Enrol, access.ManageTeam, access.SeeDevices, access.SeeFigures}})
}

// asSaid sends a request of the document, about what is there.
func (w *ward) asSaid(method, path, body string) answer {
	w.Helper()
	who := []string{"Authorization", "Bearer everything-secret"}
	if strings.HasSuffix(path, "/handovers") {
		w.invite("Ida Weber")
	}
	h, _ := w.held(who)
	body = strings.ReplaceAll(body, "VERSION", h.Version)
	ids := map[string]string{"patients": "p-1", "devices": "scale-1", "enrolments": "e-1", "teams": "team-a"}
	if method == "delete" { // what nobody uses
		w.ask("PUT", "/api/v1/devices/scale-8", `{"serial":"A2","kind":"scale"}`, with(who, "If-None-Match", "*")...)
		w.ask("PUT", "/api/v1/patients/p-8", newPatient, with(who, "If-None-Match", "*")...)
		w.ask("PUT", "/api/v1/teams/team-8", newTeam, with(who, "If-None-Match", "*")...)
		ids["patients"], ids["devices"], ids["teams"] = "p-8", "scale-8", "team-8"
	}
	kind := strings.Split(path, "/")[3]
	id, known := ids[kind]
	if kind == "alerts" && strings.Contains(path, "{id}") {
		id = w.raise("weight-fast", protocols.Orange)
	}
	query := ""
	if known && method != "get" {
		query = "?allow_loosening=prescription_end:e-1,pauses:e-1,consent:e-1,settings.fast-gain:e-1"
		seen := w.ask("GET", "/api/v1/"+kind+"/"+id, "", who...)
		if strings.HasSuffix(path, "{number}") {
			seen = w.ask("POST", "/api/v1/enrolments/e-1/pauses"+query, `{"from":"2026-12-01","until":"2026-12-10","reason":"hôpital"}`, with(who, "If-Match", seen.Header.Get("ETag"))...)
		}
		who = with(who, "If-Match", seen.Header.Get("ETag"))
	}
	path = strings.NewReplacer("{id}", id, "{act}", "acknowledge", "{name}", "fast-gain", "{number}", "1").Replace(path)
	return w.ask(strings.ToUpper(method), path+query, body, who...)
}
