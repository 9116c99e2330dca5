package replay

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each calls work for 0 to n−1, several at a time, until one fails or ctx is
// done. It returns the first error.
func Each(ctx context.Context, workers, n int, work func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range max(1, min(workers, n)) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(i); err != nil {
					stop(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
