package influx

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"vigie/protocols"
)

// Kind is what is wrong with a server, or with how it is configured.
type Kind int

// The kinds. Each has a line in faults.
const (
	Unclear Kind = iota
	NotReached
	Stranger
	Certificate
	WrongToken
	NoOrganisation
	NoBucket
	NoBucketOrRight
	MayNotWrite
	MayNotRead
	CannotErase
	NotRead
	Busy
	BrokeOff
)

// faults says what to do about each kind: the keys of the configuration, and a
// sentence for the operator.
var faults = map[Kind]struct {
	Keys string
	Text protocols.Text
}{
	Unclear: {"influx", protocols.Text{
		FR: "InfluxDB refuse la demande elle-même, et non les points ; son propre journal dit pourquoi",
		EN: "InfluxDB refuses the request itself, not the points; its own log says why"}},
	NotReached: {"influx.url", protocols.Text{
		FR: "InfluxDB n'est pas joignable à cette adresse",
		EN: "InfluxDB is not reached at this address"}},
	Stranger: {"influx.url", protocols.Text{
		FR: "ce qui répond à cette adresse n'est pas InfluxDB : une autre adresse, https, ou un relais en chemin ?",
		EN: "what answers at this address is not an answer of InfluxDB: another address, https, or a proxy in between?"}},
	Certificate: {"influx.ca_file", protocols.Text{
		FR: "personne de connu ne répond du certificat d'InfluxDB ; donnez celui de l'autorité qui l'a signé",
		EN: "nobody who is known vouches for the certificate of InfluxDB; give that of the authority that signed it"}},
	WrongToken: {"influx.token", protocols.Text{
		FR: "InfluxDB ne reconnaît pas ce jeton",
		EN: "InfluxDB does not know this token"}},
	NoOrganisation: {"influx.org", protocols.Text{
		FR: "InfluxDB ne connaît pas cette organisation, ou il en veut une",
		EN: "InfluxDB does not know this organisation, or wants one"}},
	NoBucket: {"influx.bucket", protocols.Text{
		FR: "InfluxDB ne connaît pas ce bucket ; créez-le ou corrigez son nom (pour 1.8 : base/politique de conservation)",
		EN: "InfluxDB does not know this bucket; make it or correct its name (for 1.8: database/retention policy)"}},
	NoBucketOrRight: {"influx.bucket, influx.token", protocols.Text{
		FR: "InfluxDB ne connaît pas ce bucket, ou ce jeton n'a pas le droit de le lire",
		EN: "InfluxDB does not know this bucket, or this token may not read it"}},
	MayNotWrite: {"influx.token", protocols.Text{
		FR: "ce jeton n'a pas le droit d'écrire dans le bucket",
		EN: "this token may not write to the bucket"}},
	MayNotRead: {"influx.token", protocols.Text{
		FR: "ce jeton n'a pas le droit de lire le bucket (READ) ; sans lui rien ne peut être relu, ni oublié dans la base",
		EN: "this token may not read the bucket (READ); without that nothing can be read back, nor forgotten in the store"}},
	CannotErase: {"influx.cannot_erase", protocols.Text{
		FR: "InfluxDB 3 n'efface rien : un patient qui le demande y resterait ; écrivez accepted si c'est voulu",
		EN: "InfluxDB 3 deletes nothing: a patient who asks for it would stay there; write accepted if that is meant"}},
	NotRead: {"influx", protocols.Text{
		FR: "InfluxDB 3 est alimenté, mais il n'est pas relu",
		EN: "InfluxDB 3 is fed, but it is not read"}},
	Busy: {"influx", protocols.Text{
		FR: "InfluxDB demande du temps, ou ne va pas bien",
		EN: "InfluxDB asks for time, or is not well"}},
	BrokeOff: {"influx", protocols.Text{
		FR: "la réponse d'InfluxDB s'est interrompue, ou dit une erreur",
		EN: "the answer of InfluxDB broke off, or says an error"}},
}

// Fault is why a server could not be used. What it says holds nothing of what the
// server said: that may repeat a patient or a value.
type Fault struct {
	Kind   Kind
	Status int           // of the answer; 0 when there was none
	After  time.Duration // how long the server asks to be left alone
	Err    error         // of the connection, where it failed
}

