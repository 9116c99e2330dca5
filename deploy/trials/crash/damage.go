package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	zombiezen "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts"
	"vigie/ingest/stores/sqlite"
	"vigie/protocols"
)

// damaged is a store in which something is damaged on purpose, again and again.
type damaged struct {
	*trial
	file   []byte            // the store as it was
	holds  map[string]string // what is read of it
	copies int
}

// toDamage lets a ward live, and stops the service.
func (b *bench) toDamage(ctx context.Context) (*damaged, error) {
	t, err := b.newTrial(ctx, b.wardFor(3))
	if err != nil {
		return nil, err
	}
	d := &damaged{trial: t}
	_, err = t.live(ctx)
	if err == nil {
		err = t.node.stop()
	}
	t.crowd.close()
	if err == nil {
		d.file, err = os.ReadFile(filepath.Join(t.folder, "vigie.db"))
	}
	if err == nil {
		d.holds, _, err = d.served(ctx, t.folder)
	}
	if err == nil && len(d.holds) < t.ward.readings() {
		err = fmt.Errorf("%d things are kept of %d readings", len(d.holds), t.ward.readings())
	}
	return d, err
}

// copied writes the store, as it is in memory, into a folder of its own.
func (d *damaged) copied() (folder string, err error) {
	d.copies++
	folder = filepath.Join(d.folder, fmt.Sprintf("copy-%d", d.copies))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "vigie.db"), d.file, 0o600)
}

// served is what the store of a folder serves, and whether it says that something
// is wrong with it.
func (d *damaged) served(ctx context.Context, folder string) (holds map[string]string, told bool, err error) {
	holds = map[string]string{}
	store, err := sqlite.Open(filepath.Join(folder, "vigie.db"), sqlite.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return holds, true, nil
	}
	say := func(err error) { told = told || err != nil }
	for _, patient := range d.ward.registry.Patients {
		say(store.History(ctx, patient.ID, nil, time.Time{}, d.ward.begin.AddDate(1, 0, 0), func(r *protocols.Reading) bool {
			holds["reading "+r.Device+"/"+r.ID+" "+r.Time.Format(time.RFC3339Nano)] = fmt.Sprint(r.Patient, r.Measure.ID, r.Values)
			return true
		}))
	}
	list, err := store.Alerts(ctx, alerts.Filter{Limit: alerts.MaxLimit})
	say(err)
	for i := range list {
		if a := &list[i]; a.Title != alerts.Damaged(*a).Title {
			holds["alert "+a.ID] = fmt.Sprintf("%+v", *a)
		}
	}
	events, err := store.EventsAfter(ctx, 0, 100_000)
	say(err)
	for i := range events {
		holds[fmt.Sprint("event ", events[i].Seq)] = fmt.Sprintf("%+v", events[i])
	}
	told = told || len(store.Damaged()) > 0
	return holds, told, store.Close()
}

// check holds what a damaged copy serves to what was written. Nothing else is served, and
// what is missing is told: when it is read, or by "vigie check --store".
func (d *damaged) check(ctx context.Context, j *judge, what string) (told bool, err error) {
	folder, err := d.copied()
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	holds, told, err := d.served(ctx, folder)
	if err != nil {
		return told, err
	}
	missing := 0
	for name, was := range d.holds {
		if holds[name] == "" {
			missing++
		} else if holds[name] != was {
			j.lost++
			j.says("%s: %s is served otherwise: %s instead of %s", what, name, holds[name], was)
		}
	}
	for name := range holds {
		if d.holds[name] == "" {
			j.doubled++
			j.says("%s: %s is served, and nobody wrote it", what, name)
		}
	}
	if told {
		return true, nil
	}
	told, said, err := d.checked(ctx, folder)
	if err == nil && missing > 0 && !told {
		j.lost += missing
		j.says("%s: %d things are missing without a word: %s", what, missing, said)
	}
	return told, err
}

// checked reports whether "vigie check --store" says that something is wrong.
func (d *damaged) checked(ctx context.Context, folder string) (told bool, said string, err error) {
	command := exec.CommandContext(ctx, d.bench.options.Vigie, "check", "--store", "--data", folder)
	command.Env = append(command.Environ(), "VIGIE_PROTOCOLS_FOLDERS="+d.bench.protocols)
	out, err := command.CombinedOutput()
	var status *exec.ExitError
	if errors.As(err, &status) && status.Exited() {
		return true, string(out), nil
	}
	return false, string(out), err
}

