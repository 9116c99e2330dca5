package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/ingest"
)

// Cursor is the name under which the forwarder keeps how far it has come.
const Cursor = "influxdb"

// batch is how many readings one request carries.
const batch = 5000

// Journal is what the forwarder needs of the transactional store; see FromStore.
type Journal interface {
	ReadingsAfter(ctx context.Context, seq int64, limit int) ([]ingest.Kept, error)
	Cursor(ctx context.Context, name string) (int64, error)
	SetCursor(ctx context.Context, name string, seq int64) error
	// SetAside keeps what InfluxDB refused. Doing so twice changes nothing.
	SetAside(ctx context.Context, refused []Refused) error
	// Refused lists what is set aside, newest first, below the id where it is
	// not 0; an empty list when there is no more.
	Refused(ctx context.Context, before int64) ([]Refused, error)
	// Settle marks as taken what was set aside.
	Settle(ctx context.Context, ids []int64) error
	ingest.Errands
	ingest.History
}

// Refused is a reading whose point InfluxDB did not take.
type Refused struct {
	ID       int64  // given when it is set aside
	Device   string // whose reading it is
	Reading  string // its id
	Received time.Time
	Line     string // as it was sent
	Reason   string // the server's, without any measured value
}

// Pace says how soon things are tried. Zero fields have defaults.
type Pace struct {
	Gather   time.Duration // how long a small batch waits for more; 100 ms
	Poll     time.Duration // how often to look without being notified; 1 s
	FirstTry time.Duration // after a failure; doubles each time; 1 s
	LastTry  time.Duration // the longest wait; 1 min
}

// Forwarder feeds InfluxDB from the journal, in its order. The cursor moves
// only past what InfluxDB has taken or what has been set aside, so that nothing
// is missed across failures and restarts; what is sent twice changes nothing.
type Forwarder struct {
	client  *Client
	journal Journal
	log     *slog.Logger
	pace    Pace
	wake    chan struct{}
	source  ingest.History // of what is fed once more
	alerts  Alerts         // nil where nobody tells of alerts
	now     func() time.Time
	erased  map[string]ingest.Erasure // patients, by Errands.Erased; nil to be read anew
	closing map[int64]time.Time       // erasures that are looked at again, by errand

	former      *Client   // the InfluxDB of before; nil where none is named
	formerAgain time.Time // when it is asked again to delete

	lines   []byte
	ends    []int // of each line in lines
	mu      sync.Mutex
	figures Figures
}

// Figures tell how the forwarding goes.
type Figures struct {
	Sent    int64     // readings taken by InfluxDB since the start
	Alerts  int64     // events of alerts taken by InfluxDB since the start
	Refused int64     // points set aside since the start
	Retries int64     // failed requests that were tried again
	Cursor  int64     // place in the journal
	Oldest  time.Time // when the oldest reading that waits was kept; zero when none waits
	Error   string    // why the last try failed; empty when it did not
}

// NewForwarder returns a forwarder; Run does the work. What is fed once more comes
// from the journal's own history; see From.
func NewForwarder(client *Client, journal Journal, log *slog.Logger, pace Pace) *Forwarder {
	pace.Gather = orDefault(pace.Gather, 100*time.Millisecond)
	pace.Poll = orDefault(pace.Poll, time.Second)
	pace.FirstTry = orDefault(pace.FirstTry, time.Second)
	pace.LastTry = orDefault(pace.LastTry, time.Minute)
	return &Forwarder{client: client, journal: journal, log: log, pace: pace, wake: make(chan struct{}, 1), source: journal, now: time.Now}
}

// From has what is fed once more come from a history that also knows what the store
// has forgotten, and errands end by a clock. It is called before Run.
func (f *Forwarder) From(source ingest.History, now func() time.Time) { f.source, f.now = source, now }

// Former names the InfluxDB that was fed before; nil where there is none. Whoever is
// erased is deleted there, too. It is called before Run.
func (f *Forwarder) Former(former *Client) { f.former = former }

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// Notify tells that readings have been kept. It does not wait.
func (f *Forwarder) Notify() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Figures returns the present figures.
func (f *Forwarder) Figures() Figures {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.figures
}

func (f *Forwarder) note(change func(*Figures)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.figures)
}

