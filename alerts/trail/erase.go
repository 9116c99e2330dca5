package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OfErased stands in the place of a Detail that an erasure took out; its text is the
// number of the erasure.
const OfErased Part = "erased"

// Removed is what an erasure took out of the trail, as the entry says that made it. The
// chain commits to it by a digest, so that nothing else can be taken out in its name.
type Removed struct {
	Erasure string `json:"erasure"` // its number
	Count   int    `json:"count"`
	Digest  string `json:"digest"` // SHA-256 of the lines of Redaction, sorted, in hex
}

// Redaction is one thing that an erasure takes out: a detail beside an entry, or what the
// entry itself says about somebody.
type Redaction struct {
	Chain string
	Seq   int64
	Nth   int    // of the detail, from 0; -1 for the entry itself
	Body  string // what the entry says from then on, with Nth -1
	was   string // the digest that the chain holds of the detail, or the hash of the entry
}

// line is what the digest of Removed covers.
func (r *Redaction) line() string {
	sum := sha256.Sum256([]byte(r.Body))
	return fmt.Sprintf("%s %d %d %s %s", r.Chain, r.Seq, r.Nth, r.was, hex.EncodeToString(sum[:]))
}

// removed sums redactions up.
func removed(erasure string, list []Redaction) Removed {
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line()
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return Removed{erasure, len(list), hex.EncodeToString(sum[:])}
}

// Told says which texts tell about a patient.
type Told struct {
	Patient string
	Is      func(text string) bool // names something that is his: a record, a device, an enrolment
	Of      func(text string) bool // may tell about him: his names as well
}

// Stripper is the part of a store that takes out of the trail what the trail has said that
// it takes out, see Trail.Erase.
type Stripper interface {
	Strip(ctx context.Context, number string, list []Redaction) error
}

// Old lists what an entry from before a time says of patients and why: of whom, the reason
// and what it was about. Places says, by chain, behind which entry to go on; Old moves it
// on, so that nothing is read twice.
func Old(ctx context.Context, source Source, number string, before time.Time, places map[string]int64) (list []Redaction, err error) {
	heads, err := source.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the chains of the trail: %w", err)
	}
	for _, head := range heads {
		for more := true; more; {
			rows, err := source.Rows(ctx, head.Chain, places[head.Chain], atATime)
			if err != nil {
				return nil, fmt.Errorf("read chain %s of the trail: %w", head.Chain, err)
			}
			more = len(rows) == atATime
			for i := range rows {
				if !rows[i].At.Before(before) {
					more = false
					break
				}
				if list, err = old(list, &rows[i], number); err != nil {
					return nil, err
				}
				places[head.Chain] = rows[i].Seq
			}
		}
	}
	return list, nil
}

// old appends what goes of one row.
func old(list []Redaction, row *Row, number string) ([]Redaction, error) {
	entry, err := row.Entry()
	if err != nil {
		return nil, err
	}
	if len(entry.Sealed) != len(row.Beside) {
		return nil, fmt.Errorf("what stands beside entry %d of chain %s is not whole: see vigie audit verify", row.Seq, row.Chain)
	}
	for i, d := range row.Beside {
		if d.Part != OfErased {
			list = append(list, Redaction{Chain: row.Chain, Seq: row.Seq, Nth: i, was: entry.Sealed[i]})
		}
	}
	if entry, err = row.bare(); err != nil {
		return nil, err
	}
	own := entry.ofPatient()
	if entry.Erased != "" || entry.Removed != nil || entry.About == "" && !own {
		return list, nil
	}
	entry.Erased, entry.About = number, ""
	if own {
		entry.Name, entry.Token = "", ""
	}
	body, err := json.Marshal(entry)
	if err != nil {
		return nil, fmt.Errorf("write entry %d of chain %s of the trail: %w", row.Seq, row.Chain, err)
	}
	return append(list, Redaction{Chain: row.Chain, Seq: row.Seq, Nth: -1, Body: string(body), was: row.Hash}), nil
}

// Plan lists what the erasure of a patient takes out of every chain. Who looked and acted
// stays, and when: only of whom goes.
func Plan(ctx context.Context, source Source, erasure string, told Told) ([]Redaction, error) {
	heads, err := source.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the chains of the trail: %w", err)
	}
	var list []Redaction
	for _, head := range heads {
		for after, more := int64(0), true; more; {
			rows, err := source.Rows(ctx, head.Chain, after, atATime)
			if err != nil {
				return nil, fmt.Errorf("read chain %s of the trail: %w", head.Chain, err)
			}
			for i := range rows {
				if list, err = told.of(list, &rows[i], erasure); err != nil {
					return nil, err
				}
				after = rows[i].Seq
			}
			more = len(rows) == atATime
		}
	}
	return list, nil
}

