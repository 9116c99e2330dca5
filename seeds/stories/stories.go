package stories

import "embed"

// FS holds the stories that ship, one a file.
//
//go:embed *.yaml
var FS embed.FS
