package service

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"time"

	"vigie/ingest/doors/inside"
	"vigie/ingest/stores/postgres"
)

// untilThere opens the store. While its database cannot be reached it tries again: a
// machine that starts before its database, or during an outage, needs nobody. Who asks
// meanwhile is told that the service is not ready.
func (s *Service) untilThere(ctx context.Context, open func() error) error {
	err := open()
	if !postgres.Away(err) {
		return err
	}
	s.Log.Error("the database cannot be reached: the service waits for it, and takes nothing meanwhile", "error", err)
	closeRoom, roomErr := s.openWaitingRoom()
	if roomErr != nil {
		return errors.Join(err, roomErr)
	}
	again := time.NewTicker(everySecond)
	defer again.Stop()
	for postgres.Away(err) {
		select {
		case <-again.C:
			err = open()
		case <-ctx.Done():
			return errors.Join(err, closeRoom())
		}
	}
	if err == nil {
		s.Log.Info("the database is there")
	}
	return errors.Join(err, closeRoom())
}

// openWaitingRoom answers in the place of the pages until it is closed.
func (s *Service) openWaitingRoom() (closeRoom func() error, err error) {
	security, err := s.serverTLS(s.Config.HTTP.CertFile, s.Config.HTTP.KeyFile)
	if err != nil {
		return nil, err
	}
	address := s.Config.HTTP.Listen
	if s.Config.HTTP.StatusListen != "" {
		address, security = s.Config.HTTP.StatusListen, nil
	}
	listener, err := inside.Listen(address, s.NextPort)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(waitingRoom), TLSConfig: security, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(serverLog{s.Log}, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve(server, listener)
	}()
	return func() error {
		err := server.Close()
		<-done
		return err
	}, nil
}

// waitingRoom is alive, and not ready.
func waitingRoom(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Retry-After", "5")
	switch r.URL.Path {
	case "/healthz":
		_, _ = rw.Write([]byte("ok\n")) // whoever asked has gone, or has it
	case "/readyz":
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(rw).Encode(map[string]any{"ready": false, "checks": map[string]string{"store": "the database cannot be reached"}})
	default:
		http.Error(rw, "Vigie attend sa base de données, qui ne répond pas. Réessayez dans un instant.\nVigie waits for its database, which does not answer. Try again in a moment.", http.StatusServiceUnavailable)
	}
}
