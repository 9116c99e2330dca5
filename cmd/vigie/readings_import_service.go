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
	into.enter = func(ctx context.Context, readings []protocols.Reading, bar *progress) (entered workspace.Entered, err error) {
		published := make([]devices.Reading, len(readings))
		for i := range readings {
			published[i] = devices.Published(&readings[i], zone)
		}
		body := map[string]any{"patient": patient, "device": into.device, "reason": f.reason, "readings": published}
		err = f.ask(ctx, http.MethodPost, "/api/v1/readings/import", body, &entered)
		if errors.Is(err, errTooLarge) {
			err = fmt.Errorf("%d readings are more than one request holds: stop the service and enter them on its store, without --service; devices wait meanwhile, and lose nothing: %w", len(readings), err)
		}
		bar.at(len(readings), len(readings))
		return entered, err
	}
	return into, nil
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
	var problem struct{ Code, Detail string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil || problem.Detail == "" {
		return fmt.Errorf("the service answers %s", response.Status)
	}
	refused := fmt.Errorf("the service refuses (%s): %s", problem.Code, problem.Detail)
	if response.StatusCode == http.StatusRequestEntityTooLarge {
		return errors.Join(errTooLarge, refused)
	}
	return refused
}

// errTooLarge says that a request was larger than the service takes. It is not cut into
// several: an episode that is over by the end of the file would ring at the end of a part.
var errTooLarge = errors.New("the request is too large")