// bitsFlip flips one bit after another, each in a store that is else as it was.
func bitsFlip(b *bench, ctx context.Context) (r row, err error) {
	d, err := b.toDamage(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	j := &judge{out: b.out}
	j.acknowledged = d.ward.readings()
	flips, told := max(20, b.options.Kills), 0
	for range flips {
		at := rand.IntN(len(d.file))
		for d.file[at] == 0 { // mostly room that nothing is in yet
			at = rand.IntN(len(d.file))
		}
		bit := byte(1) << rand.IntN(8)
		d.file[at] ^= bit
		known, err := d.check(ctx, j, fmt.Sprintf("bit %#x of byte %d", bit, at))
		d.file[at] ^= bit
		if err != nil {
			return r, err
		}
		if known {
			told++
		}
	}
	if told == 0 {
		return r, errors.New("no flip was told: this shows nothing")
	}
	return row{counts: j.counts, times: flips, note: fmt.Sprintf("%d told, %d changed nothing", told, flips-told)}, nil
}

// pagesDamaged overwrites a page of each table, or of an index of it, in turn, and starts
// the service on what is left. It says what is wrong; what it acknowledges all the same
// is kept.
func pagesDamaged(b *bench, ctx context.Context) (r row, err error) {
	d, err := b.toDamage(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	groups, size, err := d.pages(ctx)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	j.acknowledged = d.ward.readings()
	told, refused, started := 0, 0, 0
	for _, table := range slices.Sorted(maps.Keys(groups)) {
		pages := groups[table]
		at := (pages[rand.IntN(len(pages))] - 1) * size
		was := slices.Clone(d.file[at : at+size])
		for i := range was {
			d.file[at+i] = byte(rand.IntN(256))
		}
		known, err := d.check(ctx, j, "a page of "+table)
		if err == nil && (!b.options.Quick || rand.IntN(8) == 0 || started == 0) {
			var starts bool
			started++
			starts, err = d.goesOn(ctx, j, "a page of "+table)
			if !starts {
				refused++
			}
		}
		copy(d.file[at:], was)
		if err != nil {
			return r, err
		}
		if !known {
			j.lost++
			j.says("a page of %s is overwritten, and nothing is said", table)
			continue
		}
		told++
	}
	return row{counts: j.counts, times: len(groups), note: fmt.Sprintf("%d told; the service was started on %d, said on %d of these why it does not, and went on with the others", told, started, refused)}, nil
}

// goesOn starts the service on a damaged copy, and has the devices publish their lives
// once more. It reports false when the service does not start, and says why. What it
// acknowledges has to be kept, or told as damaged.
func (d *damaged) goesOn(ctx context.Context, j *judge, what string) (starts bool, err error) {
	folder, err := d.copied()
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(folder)
	n := &node{command: d.node.command, page: d.node.page, env: append(slices.Clone(d.node.env), "VIGIE_DATA="+folder)}
	if err := n.start(); err != nil {
		if n.log() == "" {
			j.lost++
			j.says("%s: the service does not start, and says nothing", what)
		}
		return false, n.end()
	}
	again := newCrowd(ctx, d.ward, window, d.crowd.address)
	again.allow(1, 1)
	for before := int64(-1); again.acked.Load() > before && int(before) < d.ward.readings(); { // a device may be refused: its patient cannot be read
		before = again.acked.Load()
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return true, err
		}
	}
	again.close()
	if err := n.kill(); err != nil {
		return true, err
	}
	holds, told, err := d.served(ctx, folder)
	if err == nil && !told {
		told, _, err = d.checked(ctx, folder)
	}
	if err != nil {
		return true, err
	}
	kept := map[string]int{}
	for name, is := range holds {
		if was := d.holds[name]; strings.HasPrefix(name, "reading ") && was != is {
			j.doubled++
			j.says("%s: afterwards %s is %q instead of %q", what, name, is, was)
		}
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "reading "), " ")
		kept[name]++
	}
	again.acknowledged(func(device, id string) {
		if kept[device+"/"+id] == 0 && !told {
			j.lost++
			j.says("%s: %s/%s was acknowledged afterwards and is not kept", what, device, id)
		}
	})
	return true, nil
}

// pages are the numbers of the leaves of each table and its indexes that hold
// something, and the size of a page.
func (d *damaged) pages(ctx context.Context) (groups map[string][]int, size int, err error) {
	groups = map[string][]int{}
	err = d.read(func(store *sqlite.Store) error {
		return store.Read(ctx, func(conn *zombiezen.Conn) error {
			return sqlitex.Execute(conn, "SELECT coalesce(m.tbl_name, s.name), s.pageno, s.pgsize FROM dbstat s LEFT JOIN sqlite_schema m USING (name) WHERE s.pagetype = 'leaf' AND s.ncell > 0",
				&sqlitex.ExecOptions{ResultFunc: func(row *zombiezen.Stmt) error {
					table := row.ColumnText(0)
					if strings.HasPrefix(table, "sqlite_") {
						return nil
					}
					groups[table], size = append(groups[table], row.ColumnInt(1)), row.ColumnInt(2)
					return nil
				}})
		})
	})
	if err == nil && len(groups) == 0 {
		err = errors.New("the store has no pages: this shows nothing")
	}
	return groups, size, err
}
