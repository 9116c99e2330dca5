package service

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrRunning is returned when another process serves the same folder.
var ErrRunning = errors.New("a service is running on this store")

// lockFolder keeps a second service off an embedded store: evaluation lives in
// the memory of one process. The lock ends with the process, however it ends.
func lockFolder(folder string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(folder, "vigie.lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the store (data): %w", err)
	}
	if !held {
		return nil, fmt.Errorf("%w (%s): stop it first, or choose another folder with data", ErrRunning, folder)
	}
	return lock, nil
}
