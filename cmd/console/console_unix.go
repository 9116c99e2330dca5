//go:build unix

package console

import "os"

// escapes holds of every terminal that is in use.
func escapes(*os.File) bool { return os.Getenv("TERM") != "dumb" }

func clicked() bool { return false }
