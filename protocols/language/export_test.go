package language

import "pgregory.net/rapid"

// DrawWritten draws a protocol as files hold them, for tests of what reads them with others.
var DrawWritten = drawWritten

// Dice draws by the test.
func Dice(t *rapid.T) dice { return dice{t} }
