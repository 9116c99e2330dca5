//go:build unix

package disk

import (
	"errors"
	"fmt"
	"os"
)

// shield has nothing to do: the folder was made with its mode.
func shield(string) error { return nil }

// shieldFile has nothing to do: the file was made with its mode.
func shieldFile(string) error { return nil }

// enclose leaves a file to its owner.
func enclose(path string) error { return os.Chmod(path, 0o600) }

// exposed looks at the mode of a file. A memory card with FAT keeps none.
func exposed(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: the mode of %s is %04o; set it to 0600, or move the folder to a disk that keeps modes", ErrExposed, path, mode)
	}
	return nil
}

// move renames a file.
func move(from, to string) error { return os.Rename(from, to) }

// syncFolder brings the names in a folder to the disk.
func syncFolder(folder string) error {
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
