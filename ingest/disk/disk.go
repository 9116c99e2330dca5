// Package disk puts files of the data folder on the disk: whole, flushed, and for
// their owner alone. What one system needs and another has not is here and nowhere
// else; a test keeps flushing and renaming out of the other packages.
//
//   - A file is flushed through a handle that may write: Windows refuses any other.
//   - A folder is flushed after a rename on Unix. On Windows the rename itself waits
//     for the disk.
//   - No open file is renamed, and none is renamed over: Windows refuses both.
//   - A file is for its owner alone by its mode on Unix, and by the access list of its
//     folder on Windows.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrExposed is wrapped when others on this machine may read a file. The sentence
// around it says why.
var ErrExposed = errors.New("others on this machine may read it")

// Make makes a folder that nobody but its owner may look into, with the folders
// above it. A folder that is there stays as its owner set it; on Windows an empty one
// gets its access list.
func Make(folder string) error {
	entries, err := os.ReadDir(folder)
	if err == nil && len(entries) > 0 {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return shield(folder)
}

// Exposed returns an error that wraps ErrExposed when others on this machine may read
// a file that was made here.
func Exposed(path string) error { return exposed(path) }

// Enclose takes from everybody but its owner what they may do with a file that an older
// version made. It reports whether there was anything to take; a file that is not there
// has nothing.
func Enclose(path string) (changed bool, err error) {
	before := Exposed(path)
	if before == nil || errors.Is(before, fs.ErrNotExist) {
		return false, nil
	}
	if err := enclose(path); err != nil {
		return false, errors.Join(before, err)
	}
	return true, Exposed(path)
}

// Begin makes an empty file that nobody but its owner may read, where there is none.
func Begin(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// Write writes a file that nobody but its owner may read, in place of what is there.
// After a power cut the file holds the former content or the new one, whole.
func Write(path string, data []byte) (err error) {
	partial := path + ".partial"
	if err := os.WriteFile(partial, data, 0o600); err != nil {
		return err
	}
	if err := Settle(partial, path); err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return nil
}

// Create makes a new file that nobody but its owner may read, also outside the data
// folder, and refuses one that is there. The caller closes it with Finish, and may ask
// Exposed.
func Create(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := shieldFile(path); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(path))
	}
	return file, nil
}

// Finish brings a file that was created to the disk and closes it.
func Finish(file *os.File) error {
	return errors.Join(file.Sync(), file.Close(), syncFolder(filepath.Dir(file.Name())))
}

// Settle brings a closed file to the disk and gives it its name, both for good.
func Settle(partial, path string) error {
	if err := flush(partial); err != nil {
		return fmt.Errorf("bring %s to the disk: %w", partial, err)
	}
	if err := rename(partial, path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("bring the name of %s to the disk: %w", path, err)
	}
	return nil
}

// rename is a variable so that a test can look at what it is given.
var rename = move

// flush brings what a file holds to the disk.
func flush(path string) error {
	file, err := openToFlush(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// openToFlush opens a file so that every system flushes it.
func openToFlush(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// Portable returns an error when some system cannot have a file of that name: Windows
// forbids some characters, some endings, and the names of its devices.
func Portable(name string) error {
	if name == "" {
		return errors.New("a file needs a name")
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) }); i >= 0 {
		return fmt.Errorf("%q holds %q, which Windows forbids in a name", name, name[i:i+1])
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return fmt.Errorf("%q ends with a point or a space, which Windows drops", name)
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return fmt.Errorf("%q is the name of a device on Windows", name)
	}
	if number, ok := strings.CutPrefix(stem, "COM"); ok && port(number) {
		return fmt.Errorf("%q is the name of a device on Windows", name)
	}
	if number, ok := strings.CutPrefix(stem, "LPT"); ok && port(number) {
		return fmt.Errorf("%q is the name of a device on Windows", name)
	}
	return nil
}

// port reports whether a text is what follows COM or LPT: one digit, or one of the
// three that Latin-1 writes high.
func port(number string) bool {
	return len([]rune(number)) == 1 && strings.ContainsAny(number, "0123456789¹²³")
}
