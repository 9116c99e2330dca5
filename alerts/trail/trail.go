package trail

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigie/alerts/access"
)

// Options are what a Trail needs. All but Patience are required.
type Options struct {
	Store Store
	Key   ed25519.PrivateKey
	Mark  Mark
	Node  string // the host, for people
	Now   func() time.Time
	Log   *slog.Logger
	// Patience is how long somebody who looks at a patient waits for the trail; 2 s when
	// zero.
	Patience time.Duration
}

// Mark keeps the last head apart from the store, so that a store whose end was cut, or
// that comes from a backup, is found out.
type Mark interface {
	Load() (head Head, known bool, err error)
	Save(Head) error
}

// Trail writes the entries of one node. It is safe for concurrent use, also beside
// another process of the same node.
type Trail struct {
	Options
	chain string

	turn sync.Mutex // held by whoever writes for all who look

	marking sync.Mutex
	marked  int64 // the last entry that the mark has named

	mu      sync.Mutex
	waiting []*waiting
	late    []Entry // that could not be written yet
	missed  int     // beyond those, not kept
	since   time.Time
	tied    time.Time
}

// waiting is an entry whose writer waits.
type waiting struct {
	entry Entry
	done  bool
	err   error
}

const (
	mostLate  = 1000      // entries kept in memory while the store takes none
	tiesEvery = time.Hour // how often the heads of other chains are cited
)

// Open finds the chain of a node, or begins one.
func Open(ctx context.Context, options Options) (*Trail, error) {
	t := &Trail{Options: options}
	if t.Patience == 0 {
		t.Patience = 2 * time.Second
	}
	heads, err := t.Store.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the chain of the trail: %w", err)
	}
	mark, marked, err := t.Mark.Load()
	if err != nil {
		return nil, fmt.Errorf("read the mark of the trail: %w", err)
	}
	ours := fingerprint(t.publicKey())
	number := 0
	for _, head := range heads {
		if whose, n := chainParts(head.Chain); whose == ours && n > number {
			number, t.chain = n, head.Chain
		}
	}
	whose, n := chainParts(mark.Chain)
	cut := false
	if marked && whose == ours {
		if cut, err = t.isCut(ctx, mark); err != nil {
			return nil, err
		}
	}
	if t.chain != "" && !cut {
		return t, nil
	}
	t.chain = ours + "-" + strconv.Itoa(max(number, n)+1)
	first := []Entry{{Kind: Begin, Node: t.Node, Key: hex.EncodeToString(t.publicKey())}}
	if cut {
		t.Log.Error("the trail ends before its mark: was the store restored from a backup? vigie audit verify says more", "mark", mark.Seq)
		first = append(first, Entry{Kind: Cut, Heads: []Head{mark}})
	}
	return t, t.append(ctx, first)
}

// isCut reports whether the store lacks what the mark has seen.
func (t *Trail) isCut(ctx context.Context, mark Head) (bool, error) {
	rows, err := t.Store.Rows(ctx, mark.Chain, mark.Seq-1, 1)
	if err != nil {
		return false, fmt.Errorf("hold the trail against its mark: %w", err)
	}
	return len(rows) == 0 || rows[0].Seq != mark.Seq || rows[0].Hash != mark.Hash, nil
}

func (t *Trail) publicKey() ed25519.PublicKey { return t.Key.Public().(ed25519.PublicKey) }

// fingerprint names a key: the first 8 bytes of its SHA-256.
func fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// chainParts are the fingerprint and the number in the name of a chain.
func chainParts(chain string) (whose string, number int) {
	whose, text, _ := strings.Cut(chain, "-")
	number, err := strconv.Atoi(text)
	if err != nil {
		return "", 0
	}
	return whose, number
}

// Chain is the name of the chain.
func (t *Trail) Chain() string { return t.chain }

// Write adds an entry and returns once it is committed. Whoever asked may go away
// meanwhile. An error means that it is not committed: the caller goes on, care must
// not wait, and the trail writes the entry later or says how many are lost.
func (t *Trail) Write(ctx context.Context, e Entry) error {
	if e.At.IsZero() {
		e.At = t.Now()
	}
	item := &waiting{entry: e}
	t.mu.Lock()
	t.waiting = append(t.waiting, item)
	t.mu.Unlock()

	t.turn.Lock()
	defer t.turn.Unlock()
	if item.done { // somebody wrote for all
		return item.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.Patience)
	defer cancel()
	t.flush(ctx)
	return item.err
}

