package trail_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/alerts/trail"
)

// shelf is a trail.Store in memory, with one chain.
type shelf struct{ rows []trail.Row }

func (s *shelf) last() (last trail.Head) {
	if n := len(s.rows); n > 0 {
		last = trail.Head{Chain: s.rows[n-1].Chain, Seq: s.rows[n-1].Seq, Hash: s.rows[n-1].Hash}
	}
	return last
}

func (s *shelf) Append(_ context.Context, _ string, next func(trail.Head) ([]trail.Row, error)) error {
	rows, err := next(s.last())
	s.rows = append(s.rows, rows...)
	return err
}

func (s *shelf) Heads(context.Context) ([]trail.Row, error) {
	return s.rows[max(0, len(s.rows)-1):], nil
}

func (s *shelf) Rows(_ context.Context, _ string, after int64, limit int) ([]trail.Row, error) {
	rows := s.rows[min(int(after), len(s.rows)):]
	return rows[:min(limit, len(rows))], nil
}

func (s *shelf) Find(context.Context, trail.Filter) ([]trail.Row, error) {
	return nil, errors.New("not asked for")
}

// take takes out what an erasure lists, as a store does.
func (s *shelf) take(erasure string, list []trail.Redaction) {
	for _, r := range list {
		row := &s.rows[r.Seq-1]
		if r.Nth < 0 {
			row.Body = r.Body
			continue
		}
		row.Beside = slices.Clone(row.Beside)
		row.Beside[r.Nth] = trail.Detail{Part: trail.OfErased, Text: erasure}
	}
}

// all is everything that the trail says.
func (s *shelf) all() string {
	var b strings.Builder
	for _, row := range s.rows {
		b.WriteString(row.Body)
		for _, d := range row.Beside {
			b.WriteString(" " + d.Text)
		}
	}
	return b.String()
}

type noMark struct{}

func (noMark) Load() (trail.Head, bool, error) { return trail.Head{}, false, nil }
func (noMark) Save(trail.Head) error           { return nil }

