package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"vigie/ingest"
	"vigie/ingest/conformance/live"
	"vigie/ingest/doors/inside"
	"vigie/ingest/yaml"
	"vigie/protocols/library"
)

// openPage serves the page of a bench, and returns how it is closed.
func (b *benching) openPage() (func() error, error) {
	if b.page == "" {
		return func() error { return nil }, nil
	}
	listener, err := inside.Listen(b.page, true)
	if err != nil {
		return func() error { return nil }, fmt.Errorf("--page: %w", err)
	}
	b.browse = "http://" + listener.Addr().String()
	server := &http.Server{Handler: b.livePage().Handler(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // somebody reads the page still: the bench is over
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}

// livePage shows the bench with the rules of the library. Where that cannot be read, which
// its own tests forbid, it shows no rule.
func (b *benching) livePage() *live.Page {
	return &live.Page{
		Bench: b.bench, Profile: b.profile, Address: b.shownAddress(), Device: b.device, Password: b.password,
		Topic: ingest.Topic(b.prefix, b.device, ingest.ReadingsTopic), Language: b.language, Now: b.now,
		Rules: sync.OnceValue(func() *live.Rules {
			shipped, _ := library.Library(yaml.Parse)
			return live.NewRules(shipped)
		}),
	}
}

// shownAddress is where the device finds the bench.
func (b *benching) shownAddress() string {
	if b.tls {
		return "tls://" + b.relay.Listener.Addr().String()
	}
	return "tcp://" + b.relay.Listener.Addr().String()
}
