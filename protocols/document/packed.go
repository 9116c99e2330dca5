package document

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
)

// Packed is a folder of which each file may be packed by gzip: a released program brings its
// texts so, in a fifth of the room. What is read is the file as it was before.
type Packed struct{ Folder fs.ReadFileFS }

// ReadFile reads a whole file.
func (p Packed) ReadFile(name string) ([]byte, error) {
	content, err := p.Folder.ReadFile(name)
	if err != nil || !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return content, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	if content, err = io.ReadAll(unpacked); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return content, nil
}

// Open opens a file, or a folder.
func (p Packed) Open(name string) (fs.File, error) {
	file, err := p.Folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return p.Folder.Open(name)
	}
	content, err := p.ReadFile(name)
	return unpacked{info, bytes.NewReader(content)}, err
}

// unpacked is a file whose content is at hand.
type unpacked struct {
	info
	*bytes.Reader
}

type info = fs.FileInfo

func (u unpacked) Size() int64                { return u.Reader.Size() }
func (u unpacked) Stat() (fs.FileInfo, error) { return u, nil }
func (unpacked) Close() error                 { return nil }
