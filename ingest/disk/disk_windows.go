package disk

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// shield gives a folder an access list of its own, which what is made in it
// inherits. A disk without access lists is left to Exposed.
func shield(folder string) error {
	if !keepsLists(folder) {
		return nil
	}
	return allow(folder, "OICI")
}

// shieldFile is shield for one file.
func shieldFile(path string) error {
	if !keepsLists(path) {
		return nil
	}
	return allow(path, "")
}

// enclose is shieldFile.
func enclose(path string) error { return shieldFile(path) }

// allow lets in who runs this program, the system and its administrators, and nobody
// by inheritance. The last two can read every file anyway, as root can on Unix.
func allow(path, inherit string) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("ask who runs this program: %w", err)
	}
	list := "D:P"
	for _, who := range []string{user.User.Sid.String(), "SY", "BA"} {
		list += fmt.Sprintf("(A;%s;FA;;;%s)", inherit, who)
	}
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		return fmt.Errorf("write the access list %s: %w", list, err)
	}
	dacl, _, err := descriptor.DACL()
	if err != nil {
		return fmt.Errorf("write the access list %s: %w", list, err)
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, what, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("set the access list of %s: %w", path, err)
	}
	return nil
}

// exposed looks for an access list of its own on a file or its folder.
func exposed(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if !keepsLists(path) {
		return fmt.Errorf("%w: the disk of %s keeps no access lists; move the folder to another disk", ErrExposed, path)
	}
	for _, place := range []string{path, filepath.Dir(path)} {
		descriptor, err := windows.GetNamedSecurityInfo(place, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			return fmt.Errorf("read the access list of %s: %w", place, err)
		}
		control, _, err := descriptor.Control()
		if err != nil {
			return fmt.Errorf("read the access list of %s: %w", place, err)
		}
		if control&windows.SE_DACL_PROTECTED != 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %s inherits the access list of the folders above it; choose a new folder, or take the inheritance away", ErrExposed, filepath.Dir(path))
}

// keepsLists reports whether the disk of a file keeps access lists.
func keepsLists(path string) bool {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false
	}
	root := make([]uint16, windows.MAX_LONG_PATH)
	if err := windows.GetVolumePathName(name, &root[0], uint32(len(root))); err != nil {
		return false
	}
	var flags uint32
	err = windows.GetVolumeInformation(&root[0], nil, 0, nil, nil, &flags, nil, 0)
	return err == nil && flags&windows.FILE_PERSISTENT_ACLS != 0
}

// move renames a file, and returns once the new name is on the disk.
func move(from, to string) error {
	failed := func(err error) error { return &os.LinkError{Op: "rename", Old: from, New: to, Err: err} }
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return failed(err)
	}
	next, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return failed(err)
	}
	if err := windows.MoveFileEx(old, next, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return failed(err)
	}
	return nil
}

// syncFolder has nothing to do: move has waited for the name.
func syncFolder(string) error { return nil }
