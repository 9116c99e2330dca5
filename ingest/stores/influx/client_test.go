package influx_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"vigie/ingest/stores/influx"
)

func TestNoConnectionIsLeftOnceTheClientIsClosed(t *testing.T) {
	closed := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.3")
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	c := influx.New(influx.Options{URL: server.URL, Token: "user:password", Bucket: "vigie/autogen"})
	if err := c.Write(t.Context(), "weight value=82.1 1795911590000000000"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	<-closed
}