// Text is one line with the keys to look at, in French and English.
func (f *Fault) Text() protocols.Text {
	known := faults[f.Kind]
	detail := ""
	if f.Status != 0 && f.Kind != WrongToken {
		detail = fmt.Sprintf(" (HTTP %d)", f.Status)
	}
	if f.Err != nil {
		detail = fmt.Sprintf(" (%v)", f.Err)
	}
	return protocols.Text{FR: known.Keys + "\u00a0: " + known.Text.FR + detail, EN: known.Keys + ": " + known.Text.EN + detail}
}

// Error says in English what is the matter.
func (f *Fault) Error() string { return f.Text().EN }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// isFault reports whether an error is a fault of that kind.
func isFault(err error, kind Kind) bool {
	var f *Fault
	return errors.As(err, &f) && f.Kind == kind
}

// In says an error in a language: one line, with the keys of the configuration that
// it is about.
func In(err error, language string) string {
	var f *Fault
	if errors.As(err, &f) {
		return f.Text().In(language)
	}
	return err.Error()
}

// unreached is the fault of a connection that failed.
func unreached(err error) error {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var verification *tls.CertificateVerificationError
	if errors.As(err, &unknown) || errors.As(err, &invalid) || errors.As(err, &name) || errors.As(err, &verification) {
		return &Fault{Kind: Certificate, Err: err}
	}
	return &Fault{Kind: NotReached, Err: err}
}

// said is what an answer other than success says.
type said struct {
	status  int
	message string // of InfluxDB; empty when it says nothing, or is not InfluxDB
	foreign bool   // a page, or anything else that is not InfluxDB's
	after   time.Duration
}

// saidOf reads an answer. One in JSON is known by its body: version 3 sends it
// without a Content-Type.
func saidOf(answer *http.Response, body []byte) said {
	s := said{status: answer.StatusCode, after: restOf(answer.Header.Get("Retry-After"))}
	var words struct{ Code, Message, Error string }
	text := strings.TrimSpace(string(body))
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case text == "":
		s.message = answer.Header.Get("X-Influxdb-Error")
	case json.Unmarshal([]byte(text), &words) == nil && words.Code+words.Message+words.Error != "":
		s.message = words.Message + words.Error
	case strings.HasPrefix(text, "Flux query service disabled"), kind != "text/html" && answer.Header.Get("X-Influxdb-Version") != "", text == "not found":
		s.message = text
	default:
		s.foreign = true
	}
	return s
}

// saidBy is saidOf for an error of the client library.
func saidBy(answer *influxhttp.Error) said {
	body := answer.Message
	response := &http.Response{StatusCode: answer.StatusCode, Header: answer.Header}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "application/json" && answer.Err == nil {
		// The library has read it already.
		return said{status: answer.StatusCode, message: body, after: restOf(answer.Header.Get("Retry-After"))}
	}
	return saidOf(response, []byte(body))
}

// longestRest is how long a server is left alone at most, however long it asks for:
// the page of a proxy may ask for a day, and InfluxDB be back in a minute.
const longestRest = 10 * time.Minute

func restOf(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, longestRest)
}

// doing is what was asked for.
type doing int

const (
	writing doing = iota
	reading
)

// faultOf says what to do about an answer.
func faultOf(s said, to doing) *Fault {
	f := &Fault{Kind: Unclear, Status: s.status, After: s.after}
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(s.message, word) {
				return true
			}
		}
		return false
	}
	switch {
	case s.status == http.StatusUnauthorized && !s.foreign:
		f.Kind = WrongToken
	case s.foreign:
		f.Kind = Stranger
	case s.status == http.StatusForbidden && !has("Flux query service disabled"):
		if f.Kind = MayNotWrite; to == reading {
			f.Kind = MayNotRead
		}
	case has("Please provide either orgID or org", "organization name"), has("organization") && has("not found"):
		f.Kind = NoOrganisation
	case has("could not find bucket"):
		f.Kind = NoBucketOrRight
	case has("database not found", "retention policy not found"), has("bucket") && has("not found"):
		f.Kind = NoBucket
	case s.status == http.StatusTooManyRequests, s.status >= 500:
		f.Kind = Busy
	case s.status == http.StatusNotFound && s.message == "", s.status/100 == 3, s.status == http.StatusOK:
		f.Kind = Stranger
	}
	return f
}

// retryAfter is how long the server asks to be left alone; 0 when it does not.
func retryAfter(err error) time.Duration {
	var f *Fault
	if errors.As(err, &f) {
		return f.After
	}
	return 0
}
