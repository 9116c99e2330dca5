// Package trail says who looked at whom and who did what.
//
//	Entry   one look or one act: who, in which role, what, whose, why, when, from where
//	Chain   the entries of one node in order; each hash covers the entry before it
//	Row     an entry as a store keeps it
//	Head    the end of a chain at one moment, signed by its node
//	Mark    the last head, kept apart from the store
//	Trail   writes the entries of one node
//	Verify  finds a gap, a change and a cut tail
//	Plan    lists what the erasure of a patient takes out
//
// The name of a chain begins with the fingerprint of the key of its node, so that
// nobody can sign a chain anew with another key. What tells about a person (which
// patients, which reason) stands beside the chain. The chain holds a salted digest of
// it, so that it can leave the store one day and the chain stays verifiable.
package trail

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts/access"
)

// Kind is what sort of entry it is.
type Kind string

// The kinds.
const (
	Read  Kind = "read"  // somebody was shown something about patients
	Act   Kind = "act"   // somebody did something
	Begin Kind = "begin" // a chain begins
	Ties  Kind = "ties"  // the heads of the other chains, as this node saw them
	Lost  Kind = "lost"  // entries that could not be written, by number
	Cut   Kind = "cut"   // the chain before this one ended earlier than its mark says
)

// Entry is one look or one act. Patients, Reason and About stand beside the chain, and so do
// Name and Token of a patient who acts for himself.
type Entry struct {
	Chain string    `json:"chain"`
	Seq   int64     `json:"seq"` // 1 for the first of a chain
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`

	Node     string        `json:"node,omitempty"`    // of Begin: the host
	Key      string        `json:"key,omitempty"`     // of Begin: the public key, Ed25519, in hex
	Account  string        `json:"account,omitempty"` // id of the account; of a token, its owner's
	Name     string        `json:"name,omitempty"`    // as acts are signed
	Token    string        `json:"token,omitempty"`   // of a program
	Roles    []access.Role `json:"roles,omitempty"`
	From     string        `json:"from,omitempty"`     // address of the request, or "command line"
	Deed     string        `json:"deed,omitempty"`     // route, command or act
	About    string        `json:"about,omitempty"`    // alert, account, token: by its id
	Everyone bool          `json:"everyone,omitempty"` // whatever there is, not patients by name
	Through  string        `json:"through,omitempty"`  // id of the grant by which a glass was broken

	Heads  []Head    `json:"heads,omitempty"`  // of Ties; of Cut, the mark
	Missed int       `json:"missed,omitempty"` // of Lost
	Since  time.Time `json:"since,omitzero"`   // of Lost
	Sealed []string  `json:"sealed,omitempty"` // digests of what stands beside, in order

	Removed *Removed `json:"removed,omitempty"` // of the erasure of a patient: what it took out
	Erased  string   `json:"erased,omitempty"`  // the erasure that took out what this entry said of a patient

	Patients []string `json:"-"`
	Reason   string   `json:"-"`
}

// Of fills in who asks.
func (e Entry) Of(who access.Who) Entry {
	e.Account, e.Name, e.Token, e.Roles, e.From = who.Account, who.Name, who.Token, slices.Clone(who.Roles), who.From
	return e
}

// Row is an entry as a store keeps it. Body is what the hash covers, byte for byte.
type Row struct {
	Chain     string    `json:"chain"`
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
	Account   string    `json:"account"`
	Body      string    `json:"body"`
	Hash      string    `json:"hash"`                // SHA-256 of the hash before and the body, in hex
	Signature string    `json:"signature,omitempty"` // of the hash, where a commit ended here
	Beside    []Detail  `json:"beside,omitempty"`
}

// Part says what a Detail is.
type Part string

// The parts.
const (
	OfPatient Part = "patient"
	OfReason  Part = "reason"
	OfAbout   Part = "about" // an alert, a device, an enrolment
	OfName    Part = "name"  // of a patient who acts for himself
	OfToken   Part = "token" // his key
)

// Detail is what stands beside the chain.
type Detail struct {
	Part Part   `json:"part"`
	Text string `json:"text"`
	Salt string `json:"salt"`
}

func (d Detail) digest() string {
	sum := sha256.Sum256([]byte(string(d.Part) + "\x00" + d.Salt + "\x00" + d.Text))
	return hex.EncodeToString(sum[:])
}

// Head is the end of a chain at one moment.
type Head struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	Hash  string `json:"hash"`
}

// String is how a head is written down, for ParseHead.
func (h Head) String() string { return fmt.Sprintf("%s:%d:%s", h.Chain, h.Seq, h.Hash) }

// ParseHead reads what String wrote.
func ParseHead(text string) (Head, error) {
	chain, rest, _ := strings.Cut(text, ":")
	number, hash, ok := strings.Cut(rest, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || seq < 1 || chain == "" || len(hash) != 2*sha256.Size {
		return Head{}, fmt.Errorf("%q is no head of a chain: write CHAIN:NUMBER:HASH, as vigie audit verify prints it", text)
	}
	return Head{chain, seq, hash}, nil
}

// seal makes the row of an entry behind a head.
func (e Entry) seal(last Head) (Row, error) {
	e.Seq, e.At, e.Sealed, e.Account = last.Seq+1, e.At.UTC(), nil, plain(e.Account)
	row := Row{Chain: e.Chain, Seq: e.Seq, At: e.At, Account: e.Account}
	for _, patient := range e.Patients {
		row.Beside = append(row.Beside, Detail{OfPatient, plain(patient), rand.Text()})
	}
	if e.Reason != "" {
		row.Beside = append(row.Beside, Detail{OfReason, plain(e.Reason), rand.Text()})
	}
	if e.About != "" {
		row.Beside = append(row.Beside, Detail{OfAbout, plain(e.About), rand.Text()})
		e.About = ""
	}
	if e.ofPatient() {
		row.Beside = append(row.Beside, Detail{OfName, plain(e.Name), rand.Text()}, Detail{OfToken, plain(e.Token), rand.Text()})
		e.Name, e.Token = "", ""
	}
	for _, d := range row.Beside {
		e.Sealed = append(e.Sealed, d.digest())
	}
	body, err := json.Marshal(e)
	if err != nil {
		return Row{}, fmt.Errorf("write an entry of the trail: %w", err)
	}
	row.Body, row.Hash = string(body), hashOf(last.Hash, string(body))
	return row, nil
}

// ofPatient reports whether a patient acts for himself, by the key of his own page.
func (e *Entry) ofPatient() bool { return strings.HasPrefix(e.Token, "own-") }

// plain is a text that every store gives back as it was.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

func hashOf(before, body string) string {
	sum := sha256.Sum256([]byte(before + "\n" + body))
	return hex.EncodeToString(sum[:])
}

// bare reads what the chain itself says. An older version wrote there what an entry was
// about, and which patient acted.
func (r *Row) bare() (Entry, error) {
	var e Entry
	if err := json.Unmarshal([]byte(r.Body), &e); err != nil {
		return Entry{}, fmt.Errorf("entry %d of chain %s of the trail cannot be read: %w", r.Seq, r.Chain, err)
	}
	return e, nil
}

// Entry reads a row back.
func (r *Row) Entry() (Entry, error) {
	e, err := r.bare()
	if err != nil {
		return Entry{}, err
	}
	for _, d := range r.Beside {
		switch d.Part {
		case OfPatient:
			e.Patients = append(e.Patients, d.Text)
		case OfReason:
			e.Reason = d.Text
		case OfAbout:
			e.About = d.Text
		case OfName:
			e.Name = d.Text
		case OfToken:
			e.Token = d.Text
		}
	}
	return e, nil
}

// Filter narrows a search. Zero fields narrow nothing.
type Filter struct {
	Patient  string    // shown, or acted for
	Account  string    // id
	From, To time.Time // [From, To)
	Limit    int       // the newest so many; all when zero
}

// AtTheHeads picks the last row of every chain, by chain, in SQL that every store
// understands. It steps from one chain to the next: every command asks for the heads, and
// a trail of years has millions of rows.
const AtTheHeads = `WHERE (chain, seq) IN (
	WITH RECURSIVE chains (name) AS (
		SELECT min(chain) FROM trail
		UNION ALL SELECT (SELECT min(chain) FROM trail WHERE chain > name) FROM chains WHERE name IS NOT NULL)
	SELECT name, (SELECT max(seq) FROM trail WHERE chain = name) FROM chains WHERE name IS NOT NULL) ORDER BY chain`

// Store keeps chains. It only adds. Every implementation passes the same contract
// tests (ingest/stores/storetest).
type Store interface {
	// Append adds the rows that next returns to a chain, all or none. It calls next with
	// the last head of the chain; its Seq is 0 when there is none. That happens in the
	// transaction that adds the rows, so whoever else adds to the chain waits. It may share
	// that transaction's commit.
	Append(ctx context.Context, chain string, next func(last Head) ([]Row, error)) error
	// Heads lists the last row of every chain, by chain.
	Heads(ctx context.Context) ([]Row, error)
	// Rows lists the rows of a chain behind a number, in order, at most limit.
	Rows(ctx context.Context, chain string, after int64, limit int) ([]Row, error)
	// Find lists the rows that a filter lets through, newest first.
	Find(ctx context.Context, filter Filter) ([]Row, error)
}
