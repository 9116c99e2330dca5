package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/deploy/load"
	"vigie/deploy/usage"
)

// What the service takes while nearly all of its devices only stay connected, and what
// that is to be at most: a hundredth of a core.
const (
	restFor     = 25 * time.Second
	restSettled = 5 * time.Second // until what connecting has left behind is collected
	restAlive   = time.Minute     // from one sign of life of a device to its next
	restGoal    = 1.0             // % of a core
)

// rest measures what connected devices cost that send nothing but signs of life, and then
// next to nothing.
func (b *bench) rest(ctx context.Context) error {
	const silent, few = 0.001, 10 // readings a second of all of them
	for _, rate := range []float64{silent, few} {
		if err := b.quiet(ctx, func(v *vigie) error { return b.restOf(ctx, v, rate) }); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(b.Out)
	return err
}

func (b *bench) restOf(ctx context.Context, v *vigie, rate float64) error {
	pid := v.command.Process.Pid
	var failed error
	var from, to, first, last time.Duration // on the clock, and of the processor
	result, err := load.Run(ctx, load.Options{Broker: v.broker, Devices: publishers(together), Measure: measure,
		Rate: rate, Duration: restFor, KeepAlive: restAlive,
		Progress: func(_ int64, since time.Duration) {
			used, err := usage.Processor(pid)
			failed = errors.Join(failed, err)
			if since < restSettled || err != nil {
				return
			}
			if from == 0 {
				from, first = since, used
			}
			to, last = since, used
		}})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if result.Failed > 0 || result.Pongs == 0 || to <= from {
		return fmt.Errorf("%d of %d devices could not stay connected; %d signs of life were answered", result.Failed, together, result.Pongs)
	}
	_, err = fmt.Fprintf(b.Out, "%d devices connected, %.0f signs of life and %.0f readings a second of all of them: %.1f %% of a core (goal < %.0f)\n",
		together, float64(together)/restAlive.Seconds(), rate, 100*float64(last-first)/float64(to-from), restGoal)
	return err
}