// written is the trail of a ward: two patients, looked at alone and together.
func written(t *testing.T) (*shelf, *trail.Trail) {
	t.Helper()
	s := &shelf{}
	kept, err := trail.Open(t.Context(), trail.Options{
		Store: s, Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Mark: noMark{}, Node: "ward",
		Now: func() time.Time { return time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []trail.Entry{
		{Kind: trail.Read, Name: "Ida", Patients: []string{"p-1"}, Reason: "appel de Zoé QUERMADEC"},
		{Kind: trail.Read, Name: "Ida", Patients: []string{"p-1", "p-12"}, Reason: "liste du matin"},
		{Kind: trail.Read, Name: "Ida", Patients: []string{"p-12"}, Reason: "la sœur de QUERMADEC"},
		{Kind: trail.Act, Name: "Ida", About: "device S-77", Deed: "PUT /api/v1/devices/{id}"},
		{Kind: trail.Act, Name: "patient p-1", Token: "own-p-1", Patients: []string{"p-1"}},
	} {
		if err := kept.Write(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return s, kept
}

var ofOne = trail.Told{
	Patient: "p-1",
	Is: func(text string) bool {
		return strings.Contains(text, "S-77") || strings.Contains(text, `p-1"`) || text == "patient p-1"
	},
	Of: func(text string) bool { return strings.Contains(text, "QUERMADEC") },
}

func faults(t *testing.T, s *shelf) (found []trail.Fault, notes int) {
	t.Helper()
	report, err := trail.Verify(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return report.Faults, len(report.Notes)
}

// slow is a store that needs ten seconds for an entry, or none.
type slow struct {
	*shelf
	now bool
}

func (s *slow) Append(ctx context.Context, chain string, next func(trail.Head) ([]trail.Row, error)) error {
	if end, has := ctx.Deadline(); s.now && has && time.Until(end) < 10*time.Second {
		return context.DeadlineExceeded
	}
	return s.shelf.Append(ctx, chain, next)
}

// Whoever looks at a patient does not wait for a slow disk. An erasure does: it was given
// up after the two seconds of a look, and at a start nothing was served then.
func TestAnErasureWaitsForAStoreThatIsSlow(t *testing.T) {
	s, kept := written(t)
	laden := &slow{shelf: s}
	kept.Store, laden.now = laden, true
	if err := kept.Write(t.Context(), trail.Entry{Kind: trail.Read, Name: "Ida"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a look waits for ten seconds: %v", err)
	}
	before := len(s.rows)
	if err := kept.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "patient erase"}, "e1", nil); err != nil {
		t.Errorf("an erasure does not: %v", err)
	}
	if len(s.rows) != before+1 {
		t.Errorf("%d entries were written, want that of the erasure", len(s.rows)-before)
	}
}

// stuck is a store in which an erasure stays until it is let go, before its entry is
// written or behind it.
type stuck struct {
	*shelf
	behind      bool
	there, free chan struct{}
	turn        sync.Mutex
	erases      bool // who comes next is the erasure
}

func (s *stuck) Append(ctx context.Context, chain string, next func(trail.Head) ([]trail.Row, error)) error {
	add := func() error {
		s.turn.Lock()
		defer s.turn.Unlock()
		return s.shelf.Append(ctx, chain, next)
	}
	if !s.erases {
		return add()
	}
	s.erases = false
	var err error
	if s.behind {
		err = add()
	}
	close(s.there)
	<-s.free
	if !s.behind {
		err = add()
	}
	return err
}

// lastMark keeps the head that was named last.
type lastMark struct{ head trail.Head }

func (m *lastMark) Load() (trail.Head, bool, error) { return m.head, true, nil }
func (m *lastMark) Save(head trail.Head) error      { m.head = head; return nil }

// A red rings at night, and the nurse opens the record: an erasure that has waited for the
// disk since does not keep her waiting, and the mark names what was written last.
func TestNobodyWhoLooksWaitsForAnErasure(t *testing.T) {
	for _, behind := range []bool{false, true} {
		s, kept := written(t)
		laden := &stuck{shelf: s, behind: behind, there: make(chan struct{}), free: make(chan struct{}), erases: true}
		mark := &lastMark{}
		kept.Store, kept.Mark = laden, mark
		erased, looked := make(chan error), make(chan error, 1)
		go func() { erased <- kept.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "retention"}, "e1", nil) }()
		<-laden.there
		go func() { looked <- kept.Write(t.Context(), trail.Entry{Kind: trail.Read, Name: "Ida"}) }()
		select {
		case err := <-looked:
			if err != nil {
				t.Errorf("she looks: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("who looks waits for the erasure (behind its entry: %v)", behind)
		}
		close(laden.free)
		if err := <-erased; err != nil {
			t.Errorf("the erasure: %v", err)
		}
		if mark.head != s.last() {
			t.Errorf("the mark names entry %d, the last is %d (behind: %v)", mark.head.Seq, s.last().Seq, behind)
		}
		if found, _ := faults(t, s); len(found) > 0 {
			t.Errorf("%v", found)
		}
	}
}

func TestAnErasedPatientLeavesAChainThatIsVerified(t *testing.T) {
	s, kept := written(t)
	list, err := trail.Plan(t.Context(), s, "e1", ofOne)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "patient erase"}, "e1", list); err != nil {
		t.Fatal(err)
	}
	if found, notes := faults(t, s); len(found)+notes > 0 {
		t.Errorf("before anything is taken out it is said: %v, %d notes", found, notes)
	}
	s.take("e1", list)
	if found, notes := faults(t, s); len(found) > 0 || notes != 1 {
		t.Errorf("afterwards it is said: %v, %d notes", found, notes)
	}
	said := s.all()
	for _, word := range []string{`p-1"`, " p-1 ", "QUERMADEC", "S-77", "own-p-1"} {
		if strings.Contains(said+" ", word) {
			t.Errorf("the trail still says %q", word)
		}
	}
	for _, word := range []string{"p-12", "liste du matin", "Ida", "PUT /api/v1/devices/{id}"} {
		if !strings.Contains(said, word) {
			t.Errorf("the trail no longer says %q", word)
		}
	}
	again, err := trail.Plan(t.Context(), s, "e2", ofOne)
	if err != nil || len(again) > 0 {
		t.Errorf("a second erasure takes out %d, %v", len(again), err)
	}
}

// TestNothingElseGoesInTheNameOfAnErasure takes out more than an erasure said.
func TestNothingElseGoesInTheNameOfAnErasure(t *testing.T) {
	for name, tamper := range map[string]func(s *shelf){
		"who was looked at besides": func(s *shelf) { s.rows[2].Beside[1] = trail.Detail{Part: trail.OfErased, Text: "e1"} },
		"in the name of none":       func(s *shelf) { s.rows[2].Beside[1] = trail.Detail{Part: trail.OfErased, Text: "e9"} },
		"what an entry says": func(s *shelf) {
			s.rows[2].Body = strings.Replace(s.rows[2].Body, `"name":"Ida"`, `"name":"Eve","erased":"e1"`, 1)
		},
		"what is left of an entry": func(s *shelf) {
			s.rows[4].Body = strings.Replace(s.rows[4].Body, `"name":"Ida"`, `"name":"Eve"`, 1)
		},
	} {
		s, kept := written(t)
		list, err := trail.Plan(t.Context(), s, "e1", ofOne)
		if err != nil {
			t.Fatal(err)
		}
		if err := kept.Erase(t.Context(), trail.Entry{Kind: trail.Act}, "e1", list); err != nil {
			t.Fatal(err)
		}
		s.take("e1", list)
		tamper(s)
		if found, _ := faults(t, s); len(found) == 0 {
			t.Errorf("%s: taken out, and nothing is said", name)
		}
	}
}

// What an entry is about is salted: nobody confirms a guess by the hash that stays. What an
// older version wrote into the chain itself is stripped as before.
func TestNobodyGuessesWhatAnErasedEntryWasAbout(t *testing.T) {
	s, kept := written(t)
	for _, row := range s.rows {
		if strings.Contains(row.Body, "S-77") || strings.Contains(row.Body, "p-1") {
			t.Errorf("the chain itself says %s", row.Body)
		}
		if e, err := row.Entry(); err != nil || e.Deed == "PUT /api/v1/devices/{id}" && e.About != "device S-77" {
			t.Errorf("read back: %+v, %v", e, err)
		}
	}
	last := s.last()
	body := fmt.Sprintf(`{"chain":%q,"seq":%d,"at":"2026-11-20T08:00:00Z","kind":"act","about":"device S-77"}`, last.Chain, last.Seq+1)
	sum := sha256.Sum256([]byte(last.Hash + "\n" + body))
	s.rows = append(s.rows, trail.Row{Chain: last.Chain, Seq: last.Seq + 1, At: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), Body: body, Hash: hex.EncodeToString(sum[:])})
	list, err := trail.Plan(t.Context(), s, "e1", ofOne)
	if err != nil {
		t.Fatal(err)
	}
	var stripped []int64
	for _, r := range list {
		if r.Nth < 0 {
			stripped = append(stripped, r.Seq)
		}
	}
	if !slices.Equal(stripped, []int64{last.Seq + 1}) {
		t.Errorf("stripped are the entries %v, want only that of the older version", stripped)
	}
	if err := kept.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "patient erase"}, "e1", list); err != nil {
		t.Fatal(err)
	}
	s.take("e1", list)
	if found, _ := faults(t, s); len(found) > 0 || strings.Contains(s.all(), "S-77") {
		t.Errorf("%+v\n%s", found, s.all())
	}
}
