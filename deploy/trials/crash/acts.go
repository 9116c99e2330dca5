package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/ingest/stores/sqlite"
)

// token lets the nurse of a trial in.
const token = "a token that is long enough for anybody"

// nurse works through the list while the service is killed: she notes, takes on and
// closes whatever stands there. Each act carries a text of its own.
type nurse struct {
	page  string
	http  http.Client
	deeds []deed
}

// deed is one act, and what she was answered.
type deed struct {
	text   string
	kind   alerts.EventKind
	answer answer
}

type answer int

const (
	none    answer = iota // the connection broke, or the service failed: it may be kept
	done                  // she was told that it is
	refused               // she was told why not
)

func newNurse(page string) *nurse {
	return &nurse{page: "http://" + page + "/api/v1/alerts", http: http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// work goes on until ctx ends.
func (n *nurse) work(ctx context.Context) {
	for ctx.Err() == nil {
		list, err := n.list(ctx)
		if err != nil || len(list) == 0 {
			_ = pause(ctx, 20*time.Millisecond) // it is away, or all is done
			continue
		}
		for i := range list {
			if ctx.Err() != nil {
				return
			}
			n.act(ctx, list[i].ID, "note", alerts.EventNoted, nil)
			if list[i].State == alerts.Open {
				n.act(ctx, list[i].ID, "acknowledge", alerts.EventAcknowledged, nil)
			} else {
				n.act(ctx, list[i].ID, "resolve", alerts.EventResolved, map[string]string{"outcome": "patient-called"})
			}
		}
	}
}

func (n *nurse) list(ctx context.Context) ([]alerts.Alert, error) {
	status, body, err := n.ask(ctx, http.MethodGet, "?state=open,acknowledged&limit=20", nil)
	if err != nil || status != http.StatusOK {
		return nil, err
	}
	var page struct{ Alerts []alerts.Alert }
	return page.Alerts, json.Unmarshal(body, &page)
}

func (n *nurse) act(ctx context.Context, alert, name string, kind alerts.EventKind, fields map[string]string) {
	d := deed{text: fmt.Sprintf("act %d", len(n.deeds)), kind: kind}
	body := map[string]string{"note": d.text}
	for name, value := range fields {
		body[name] = value
	}
	// What ends before its answer came may be kept, as an act of a person whose browser broke off.
	status, _, err := n.ask(ctx, http.MethodPost, "/"+alert+"/"+name, body)
	switch {
	case err == nil && status == http.StatusOK:
		d.answer = done
	case err == nil && status/100 == 4:
		d.answer = refused
	}
	n.deeds = append(n.deeds, d)
}

func (n *nurse) ask(ctx context.Context, method, path string, fields map[string]string) (status int, body []byte, err error) {
	var sent io.Reader
	if fields != nil {
		text, err := json.Marshal(fields)
		if err != nil {
			return 0, nil, err
		}
		sent = strings.NewReader(string(text))
	}
	request, err := http.NewRequestWithContext(ctx, method, n.page+path, sent)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := n.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// acting kills the service while a person works: what she was told is done is done
// once, what she was told is refused is not done, and what was not answered is done once
// or not at all.
func acting(b *bench, ctx context.Context) (r row, err error) {
	times := max(4, b.options.Kills/5)
	t, err := b.newTrial(ctx, b.wardFor(times))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	n := newNurse(t.node.page)
	working, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() { defer close(ended); n.work(working) }()
	err = t.shaken(ctx, times, rudely, t.kill)
	if err == nil {
		t.crowd.allow(1, 1)
		err = t.await(ctx, t.ward.readings())
	}
	stop()
	<-ended
	if err != nil {
		return r, err
	}
	got, err := t.settled(ctx)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.readings(t.crowd, got)
	kept, err := t.noted(ctx)
	if err != nil {
		return r, err
	}
	note, err := j.deeds(n.deeds, kept)
	return row{counts: j.counts, times: times, note: note}, err
}

// noted is which events hold each text.
func (t *trial) noted(ctx context.Context) (map[string][]alerts.EventKind, error) {
	noted := map[string][]alerts.EventKind{}
	err := t.read(func(store *sqlite.Store) error {
		for seq := int64(0); ; {
			events, err := store.EventsAfter(ctx, seq, 10_000)
			if err != nil || len(events) == 0 {
				return err
			}
			for _, e := range events {
				noted[e.Note] = append(noted[e.Note], e.Kind)
				seq = e.Seq
			}
		}
	})
	return noted, err
}

// deeds counts acts that were answered and are not kept, and those that are kept
// twice, or though they were refused.
func (j *judge) deeds(all []deed, noted map[string][]alerts.EventKind) (note string, err error) {
	answered, unknown, keptUnknown := map[alerts.EventKind]int{}, 0, 0
	for _, d := range all {
		times := len(noted[d.text])
		switch {
		case d.answer == done && !slices.Contains(noted[d.text], d.kind):
			j.lost++
			j.says("%s (%s) was answered and is not kept", d.text, d.kind)
		case times > 1, d.answer == refused && times > 0:
			j.doubled++
			j.says("%s (%s, answer %d) is kept %d times", d.text, d.kind, d.answer, times)
		}
		switch d.answer {
		case done:
			answered[d.kind]++
		case none:
			unknown++
			keptUnknown += times
		}
	}
	note = fmt.Sprintf("%d notes, %d taken on, %d closed, %d without an answer: %d of them kept",
		answered[alerts.EventNoted], answered[alerts.EventAcknowledged], answered[alerts.EventResolved], unknown, keptUnknown)
	for _, kind := range []alerts.EventKind{alerts.EventNoted, alerts.EventAcknowledged, alerts.EventResolved} {
		if answered[kind] == 0 {
			return note, fmt.Errorf("nobody did %q: this shows nothing", kind)
		}
	}
	return note, nil
}
