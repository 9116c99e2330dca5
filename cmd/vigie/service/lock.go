package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrRunning is returned when another process serves the same folder.
var ErrRunning = errors.New("a service is running on this store")

// lockFolder keeps a second service off an embedded store: evaluation lives in
// the memory of one process. The lock ends with the process, however it ends.
func lockFolder(folder string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "vigie.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder of the store (data): %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w (%s): stop it first, or choose another folder with data", ErrRunning, folder), file.Close())
	}
	return file, nil
}
