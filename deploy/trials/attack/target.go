package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"vigie/deploy/trials/attack/conformance"
	"vigie/ingest/stores/sqlite"
	"vigie/seeds"
)

const (
	password = "the password of a device that does not exist"
	measure  = "weight"
	// patience is how long something may take that has to come.
	patience = time.Minute
)

// target is the service that is attacked.
type target struct {
	options      options
	process      *exec.Cmd
	said         output
	ended        chan struct{}
	broker, page string
	acknowledged int // readings of the healthy device
}

// output is what the service says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// word is what the service said after a word at the beginning of a line.
func (o *output) word(before string) string {
	for line := range strings.Lines(o.String()) {
		if rest, ok := strings.CutPrefix(line, before); ok && strings.HasSuffix(rest, "\n") {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// start enrols a few patients in an empty store, and starts the service over it.
func start(ctx context.Context, o options, folder string) (*target, error) {
	if err := enrol(ctx, folder); err != nil {
		return nil, fmt.Errorf("enrol patients: %w", err)
	}
	t := &target{options: o, process: exec.Command(o.Vigie, "serve"), ended: make(chan struct{})}
	t.process.Env = append(os.Environ(), "VIGIE_DATA="+folder, "VIGIE_HTTP_LISTEN=127.0.0.1:0", "VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:0")
	t.process.Stdout, t.process.Stderr = &t.said, &t.said
	if err := t.process.Start(); err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	go func() {
		// How it ended shows in what it said.
		_ = t.process.Wait()
		close(t.ended)
	}()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		t.broker, t.page = strings.TrimPrefix(t.said.word("broker "), "tcp://"), t.said.word("page ")
		if t.broker != "" && t.page != "" {
			return t, nil
		}
		if t.gone() != nil || time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("the service does not get ready: %s", t.said.String()), t.stop())
		}
	}
}

func enrol(ctx context.Context, folder string) (err error) {
	now := time.Now()
	crowd, err := seeds.Crowd(firstSlow+slowDevices, now.AddDate(0, 0, 30), measure, password)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	_, err = store.Import(ctx, &crowd, "attack", now)
	return err
}

func (t *target) stop() error {
	if t.gone() == nil {
		if err := t.process.Process.Kill(); err != nil {
			return fmt.Errorf("end the service: %w", err)
		}
	}
	<-t.ended
	return nil
}

// counted stops the service as an operator does, and looks for what it has counted of
// strangers: at the end of a minute, and at its own.
func (t *target) counted() error {
	if err := t.gone(); err != nil {
		return err
	}
	if err := t.process.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	select {
	case <-t.ended:
	case <-time.After(patience):
		return errors.New("the service does not end")
	}
	if lines := strings.Count(t.said.String(), "more_times="); lines == 0 || lines > mostCounted {
		return fmt.Errorf("the log tells in %d lines how often strangers came, want a few", lines)
	}
	return nil
}

// mostCounted is how many lines tell how often strangers came: some a minute.
const mostCounted = 200

// gone returns a sentence once the service has ended.
func (t *target) gone() error {
	select {
	case <-t.ended:
		return errors.New("the service has ended")
	default:
		return nil
	}
}

func (t *target) logged() int { return len(t.said.String()) }

// as is how to connect as one of the devices: the healthy one is 0.
func (t *target) as(device int) conformance.Broker {
	return conformance.Broker{Address: t.broker, Device: seeds.CrowdDevice(device), Password: password, Prefix: "vigie/v1"}
}

// login connects as a device.
func (t *target) login(device int, client string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", t.broker, patience)
	if err != nil {
		return nil, err
	}
	err = errors.Join(conn.SetDeadline(time.Now().Add(patience)), say(conn, t.as(device).Connect(4, client), 4))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("log in: %w", err), conn.Close())
	}
	return conn, nil
}

// say sends a packet and takes an answer of that many bytes.
func say(conn net.Conn, packet string, answer int) error {
	if _, err := io.WriteString(conn, packet); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, answer))
	return err
}

// healthy has the healthy device publish a reading, and wait for its acknowledgement.
func (t *target) healthy() error {
	conn, err := t.login(0, "healthy")
	if err != nil {
		return errors.Join(fmt.Errorf("the healthy device: %w", err), t.gone())
	}
	defer conn.Close()
	reading := fmt.Sprintf(`{"id":"healthy-%d","time":%q,"measure":%q,"values":{"value":80.5},"unit":"kg"}`,
		t.acknowledged, time.Now().UTC().Format(time.RFC3339Nano), measure)
	if err := say(conn, conformance.Publish(t.as(0).Topic("readings"), reading), 4); err != nil {
		return errors.Join(fmt.Errorf("the reading of the healthy device: %w", err), t.gone())
	}
	t.acknowledged++
	return nil
}

// kept returns an error unless every reading of the healthy device counts once.
func (t *target) kept(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.page+"/metrics", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	metrics, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	accepted := 0
	for line := range strings.Lines(string(metrics)) {
		n := 0
		if _, err := fmt.Sscanf(line, "vigie_readings_accepted_total %d", &n); err == nil {
			accepted = n
		}
	}
	if accepted != t.acknowledged {
		return fmt.Errorf("%d readings of the healthy device were acknowledged, %d accepted", t.acknowledged, accepted)
	}
	return nil
}
