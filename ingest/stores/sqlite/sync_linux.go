package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// SQLite calls fdatasync on Linux where it is told that there is one, and the library was
// not told: it calls fsync, which writes the inode as well, for the time of the last
// change. On most file systems that is another write of the disk, which every commit then
// waits for. The layer below SQLite is therefore registered once more, with that one
// function in the place of its own.

// syncData has every file that is opened from now on synced so.
var syncData = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	system := layer(lib.Xsqlite3_vfs_find(tls, 0))
	name, err := libc.CString("unix-datasync")
	if err != nil {
		return fmt.Errorf("name the layer below SQLite: %w", err)
	}
	place := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*system)))
	if place == 0 {
		return errors.New("register the layer below SQLite: there is no memory")
	}
	ours := layer(place)
	*ours = *system
	ours.FpNext, ours.FzName = 0, name
	ours.FxOpen = function(openSynced)
	below.open = system.FxOpen
	const theDefault = 1
	if code := lib.Xsqlite3_vfs_register(tls, place, theDefault); code != lib.SQLITE_OK {
		return fmt.Errorf("register the layer below SQLite: code %d", code)
	}
	return nil
})

// below is what the system's own layer does.
var below struct {
	open    uintptr
	mu      sync.Mutex
	methods map[uintptr]uintptr // of files of one kind: where ours stand, by where its own do
}

// openSynced is xOpen of the layer.
func openSynced(tls *libc.TLS, vfs, name, file uintptr, flags int32, given uintptr) int32 {
	code := call[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](below.open)(tls, vfs, name, file, flags, given)
	if opened := fileAt(file); code == lib.SQLITE_OK && opened.FpMethod != 0 {
		opened.FpMethod = syncing(tls, opened.FpMethod)
	}
	return code
}

// syncing finds what stands for the methods of the system's layer.
func syncing(tls *libc.TLS, system uintptr) uintptr {
	below.mu.Lock()
	defer below.mu.Unlock()
	if known, ok := below.methods[system]; ok {
		return known
	}
	own := *(**lib.Tsqlite3_io_methods)(unsafe.Pointer(&system))
	place := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*own)))
	if place == 0 {
		return system // synced as before
	}
	ours := *(**lib.Tsqlite3_io_methods)(unsafe.Pointer(&place))
	*ours = *own
	ours.FxSync = function(func(tls *libc.TLS, file uintptr, flags int32) int32 {
		return syncFile(tls, file, flags, own.FxSync)
	})
	if below.methods == nil {
		below.methods = map[uintptr]uintptr{}
	}
	below.methods[system] = place
	return place
}

// syncFile is xSync of the layer. What has failed is not tried again: the system tells of
// it once.
func syncFile(tls *libc.TLS, file uintptr, flags int32, system uintptr) int32 {
	opened := fileAt(file)
	if opened.FctrlFlags&lib.UNIXFILE_DIRSYNC != 0 { // its folder is to be synced as well
		return call[func(*libc.TLS, uintptr, int32) int32](system)(tls, file, flags)
	}
	if err := unix.Fdatasync(int(opened.Fh)); err != nil {
		return lib.SQLITE_IOERR_FSYNC
	}
	return lib.SQLITE_OK
}

func layer(at uintptr) *lib.Tsqlite3_vfs { return *(**lib.Tsqlite3_vfs)(unsafe.Pointer(&at)) }

func fileAt(at uintptr) *lib.TunixFile { return *(**lib.TunixFile)(unsafe.Pointer(&at)) }

// function is a Go function as the library keeps one, and call is the other way round.
func function[F any](f F) uintptr {
	kept := &f // what is behind the address is never collected, as it is kept below
	functions = append(functions, kept)
	return **(**uintptr)(unsafe.Pointer(&kept))
}

func call[F any](function uintptr) F { return *(*F)(unsafe.Pointer(&function)) }

var functions []any