// flush writes what waits. The caller holds the turn.
func (t *Trail) flush(ctx context.Context) {
	t.mu.Lock()
	items, missed, since := t.waiting, t.missed, t.since
	entries := slices.Clone(t.late)
	t.waiting = nil
	t.mu.Unlock()
	if missed > 0 {
		entries = append(entries, Entry{Kind: Lost, At: t.Now(), Missed: missed, Since: since})
	}
	for _, item := range items {
		entries = append(entries, item.entry)
	}
	entries = append(entries, t.ties(ctx)...)
	err := t.append(ctx, entries)
	for _, item := range items {
		item.done, item.err = true, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		if !t.since.IsZero() {
			t.Log.Warn("the trail is written again", "since", t.since, "lost", missed)
		}
		t.late, t.missed, t.since = nil, 0, time.Time{}
		return
	}
	if t.since.IsZero() {
		t.since = t.Now().UTC()
		t.Log.Error("the trail cannot be written: care goes on, and what is not written is said", "error", err)
	}
	for _, item := range items {
		if len(t.late) >= mostLate {
			t.missed++
			continue
		}
		t.late = append(t.late, item.entry)
	}
}

// ties cites the other chains, now and then.
func (t *Trail) ties(ctx context.Context) []Entry {
	now := t.Now()
	if age := now.Sub(t.tied); age >= 0 && age < tiesEvery {
		return nil
	}
	rows, err := t.Store.Heads(ctx)
	if err != nil {
		return nil // the entries themselves will say so
	}
	t.tied = now
	var heads []Head
	for _, row := range rows {
		if row.Chain != t.chain {
			heads = append(heads, Head{row.Chain, row.Seq, row.Hash})
		}
	}
	if len(heads) == 0 {
		return nil
	}
	return []Entry{{Kind: Ties, At: now, Heads: heads}}
}

// append adds entries, signs the last and moves the mark.
func (t *Trail) append(ctx context.Context, entries []Entry) error {
	var head Head
	err := t.Store.Append(ctx, t.chain, func(last Head) ([]Row, error) {
		rows := make([]Row, 0, len(entries))
		head = last
		for _, e := range entries {
			if e.Kind == Begin && last.Seq > 0 {
				continue // another process of this node was first
			}
			e.Chain = t.chain
			if e.At.IsZero() {
				e.At = t.Now()
			}
			row, err := e.seal(head)
			if err != nil {
				return nil, err
			}
			rows, head = append(rows, row), Head{row.Chain, row.Seq, row.Hash}
		}
		if len(rows) == 0 {
			return nil, nil
		}
		rows[len(rows)-1].Signature = hex.EncodeToString(ed25519.Sign(t.Key, signed(head)))
		return rows, nil
	})
	if err != nil {
		return fmt.Errorf("write the trail: %w", err)
	}
	t.mark(head)
	return nil
}

// mark moves the mark on. An erasure writes beside those who look, and may come to its mark
// behind theirs.
func (t *Trail) mark(head Head) {
	t.marking.Lock()
	defer t.marking.Unlock()
	if head.Seq < t.marked {
		return
	}
	t.marked = head.Seq
	if err := t.Mark.Save(head); err != nil {
		t.Log.Warn("the mark of the trail cannot be written: a cut of its end would not be found", "error", err)
	}
}

// signed is what a signature covers.
func signed(head Head) []byte { return []byte("vigie trail\n" + head.String()) }

// Gap reports since when entries are not written, how many wait in memory and how
// many are lost. The time is zero when all is written.
func (t *Trail) Gap() (since time.Time, late, lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since, len(t.late), t.missed
}

// Note writes an act of somebody about something: an account, a token, a patient. It
// is an access.Trail.
func (t *Trail) Note(ctx context.Context, who access.Who, deed, about, patient, reason string) error {
	e := Entry{Kind: Act, Deed: deed, About: about, Reason: reason}.Of(who)
	if patient != "" {
		e.Patients = []string{patient}
	}
	return t.Write(ctx, e)
}

// Close writes what is left.
func (t *Trail) Close(ctx context.Context) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if since, late, lost := t.Gap(); since.IsZero() && late+lost == 0 {
		return nil
	}
	t.flush(ctx)
	if since, late, lost := t.Gap(); !since.IsZero() {
		return fmt.Errorf("the trail lacks %d entries since %s: they could not be written", late+lost, since.Format(time.RFC3339))
	}
	return nil
}
