//go:build !unix

package workspace_test

import "time"

// processor is not counted here: benchmarks print wall time alone.
func processor() time.Duration { return 0 }
