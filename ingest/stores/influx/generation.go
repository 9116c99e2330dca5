package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Generation is which InfluxDB a server is: each has other interfaces.
type Generation int

// The generations. Enterprise editions count as their number.
const (
	UnknownGeneration Generation = iota
	One                          // 1.8: read in InfluxQL
	Two                          // 2.x: read in Flux
	Three                        // 3 Core: a destination only, never read
)

// Standing is what was found out about a server.
type Standing struct {
	Generation Generation
	Version    string // as the server says it; "unknown" for some builds of 1.8
	// End is how long the bucket keeps its points; 0 for ever. It counts only when
	// EndKnown is true.
	End      time.Duration
	EndKnown bool
}

// Look finds out which server answers, and tries apart whether points may be written
// and read. It changes nothing there. An error is a *Fault: the first thing to put
// right.
func (c *Client) Look(ctx context.Context) (Standing, error) {
	s, err := c.identify(ctx)
	if err != nil {
		return s, err
	}
	write := c.mayWrite(ctx, s.Generation)
	if s.Generation == Three {
		return s, write
	}
	read := c.mayRead(ctx, s.Generation)
	if isFault(read, NoBucketOrRight) && (write == nil || isFault(write, MayNotWrite)) {
		// The server says the same of a bucket that is not there and of one that may
		// not be read. Whoever may write it, or is told that it may not, has found it.
		read = &Fault{Kind: MayNotRead}
	}
	if write != nil {
		return s, write
	}
	if read != nil {
		return s, read
	}
	s.End, s.EndKnown = c.end(ctx, s.Generation)
	return s, nil
}

// identify asks /ping, with the token: version 3 answers nobody else.
func (c *Client) identify(ctx context.Context) (Standing, error) {
	answer, body, err := c.ask(ctx, http.MethodGet, "/ping", nil, "", "")
	if err != nil {
		return Standing{}, err
	}
	version := strings.TrimPrefix(answer.Header.Get("X-Influxdb-Version"), "v")
	s := Standing{Version: version}
	switch {
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return s, &Fault{Kind: WrongToken}
	case version == "" && answer.StatusCode >= 500:
		return s, faultOf(saidOf(answer, body), reading)
	case version == "":
		return s, &Fault{Kind: Stranger, Status: answer.StatusCode}
	case strings.HasPrefix(version, "1."):
		s.Generation = One
	case strings.HasPrefix(version, "2."):
		s.Generation = Two
	case strings.HasPrefix(version, "3."):
		s.Generation = Three
	default:
		if s.Generation, err = c.byInterface(ctx); err != nil {
			return s, err
		}
	}
	c.found(s)
	return s, nil
}

// byInterface tells 1.8 from 2.x where the version says neither: 1.8 has no list of
// buckets.
func (c *Client) byInterface(ctx context.Context) (Generation, error) {
	answer, body, err := c.ask(ctx, http.MethodGet, "/api/v2/buckets", url.Values{"limit": {"1"}}, "", "")
	switch {
	case err != nil:
		return UnknownGeneration, err
	case answer.StatusCode == http.StatusNotFound && !json.Valid(body):
		return One, nil
	case json.Valid(body) && len(body) > 0:
		return Two, nil
	}
	return UnknownGeneration, &Fault{Kind: Stranger, Status: answer.StatusCode}
}

// generation returns which server this is, as last seen.
func (c *Client) generation(ctx context.Context) (Generation, error) {
	c.mu.Lock()
	known := c.standing.Generation
	c.mu.Unlock()
	if known != UnknownGeneration {
		return known, nil
	}
	s, err := c.identify(ctx)
	return s.Generation, err
}

func (c *Client) found(s Standing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.standing = s
}

// mayWrite writes nothing, which is answered as a write is.
func (c *Client) mayWrite(ctx context.Context, g Generation) error {
	if g == Three {
		if err := c.mayFeedThree(ctx); err != nil {
			return err
		}
	}
	answer, body, err := c.ask(ctx, http.MethodPost, "/api/v2/write", c.target(), "text/plain; charset=utf-8", "")
	if err != nil {
		return err
	}
	said := saidOf(answer, body)
	if answer.StatusCode == http.StatusNoContent || answer.StatusCode == http.StatusBadRequest && strings.Contains(said.message, "incoming write was empty") {
		return nil
	}
	return faultOf(said, writing)
}

