// Package erasure takes a patient out of a store for good.
//
//	Subject   whom it is about, and what is his alone
//	Words     says whether a text names him
//	Steps     from which table what goes, the same in every store
//	Category  what goes and what stays of a patient, why and until when
//	Record    one erasure in the list, which tells of nobody
//
// The list is kept apart from the store: a backup from before an erasure still holds the
// patient, and the list is applied to it before anything of it is served. No patient has a
// key of his own that would be destroyed instead: rows that nobody can read would stay to be
// guessed at, and the keys would need a backup that undoes an erasure just the same.
package erasure

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigie/alerts/trail"
)

// Record is one erasure. Whom it was about is only told to who knows his reference.
type Record struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
	Salt   string    `json:"salt"`
	Digest string    `json:"digest"` // SHA-256 of the salt and the reference, in hex
}

// NewRecord makes the record of an erasure.
func NewRecord(patient, author, reason string, at time.Time) Record {
	r := Record{ID: strings.ToLower(rand.Text()), At: at.UTC(), Author: author, Reason: reason, Salt: rand.Text()}
	r.Digest = r.digest(patient)
	return r
}

func (r *Record) digest(patient string) string {
	sum := sha256.Sum256([]byte(r.Salt + "\x00" + patient))
	return hex.EncodeToString(sum[:])
}

// Is reports whether a record is about a patient.
func (r *Record) Is(patient string) bool { return r.digest(patient) == r.Digest }

// WriteList writes a list, one record a line.
func WriteList(list []Record) ([]byte, error) {
	var text []byte
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return nil, fmt.Errorf("write the list of erasures: %w", err)
		}
		text = append(append(text, line...), '\n')
	}
	return text, nil
}

// ReadList reads what WriteList wrote.
func ReadList(text []byte) (list []Record, err error) {
	for number, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if line == "" {
			continue
		}
		var r Record
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.ID == "" || r.Digest == "" {
			return nil, fmt.Errorf("line %d of the list of erasures cannot be read: put the file back from where it was kept: %w", number+1, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// Beyond lists the records of one list that another lacks.
func Beyond(list, known []Record) (more []Record) {
	for _, r := range list {
		if !slices.ContainsFunc(known, func(k Record) bool { return k.ID == r.ID }) {
			more = append(more, r)
		}
	}
	return more
}

// Order is what a store is asked to take out.
type Order struct {
	Subject  *Subject
	Record   Record
	Trail    []trail.Redaction // what goes of the trail, which says so already
	InfluxDB bool              // leave an errand for whoever feeds it
	DryRun   bool              // count, and leave everything as it is
}

// Left is what still names a patient somewhere after all.
type Left struct {
	Table string `json:"table"`
	Rows  int    `json:"rows"`
}

// Result is what an erasure took out.
type Result struct {
	Counts map[string]int // rows by the key of the category
	Left   []Left         // in records of others, mostly notes: a person has to look
}

// Store is the part of a store that erases. Every implementation passes the same tests.
type Store interface {
	// Erasures lists the records that were applied here.
	Erasures(ctx context.Context) ([]Record, error)
	// Persons lists every reference of a patient under which it holds anything.
	Persons(ctx context.Context) ([]string, error)
	// Subject finds what is known of a patient, and who follows them now.
	Subject(ctx context.Context, patient string, now time.Time) (*Subject, error)
	// Alone returns an error that says who else works on the store, as far as it knows.
	Alone(ctx context.Context) error
	// Erase takes a patient out, in one transaction. No service may run on the store,
	// and it is to be closed afterwards: what it remembers is out of date. It does nothing
	// where that erasure was made already.
	Erase(ctx context.Context, order Order) (Result, error)
	// Noted keeps the record of an erasure of which the store holds nothing.
	Noted(ctx context.Context, record Record) error
	// Clean rewrites what the files still hold of rows that are gone, where that has not
	// been done since the last erasure.
	Clean(ctx context.Context) error
	// Unclean reports whether there is something for Clean to do.
	Unclean(ctx context.Context) (bool, error)
}
