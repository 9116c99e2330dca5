package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/seeds/devices"
)

// remoteFlags name a service that runs, and who asks it.
type remoteFlags struct {
	service, tokenFile, reason string
}

func (f *remoteFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.service, "service", "", "address of a service that runs, to enter them there: https://vigie.example.org")
	flags.StringVar(&f.tokenFile, "token-file", "", "file that holds the token for --service, of an account that may enter readings")
	flags.StringVar(&f.reason, "reason", "", "why, for the trail of --service")
}

// destination asks the service where the patient lives, and which device is meant.
func (f *remoteFlags) destination(ctx context.Context, patient, device string) (into destination, err error) {
	if patient == "" {
		return into, errors.New("with --service, say whose readings they are with --patient")
	}
	if f.tokenFile == "" {
		return into, errors.New("with --service, name the file that holds the token with --token-file")
	}
	var followed struct {
		Enrolments []struct {
			Zone    string   `json:"time_zone"`
			Devices []string `json:"devices"`
		}
	}
	if err := f.ask(ctx, http.MethodGet, "/api/v1/patients/"+url.PathEscape(patient)+"/enrolments", nil, &followed); err != nil {
		return into, err
	}
	var names []string
	for _, e := range followed.Enrolments {
		into.zone = e.Zone
		names = append(names, e.Devices...)
	}
	if len(followed.Enrolments) == 0 {
		return into, fmt.Errorf("there is no patient of that reference who is or was followed: %s", patient)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if into.device = device; device == "" {
		if len(names) != 1 {
			return into, fmt.Errorf("name the device that has measured them with --device: %s", strings.Join(names, ", "))
		}
		into.device = names[0]
	}
	zone, err := time.LoadLocation(into.zone)
	if err != nil {
		return into, fmt.Errorf("the time zone of the patient: %w", err)
	}
	into.identity = func(ctx context.Context) (*registry.Identity, error) {
		var known registry.Patient
		err := f.ask(ctx, http.MethodGet, "/api/v1/patients/"+url.PathEscape(patient), nil, &known)
		return &known.Identity, err
	}
	into.enter = func(ctx context.Context, readings []protocols.Reading, bar *progress) (workspace.Entered, error) {
		whose := entering{Patient: patient, Device: into.device, Reason: f.reason}
		return f.enter(ctx, whose, readings, zone, bar)
	}
	return into, nil
}

// entering is one request: an import, or a part of one.
type entering struct {
	Patient  string            `json:"patient"`
	Device   string            `json:"device"`
	Reason   string            `json:"reason"`
	Batch    string            `json:"batch,omitempty"`
	More     bool              `json:"more,omitempty"`
	Readings []devices.Reading `json:"readings"`
}

// An import of more than a month of a glucose sensor goes in parts, so that devices do not
// wait for the whole of it. What is the most recent goes together: the rules see it at once.
const (
	wholeImport  = 10_000
	partOfImport = 2_000
)

// partsOf cuts readings, which are in the order of time, into what one request holds.
func partsOf(readings []protocols.Reading) (parts [][]protocols.Reading) {
	for len(readings) > wholeImport {
		some := min(partOfImport, len(readings)-wholeImport)
		parts, readings = append(parts, readings[:some]), readings[some:]
	}
	return append(parts, readings)
}

// enter has the service enter readings, each part whole. What a part has entered stays; the
// same command goes on, because what is kept is not entered twice.
func (f *remoteFlags) enter(ctx context.Context, request entering, readings []protocols.Reading, zone *time.Location, bar *progress) (sum workspace.Entered, err error) {
	parts, done := partsOf(readings), 0
	if len(parts) > 1 {
		request.Batch = ingest.BatchOf(request.Device, readings)
	}
	for i, part := range parts {
		request.More, request.Readings = i < len(parts)-1, request.Readings[:0]
		for i := range part {
			request.Readings = append(request.Readings, devices.Published(&part[i], zone))
		}
		var entered workspace.Entered
		if err := f.ask(ctx, http.MethodPost, "/api/v1/readings/import", request, &entered); err != nil {
			return sum, brokenOff(err, request.Batch, done, len(readings))
		}
		sum.Batch = entered.Batch
		sum.Add(&entered.Entered)
		done += len(part)
		bar.at(done, len(readings))
	}
	return sum, nil
}

// brokenOff says what is kept of an import that has failed, and how to go on.
func brokenOff(err error, batch string, done, of int) error {
	if batch == "" {
		return err
	}
	var refused *refusal
	if errors.As(err, &refused) && refused.Code == registry.MergeUnknown {
		return fmt.Errorf("%w; the first %d of %d readings had been dealt with: if the patient was erased meanwhile, they went too", err, done, of)
	}
	return fmt.Errorf("%w; of %d readings, the first %d are dealt with and stay, in the batch %q: give the same command again and it goes on from there, entering nothing twice. Until then, and for an hour at most, no alert is raised of what was still going on at that point", err, of, done, batch)
}

// ask asks the service. What it refuses is an error in its own words.
func (f *remoteFlags) ask(ctx context.Context, method, path string, body, answer any) error {
	token, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(f.service, "/")+path, content)
	if err != nil {
		return fmt.Errorf("--service: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the service: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode < http.StatusBadRequest {
		return json.NewDecoder(response.Body).Decode(answer)
	}
	var problem refusal
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil || problem.Detail == "" {
		return fmt.Errorf("the service answers %s", response.Status)
	}
	return &problem
}

// refusal is why the service does not do what it is asked for.
type refusal struct{ Code, Detail string }

func (r *refusal) Error() string {
	return fmt.Sprintf("the service refuses (%s): %s", r.Code, r.Detail)
}