// mayFeedThree keeps a mistyped bucket from being made by the first write, and
// patients from being kept where nobody can erase them unless that was accepted.
func (c *Client) mayFeedThree(ctx context.Context) error {
	if !c.options.CannotErase {
		return &Fault{Kind: CannotErase}
	}
	answer, body, err := c.ask(ctx, http.MethodGet, "/api/v3/configure/database", url.Values{"format": {"json"}}, "", "")
	if err != nil {
		return err
	}
	var databases []struct {
		Name string `json:"iox::database"`
	}
	if answer.StatusCode != http.StatusOK || json.Unmarshal(body, &databases) != nil {
		return faultOf(saidOf(answer, body), reading)
	}
	for _, d := range databases {
		if d.Name == c.options.Bucket {
			return nil
		}
	}
	return &Fault{Kind: NoBucket}
}

// mayRead asks for what is not there.
func (c *Client) mayRead(ctx context.Context, g Generation) error {
	if g == One {
		return c.influxQL(ctx, `SHOW FIELD KEYS FROM "vigie-none"`, func(*series) error { return nil })
	}
	return c.flux(ctx, "from(bucket: "+fluxString(c.options.Bucket)+`) |> range(start: -1s) |> filter(fn: (r) => r._measurement == "vigie-none") |> limit(n: 1)`, nil)
}

// end is how long the bucket keeps its points.
func (c *Client) end(ctx context.Context, g Generation) (end time.Duration, known bool) {
	if g == One {
		return c.policyEnd(ctx)
	}
	query := url.Values{"name": {c.options.Bucket}, "org": {c.options.Org}}
	answer, body, err := c.ask(ctx, http.MethodGet, "/api/v2/buckets", query, "", "")
	if err != nil || answer.StatusCode != http.StatusOK {
		return 0, false
	}
	var list struct {
		Buckets []struct {
			Name           string
			RetentionRules []struct{ EverySeconds int64 }
		}
	}
	if json.Unmarshal(body, &list) != nil || len(list.Buckets) != 1 || list.Buckets[0].Name != c.options.Bucket {
		return 0, false
	}
	for _, rule := range list.Buckets[0].RetentionRules {
		end = max(end, time.Duration(rule.EverySeconds)*time.Second)
	}
	return end, true
}

func (c *Client) policyEnd(ctx context.Context) (end time.Duration, known bool) {
	database, policy := c.database()
	err := c.influxQL(ctx, "SHOW RETENTION POLICIES ON "+influxName(database), func(s *series) error {
		name, duration, standard := slices.Index(s.Columns, "name"), slices.Index(s.Columns, "duration"), slices.Index(s.Columns, "default")
		rows, err := s.rows()
		for _, row := range rows {
			if name < 0 || duration < 0 || standard < 0 || row[name] != policy && !(policy == "" && row[standard] == true) {
				continue
			}
			text, ok := row[duration].(string)
			if d, err := time.ParseDuration(text); ok && err == nil {
				end, known = d, true
			}
		}
		return err
	})
	return end, known && err == nil
}

// database cuts the bucket of 1.8 into database and retention policy; the default
// policy when it names none.
func (c *Client) database() (database, policy string) {
	database, policy, _ = strings.Cut(c.options.Bucket, "/")
	return database, policy
}

// target is where points go.
func (c *Client) target() url.Values {
	query := url.Values{"bucket": {c.options.Bucket}, "precision": {"ns"}}
	if c.options.Org != "" {
		query.Set("org", c.options.Org)
	}
	return query
}

// ask sends a small request and returns its whole answer. An error is a *Fault.
func (c *Client) ask(ctx context.Context, method, path string, query url.Values, kind, body string) (*http.Response, []byte, error) {
	answer, err := c.send(ctx, method, path, query, kind, body)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	const enough = 1 << 20
	read, err := io.ReadAll(io.LimitReader(answer.Body, enough))
	if err != nil {
		return nil, nil, unreached(err)
	}
	return answer, read, nil
}

// send sends a request. The caller closes the body of the answer.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, kind, body string) (*http.Response, error) {
	address := strings.TrimSuffix(c.options.URL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("influx.url: %w", err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if c.options.Token != "" {
		request.Header.Set("Authorization", "Token "+c.options.Token)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, unreached(err)
	}
	return answer, nil
}
