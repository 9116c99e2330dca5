package values

import (
	"errors"

	"vigie/protocols/document"
)

// Where is the path of the field that an error of document.ReadJSON is about; empty for
// the whole.
func Where(err error) string {
	var twice *document.TwiceError
	if errors.As(err, &twice) {
		return twice.Path
	}
	return ""
}
