package influx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/klauspost/compress/gzip"
)

// Options say which server to use.
type Options struct {
	URL    string // http://host:8086
	Token  string // "user:password" for 1.8; empty where none is asked for
	Org    string // empty for 1.8
	Bucket string // "database/policy" for 1.8
	// Timeout bounds one request; 30 s when zero.
	Timeout time.Duration
}

// Client talks to one bucket of a server.
type Client struct {
	bucket string
	client influxdb2.Client
	write  api.WriteAPIBlocking
	query  api.QueryAPI
}

// New returns a client. It does not connect: see Check.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 4
	options := influxdb2.DefaultOptions().SetPrecision(time.Nanosecond).SetLogLevel(0)
	options.SetHTTPClient(&http.Client{Transport: over(transport, o.URL), Timeout: o.Timeout, CheckRedirect: asSent})
	client := influxdb2.NewClientWithOptions(o.URL, o.Token, options)
	return &Client{
		bucket: o.Bucket,
		client: client,
		write:  client.WriteAPIBlocking(o.Org, o.Bucket),
		query:  client.QueryAPI(o.Org),
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.client.Close() }

// Check reports whether the server answers and has the bucket, as this user
// sees it.
func (c *Client) Check(ctx context.Context) error {
	rows, err := c.query.Query(ctx, "from(bucket: "+quote(c.bucket)+`) |> range(start: -1s) |> filter(fn: (r) => r._measurement == "none") |> limit(n: 1)`)
	if err == nil {
		for rows.Next() {
		}
		err = errors.Join(rows.Err(), rows.Close())
	}
	if err != nil {
		return fmt.Errorf("ask InfluxDB for the bucket %q: %w", c.bucket, inShort(err))
	}
	return nil
}

// Write sends lines of line protocol in one request. An error that is a
// *RefusedError says that the server is well and will never take them as they
// are; some of them may have been taken.
func (c *Client) Write(ctx context.Context, lines string) error {
	err := c.write.WriteRecord(ctx, lines)
	if err == nil {
		return nil
	}
	var answer *influxhttp.Error
	if errors.As(err, &answer) && refuses(answer) {
		return newRefused(answer)
	}
	return fmt.Errorf("write to InfluxDB: %w", inShort(err))
}

// refuses reports whether an answer is about the points. InfluxDB says so in JSON;
// what else answers 400 is a proxy, or a server that expects https.
func refuses(answer *influxhttp.Error) bool {
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fromInflux(answer)
	}
	return answer.StatusCode == http.StatusRequestEntityTooLarge
}

func fromInflux(answer *influxhttp.Error) bool {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// errStranger is what the page of a proxy becomes.
const errStranger = "not an answer of InfluxDB; is influx.url right, or a proxy in between?"

// inShort keeps the page of a proxy out of the log.
func inShort(err error) error {
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || answer.StatusCode < 300 || answer.Err != nil || fromInflux(answer) {
		return err
	}
	if answer.Message == "" && answer.StatusCode >= 400 {
		return err // the status is all that was said
	}
	short := *answer
	short.Code, short.Message = fmt.Sprintf("%d %s", answer.StatusCode, http.StatusText(answer.StatusCode)), errStranger
	return &short
}

// asSent follows a redirection only where it repeats the request: the others ask
// for another page, whose answer says nothing about the points.
func asSent(next *http.Request, earlier []*http.Request) error {
	if next.Method != earlier[0].Method || len(earlier) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

// RefusedError is the server's answer to points that it will not take.
type RefusedError struct {
	Reason string
	// Dropped is how many points the server says it has dropped; -1 when it
	// does not say.
	Dropped int
}

func (e *RefusedError) Error() string { return "refused by InfluxDB: " + e.Reason }

func newRefused(answer *influxhttp.Error) *RefusedError {
	refused := &RefusedError{Reason: answer.Message, Dropped: -1}
	if refused.Reason == "" {
		refused.Reason = answer.Error()
	}
	if _, count, ok := strings.Cut(refused.Reason, "dropped="); ok {
		digits := strings.TrimRightFunc(count, func(r rune) bool { return r < '0' || r > '9' })
		if n, err := strconv.Atoi(digits); err == nil {
			refused.Dropped = n
		}
	}
	// The server may repeat the line, which holds measured values; the line is
	// kept beside the reason, and the reason goes into logs.
	if before, _, ok := strings.Cut(refused.Reason, "unable to parse"); ok {
		refused.Reason = before + "unable to parse the point"
	}
	return refused
}

// longestRest is how long a server is left alone at most, however long it asks for:
// the page of a proxy may ask for a day, and InfluxDB be back in a minute.
const longestRest = 10 * time.Minute

// retryAfter is how long the server asks to be left alone; 0 when it does not.
func retryAfter(err error) time.Duration {
	var answer *influxhttp.Error
	if errors.As(err, &answer) {
		return min(time.Duration(answer.RetryAfter)*time.Second, longestRest)
	}
	return 0
}

// over is how requests travel: compressed, unless the server is on this machine,
// where that only takes processor time, a tenth of what a reading costs in all.
func over(transport http.RoundTripper, server string) http.RoundTripper {
	transport = heard{transport}
	address, err := url.Parse(server)
	if err == nil && (address.Hostname() == "localhost" || net.ParseIP(address.Hostname()).IsLoopback()) {
		return transport
	}
	return compressed{transport}
}

// heard takes an answer for InfluxDB's own only where it looks like that: points
// that it has taken it answers with 204, and rows come as CSV. The page on which a
// proxy asks for a password comes with 200, too.
type heard struct{ next http.RoundTripper }

func (h heard) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := h.next.RoundTrip(request)
	if err != nil || answer.StatusCode/100 != 2 {
		return answer, err
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")) // none where it cannot be read
	switch {
	case strings.HasSuffix(request.URL.Path, "/write") && answer.StatusCode != http.StatusNoContent,
		strings.HasSuffix(request.URL.Path, "/query") && kind == "text/html":
		return nil, errors.Join(fmt.Errorf("%s: %s", answer.Status, errStranger), answer.Body.Close())
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
