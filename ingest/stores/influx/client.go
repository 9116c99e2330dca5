package influx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/write"
	"github.com/klauspost/compress/gzip"
)

// Options say which server to use.
type Options struct {
	URL    string // http://host:8086
	Token  string // "user:password" for 1.8; empty where none is asked for
	Org    string // empty for 1.8
	Bucket string // "database/policy" for 1.8
	// Authorities vouch for the server's certificate; the system's when nil.
	Authorities *x509.CertPool
	// CannotErase accepts version 3, which deletes nothing.
	CannotErase bool
	// Language is that of the operator, fr or en, in which faults are told.
	Language string
	// Timeout bounds one request that nobody waits for; 30 s when zero.
	Timeout time.Duration
}

// Client talks to one bucket of a server.
type Client struct {
	options Options
	http    *http.Client
	rest    func() // lets go of idle connections
	write   api.WriteAPIBlocking
	query   api.QueryAPI

	mu       sync.Mutex
	standing Standing  // as last seen; of an unknown generation when it is to be found out
	failed   time.Time // when a request last got no answer; zero when the last one did
	allowed  bool      // version 3 was seen to have the bucket
	listed   listed    // the fields of 1.8 that were asked for last
}

// New returns a client. It does not connect: see Look.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 4
	if o.Authorities != nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Authorities}
	}
	c := &Client{options: o, rest: transport.CloseIdleConnections,
		http: &http.Client{Transport: over(transport, o.URL), Timeout: o.Timeout, CheckRedirect: asSent}}
	c.write, c.query = c.calls()
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() { c.rest() }

// calls are the two that Vigie makes of the client library. Its own way in brings the
// whole interface of the server, a megabyte of every program.
func (c *Client) calls() (api.WriteAPIBlocking, api.QueryAPI) {
	server, authorization := strings.TrimSuffix(c.options.URL, "/")+"/", ""
	if c.options.Token != "" {
		authorization = "Token " + c.options.Token
	}
	service := influxhttp.NewService(server, authorization, influxhttp.DefaultOptions().SetApplicationName("vigie").SetHTTPClient(c.http))
	return api.NewWriteAPIBlocking(c.options.Org, c.options.Bucket, service, write.DefaultOptions().SetPrecision(time.Nanosecond)), api.NewQueryAPI(c.options.Org, service)
}

// awayFor is for how long a server that has not answered is taken to be away by
// those who are in a hurry. The forwarder asks again all the while.
const awayFor = 30 * time.Second

// away reports whether the server is known not to answer.
func (c *Client) away() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.failed.IsZero() && time.Since(c.failed) < awayFor
}

// note remembers whether the server answered.
func (c *Client) note(err error) {
	gone := isFault(err, NotReached)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case gone:
		c.failed = time.Now()
	case err == nil:
		c.failed = time.Time{}
	}
	if err != nil {
		// Another server may have taken its place.
		c.standing, c.allowed = Standing{}, false
	}
}

// Write sends lines of line protocol in one request. An error that is a
// *RefusedError is about the points; some of them may have been taken. Any other is
// a *Fault.
func (c *Client) Write(ctx context.Context, lines string) error {
	err := c.sendLines(ctx, lines)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		c.note(err)
	}
	return err
}

func (c *Client) sendLines(ctx context.Context, lines string) error {
	if err := c.mayFeed(ctx); err != nil {
		return err
	}
	err := c.write.WriteRecord(ctx, lines)
	var answer *influxhttp.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &answer) || answer.StatusCode == 0:
		return unreached(err)
	}
	s := saidBy(answer)
	if refused := refusalOf(s); refused != nil {
		return refused
	}
	return faultOf(s, writing)
}

// mayFeed looks at the server before the first line goes out: version 3 would make
// a bucket that was misspelt.
func (c *Client) mayFeed(ctx context.Context) error {
	g, err := c.generation(ctx)
	if isFault(err, Stranger) {
		return nil // a proxy may let nothing but lines through: their own answer tells
	}
	if err != nil || g != Three {
		return err
	}
	c.mu.Lock()
	allowed := c.allowed
	c.mu.Unlock()
	if allowed {
		return nil
	}
	if err := c.mayFeedThree(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowed = true
	return nil
}

// asSent follows a redirection only where it repeats the request: the others ask
// for another page, whose answer says nothing about the points.
func asSent(next *http.Request, earlier []*http.Request) error {
	if next.Method != earlier[0].Method || len(earlier) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

// over is how requests and answers travel: compressed, unless the server is on this
// machine, where that only takes processor time: a tenth of what a reading costs in
// all, and half of the time in which a year is read back.
func over(transport *http.Transport, server string) http.RoundTripper {
	address, err := url.Parse(server)
	if err == nil && (address.Hostname() == "localhost" || net.ParseIP(address.Hostname()).IsLoopback()) {
		transport.DisableCompression = true
		return heard{transport}
	}
	return compressed{heard{transport}}
}

// heard takes an answer for InfluxDB's own only where it looks like that: points
// that it has taken it answers with 204, and rows come as CSV or JSON. The page on
// which a proxy asks for a password comes with 200, too. Version 3 refuses lines
// that come without a Content-Type.
type heard struct{ next http.RoundTripper }

func (h heard) RoundTrip(request *http.Request) (*http.Response, error) {
	writes := strings.HasSuffix(request.URL.Path, "/write")
	if writes && request.Header.Get("Content-Type") == "" {
		request = request.Clone(request.Context())
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	answer, err := h.next.RoundTrip(request)
	if err != nil || answer.StatusCode/100 != 2 {
		return answer, err
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")) // none where it cannot be read
	switch {
	case writes && answer.StatusCode != http.StatusNoContent,
		strings.HasSuffix(request.URL.Path, "/query") && kind == "text/html":
		return nil, errors.Join(&Fault{Kind: Stranger, Status: answer.StatusCode}, answer.Body.Close())
	}
	return answer, nil
}

// compressed sends the bodies of writes compressed, fast rather than small:
// the client's own compression takes more processor time than all the rest.
type compressed struct{ next http.RoundTripper }

func (c compressed) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil || !strings.HasSuffix(request.URL.Path, "/write") {
		return c.next.RoundTrip(request)
	}
	var body strings.Builder
	err := compress(&body, request.Body)
	if err = errors.Join(err, request.Body.Close()); err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("Content-Encoding", "gzip")
	request.ContentLength = int64(body.Len())
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body.String())), nil }
	request.Body, err = request.GetBody()
	if err != nil {
		return nil, err
	}
	return c.next.RoundTrip(request)
}

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic("influx: a level of compression that does not exist")
	}
	return w
}}

func compress(to io.Writer, from io.Reader) error {
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(to)
	if _, err := io.Copy(w, from); err != nil {
		return err
	}
	return w.Close()
}