// Run forwards until ctx ends. Failures are waited out. What InfluxDB has
// refused is tried once more at the start. On several nodes, only one may run at
// a time.
func (f *Forwarder) Run(ctx context.Context) {
	// What waits is then for whichever node goes on to tell.
	defer f.note(func(g *Figures) { g.Oldest, g.Error = time.Time{}, "" })
	f.erased, f.closing, f.formerAgain = nil, nil, time.Time{}
	wait, again := f.pace.FirstTry, true
	for ctx.Err() == nil {
		full, err := f.step(ctx)
		if err == nil {
			var more bool
			more, err = f.tellAlerts(ctx)
			full = full || more
		}
		if err == nil && !full && again {
			err = f.retry(ctx)
			again = err != nil
		}
		if err == nil && !full {
			full, err = f.idle(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.failed(err)
			pause(ctx, max(wait, retryAfter(err)))
			wait = min(2*wait, f.pace.LastTry)
		case full:
			wait = f.pace.FirstTry
		default:
			wait = f.pace.FirstTry
			f.rest(ctx)
		}
	}
}

// rest waits until there may be something to send, and a little longer so that
// more comes together.
func (f *Forwarder) rest(ctx context.Context) {
	select {
	case <-f.wake:
		pause(ctx, f.pace.Gather)
	case <-time.After(f.pace.Poll):
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// failed says what is wrong, once: what to put right, in the operator's language.
func (f *Forwarder) failed(err error) {
	said := In(err, f.client.options.Language)
	f.note(func(g *Figures) {
		if g.Error != said {
			f.log.Warn("InfluxDB is not fed; readings wait in the journal", "error", said)
		}
		g.Retries++
		g.Error = said
	})
}

// step sends what one request carries, and reports whether there may be more.
func (f *Forwarder) step(ctx context.Context) (full bool, err error) {
	cursor, err := f.journal.Cursor(ctx, Cursor)
	if err != nil {
		return false, fmt.Errorf("find the place in the journal: %w", err)
	}
	next, err := f.errands(ctx, cursor)
	if err != nil {
		return false, err
	}
	kept, err := f.journal.ReadingsAfter(ctx, cursor, batch)
	if err != nil {
		return false, fmt.Errorf("read the journal: %w", err)
	}
	if next > 0 {
		kept = upTo(kept, next)
		if len(kept) == 0 {
			// Numbers may be missing from the journal.
			_, err := f.errands(ctx, next)
			return err == nil, err
		}
	}
	if len(kept) == 0 {
		f.note(func(g *Figures) { g.Cursor, g.Oldest = cursor, time.Time{} })
		return false, nil
	}
	f.note(func(g *Figures) { g.Cursor, g.Oldest = cursor, kept[0].At })
	last := kept[len(kept)-1].Seq
	read := len(kept)
	if kept, err = f.withoutErased(ctx, kept); err != nil {
		return false, err
	}
	f.encode(kept)
	d := delivery{f: f, count: len(kept), of: refusals(kept)}
	if len(kept) > 0 {
		if err := d.deliver(ctx, 0, len(kept)); err != nil {
			return false, err
		}
	}
	refused := d.refused
	if err := f.setAside(ctx, refused); err != nil {
		return false, err
	}
	cursor = last
	if err := f.journal.SetCursor(ctx, Cursor, cursor); err != nil {
		return false, fmt.Errorf("record the place in the journal: %w", err)
	}
	f.note(func(g *Figures) {
		g.Sent += int64(len(kept) - len(refused))
		g.Refused += int64(len(refused))
		g.Cursor, g.Oldest = cursor, time.Time{}
	})
	f.worked()
	return read == batch || next > 0, nil
}

// worked notes that InfluxDB takes what it is given.
func (f *Forwarder) worked() {
	f.note(func(g *Figures) {
		if g.Error != "" {
			f.log.Info("InfluxDB is fed again")
		}
		g.Error = ""
	})
}

// setAside keeps what InfluxDB refused, and says so.
func (f *Forwarder) setAside(ctx context.Context, refused []Refused) error {
	if len(refused) == 0 {
		return nil
	}
	if err := f.journal.SetAside(ctx, refused); err != nil {
		return fmt.Errorf("set points aside that InfluxDB refused: %w", err)
	}
	f.log.Warn("InfluxDB refused points, they are set aside", "count", len(refused), "reason", refused[0].Reason)
	return nil
}

// upTo returns the readings up to a place in the journal.
func upTo(kept []ingest.Kept, last int64) []ingest.Kept {
	for i := range kept {
		if kept[i].Seq > last {
			return kept[:i]
		}
	}
	return kept
}

// withoutErased leaves out who was erased since: the journal, or a cursor that was
// put back, brings nobody back.
func (f *Forwarder) withoutErased(ctx context.Context, kept []ingest.Kept) ([]ingest.Kept, error) {
	if err := f.knowErased(ctx); err != nil || len(f.erased) == 0 {
		return kept, err
	}
	return slices.DeleteFunc(kept, func(k ingest.Kept) bool { return k.Seq <= f.erased[k.Reading.Patient].After }), nil
}

// knowErased reads who was ever erased, unless that is known.
func (f *Forwarder) knowErased(ctx context.Context) error {
	if f.erased != nil {
		return nil
	}
	erased, err := f.journal.Erased(ctx)
	if err != nil {
		return fmt.Errorf("see who was erased: %w", err)
	}
	if f.erased = erased; f.erased == nil {
		f.erased = map[string]ingest.Erasure{}
	}
	return nil
}

// encode writes the lines of readings, and where each ends.
func (f *Forwarder) encode(kept []ingest.Kept) {
	f.lines, f.ends = f.lines[:0], f.ends[:0]
	for i := range kept {
		f.lines = append(appendLines(f.lines, &kept[i].Reading), '\n')
		f.ends = append(f.ends, len(f.lines))
	}
}

// between returns the lines of readings [from, to), without the last end of line.
func (f *Forwarder) between(from, to int) string {
	start := 0
	if from > 0 {
		start = f.ends[from-1]
	}
	return string(f.lines[start : f.ends[to-1]-1])
}

// delivery is one try to send what lines hold, which are those of count readings or events.
type delivery struct {
	f       *Forwarder
	count   int
	of      func(i int) Refused // which one it is, should its point be refused
	taken   bool                // InfluxDB has taken something of it
	refused []Refused
}

// refusals names readings, should their points be refused.
func refusals(kept []ingest.Kept) func(i int) Refused {
	return func(i int) Refused {
		return Refused{Device: kept[i].Reading.Device, Reading: kept[i].Reading.ID, Received: kept[i].At}
	}
}

// deliver sends the points of [from, to) and notes those that the server refuses. It
// finds them by halves: the server does not say which they are. What it takes on the
// way stays taken, and taking it again changes nothing.
func (d *delivery) deliver(ctx context.Context, from, to int) error {
	lines := d.f.between(from, to)
	err := d.f.client.Write(ctx, lines)
	var no *RefusedError
	if err == nil {
		d.taken = true
		return nil
	}
	if !errors.As(err, &no) {
		return err
	}
	if !no.Sure {
		if err := d.probe(ctx, no); err != nil {
			return err
		}
	}
	if to-from == 1 || no.Sure && no.Dropped == 1+strings.Count(lines, "\n") {
		for i := from; i < to; i++ {
			r := d.of(i)
			r.Line, r.Reason = d.f.between(i, i+1), no.Reason
			d.refused = append(d.refused, r)
		}
		return nil
	}
	middle := (from + to) / 2
	if err := d.deliver(ctx, from, middle); err != nil {
		return err
	}
	return d.deliver(ctx, middle, to)
}

// probe tells a refusal of points from one of the request, which no words told:
// points are at fault when InfluxDB takes another one. While it takes none of some,
// all of them wait.
func (d *delivery) probe(ctx context.Context, no *RefusedError) error {
	if d.taken {
		return nil
	}
	for _, i := range []int{0, d.count / 2, d.count - 1} {
		err := d.f.client.Write(ctx, d.f.between(i, i+1))
		var another *RefusedError
		switch {
		case err == nil:
			d.taken = true
			return nil
		case !errors.As(err, &another):
			return err
		}
	}
	return &Fault{Kind: Unclear, Status: no.Status}
}

// retry sends once more, in batches, what was refused and set aside: an operator may
// have removed the reason.
func (f *Forwarder) retry(ctx context.Context) error {
	for before := int64(0); ; {
		refused, err := f.journal.Refused(ctx, before)
		if err != nil || len(refused) == 0 {
			return err
		}
		before = refused[len(refused)-1].ID
		taken, err := f.again(ctx, refused, nil)
		if len(taken) > 0 {
			if err := f.journal.Settle(ctx, taken); err != nil {
				return fmt.Errorf("settle points that InfluxDB has taken at last: %w", err)
			}
			f.log.Info("InfluxDB has taken points that it had refused", "count", len(taken))
			f.note(func(g *Figures) { g.Sent += int64(len(taken)) })
		}
		if err != nil {
			return err
		}
	}
}

// again sends lines that were refused before, by halves where there is one among
// them that is refused again, and appends the ids of what is taken.
func (f *Forwarder) again(ctx context.Context, refused []Refused, taken []int64) ([]int64, error) {
	lines := make([]string, len(refused))
	for i, r := range refused {
		lines[i] = r.Line
	}
	err := f.client.Write(ctx, strings.Join(lines, "\n"))
	var no *RefusedError
	switch {
	case err == nil:
		for _, r := range refused {
			taken = append(taken, r.ID)
		}
		return taken, nil
	case !errors.As(err, &no):
		return taken, err
	case len(refused) == 1, no.Sure && no.Dropped == 1+strings.Count(strings.Join(lines, "\n"), "\n"):
		return taken, nil
	}
	middle := len(refused) / 2
	if taken, err = f.again(ctx, refused[:middle], taken); err != nil {
		return taken, err
	}
	return f.again(ctx, refused[middle:], taken)
}
