// Crash shows that what a device was told is kept, is kept, whatever
// happens: it makes the faults happen to a real service and counts.
//
// Devices publish what a ward measures and count their own acknowledgements; a
// mail server and a webhook note what they confirm. Afterwards the store must hold
// each acknowledged reading, once; its alerts must be those of an undisturbed run
// over the same readings; and each message to people must have come once, or once
// more for each time the service was killed between its being confirmed and its
// being noted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// options say what to do.
type options struct {
	Vigie  string // path of the program under test
	Moved  string // and of the one whose clock moves
	Quick  bool   // a few of each
	Load   bool   // what the service does with more than it can take, instead of faults
	Only   string // only what has this in its name
	Kills  int    // how often a service is killed in all; 100 when 0, 6 when Quick
	Folder string // for the stores; a temporary one when empty
	Out    io.Writer
}

// errBroken is returned when something was lost, doubled, missed or repeated.
var errBroken = errors.New("a promise was broken")

// bench is one run of the crash test.
type bench struct {
	options   options
	folder    string
	protocols string // folder with that of the ward
	people    *people
	out       io.Writer
	trials    int
	expected  map[*ward]*record
}

// row is what the table says of one fault.
type row struct {
	counts
	fault string
	times int
	note  string
}

// errSkipped is wrapped when this machine does not have what a fault needs.
var errSkipped = errors.New("skipped")

// fault is something that happens to a service.
type fault struct {
	name  string
	quick bool // it is part of a quick run
	run   func(*bench, context.Context) (row, error)
}

// run makes every fault happen, prints a table and, last of all, the sums.
func run(ctx context.Context, options options) error {
	if options.Kills == 0 {
		options.Kills = 100
		if options.Quick {
			options.Kills = 6
		}
	}
	folder, err := os.MkdirTemp(options.Folder, "vigie-crash-")
	if err != nil {
		return fmt.Errorf("make a folder for the stores: %w", err)
	}
	defer os.RemoveAll(folder)
	b := &bench{options: options, folder: folder, out: options.Out, expected: map[*ward]*record{}}
	if b.protocols, err = protocolFolder(folder); err != nil {
		return err
	}
	if b.people, err = newPeople(); err != nil {
		return err
	}
	defer b.people.close()
	return b.run(ctx)
}

func (b *bench) run(ctx context.Context) error {
	var rows []row
	var failed []error
	all := faults
	if b.options.Load {
		all = pressures
	}
	for _, f := range all {
		if b.options.Quick && !f.quick || !strings.Contains(f.name, b.options.Only) {
			continue
		}
		began := time.Now()
		r, err := f.run(b, ctx)
		r.fault = f.name
		if err == nil && r.times == 0 {
			err = errors.New("the fault did not happen: this shows nothing")
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errSkipped):
			r.note = err.Error()
		case err != nil:
			r.note = "failed"
			failed = append(failed, fmt.Errorf("%s: %w", f.name, err))
		}
		rows = append(rows, r)
		fmt.Fprintf(b.out, "%-44s %5.1f s\n", f.name, time.Since(began).Seconds())
	}
	sum := b.table(rows)
	for _, err := range failed {
		fmt.Fprintf(b.out, "%v\n", err)
	}
	// The sums are the last line; what could not be judged counts as lost.
	sum.lost += len(failed)
	fmt.Fprintf(b.out, "lost=%d doubled=%d missed=%d repeated=%d\n", sum.lost, sum.doubled, sum.missed, sum.repeated)
	if !sum.clean() {
		return errBroken
	}
	return nil
}

func (b *bench) table(rows []row) (sum counts) {
	fmt.Fprintln(b.out)
	table := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "fault\ttimes\tacknowledged\tlost\tdoubled\tmissed\trepeated\t")
	for _, r := range rows {
		sum.add(r.counts)
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.fault, r.times, r.acknowledged, r.lost, r.doubled, r.missed, r.repeated, strings.TrimSpace(r.note))
	}
	// What cannot be written to the terminal is not worth a word there.
	_ = table.Flush()
	return sum
}