// of appends what goes of one row.
func (t *Told) of(list []Redaction, row *Row, erasure string) ([]Redaction, error) {
	entry, err := row.Entry()
	if err != nil {
		return nil, err
	}
	if len(entry.Sealed) != len(row.Beside) {
		return nil, fmt.Errorf("what stands beside entry %d of chain %s is not whole: see vigie audit verify", row.Seq, row.Chain)
	}
	alone := slices.Equal(entry.Patients, []string{t.Patient})
	for i, d := range row.Beside {
		if d.Part == OfPatient && d.Text == t.Patient || d.Part == OfReason && (alone || t.Of(d.Text)) || d.salted() && (t.Is(d.Text) || entry.Token == "own-"+t.Patient) {
			list = append(list, Redaction{Chain: row.Chain, Seq: row.Seq, Nth: i, was: entry.Sealed[i]})
		}
	}
	if entry.Erased != "" || !t.Is(row.Body) {
		return list, nil
	}
	if entry, err = row.bare(); err != nil {
		return nil, err
	}
	entry.Erased, entry.About = erasure, ""
	if t.Is(entry.Name) || t.Is(entry.Token) {
		entry.Name, entry.Token = "", ""
	}
	body, err := json.Marshal(entry)
	if err != nil {
		return nil, fmt.Errorf("write entry %d of chain %s of the trail: %w", row.Seq, row.Chain, err)
	}
	return append(list, Redaction{Chain: row.Chain, Seq: row.Seq, Nth: -1, Body: string(body), was: row.Hash}), nil
}

// salted reports whether a detail is one that an older version wrote into the chain itself.
func (d *Detail) salted() bool { return d.Part == OfAbout || d.Part == OfName || d.Part == OfToken }

// erasePatience is how long an erasure waits for the trail. Nobody stands at a bed
// meanwhile, and what gives up leaves somebody in the store who asked to be erased.
const erasePatience = time.Minute

// Erase writes that an erasure is made, with what it takes out. The caller takes it out
// then: where it is interrupted before, the entry stands and nothing is missing. Where it
// cannot be written it is not written later either, unlike what Write is given.
func (t *Trail) Erase(ctx context.Context, e Entry, erasure string, list []Redaction) error {
	gone := removed(erasure, list)
	e.Removed = &gone
	if e.At.IsZero() {
		e.At = t.Now()
	}
	// Not in the turn of those who look at a patient: they do not wait for an erasure.
	ctx, cancel := context.WithTimeout(ctx, erasePatience)
	defer cancel()
	return t.append(ctx, []Entry{e})
}

// erased holds what is missing from the trail against what the chains say that erasures
// took out.
func (v *verifier) erased() {
	var numbers []string
	for number := range v.missing {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		list := v.missing[number]
		if !slices.Contains(v.removed, removed(number, list)) {
			v.fault(Changed, list[0].Chain, list[0].Seq,
				fmt.Sprintf("À partir de l'entrée %d, %d contenus manquent au nom de l'effacement %s, qui ne les a pas retirés.", list[0].Seq, len(list), number),
				fmt.Sprintf("From entry %d on, %d contents are missing in the name of erasure %s, which did not take them out.", list[0].Seq, len(list), number))
			continue
		}
		v.report.Notes = append(v.report.Notes, Fault{Erased, list[0].Chain, list[0].Seq, textOf(
			fmt.Sprintf("L'effacement %s a retiré %d contenus ; la chaîne le dit et reste vérifiable.", number, len(list)),
			fmt.Sprintf("Erasure %s took %d contents out; the chain says so and can still be verified.", number, len(list)))})
	}
}

// gone remembers what a row lacks because of an erasure.
func (v *verifier) gone(row *Row, nth int, number, was string) {
	if v.missing == nil {
		v.missing = map[string][]Redaction{}
	}
	r := Redaction{Chain: row.Chain, Seq: row.Seq, Nth: nth, was: was}
	if nth < 0 {
		r.Body = row.Body
	}
	v.missing[number] = append(v.missing[number], r)
}
