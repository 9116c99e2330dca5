package inside_test

import "math"

// openFiles is how many files this process may have open: Windows sets no limit of
// its own.
func openFiles() uint64 { return math.MaxUint64 }
