package document_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"vigie/protocols/document"
)

func TestAPackedFileReadsAsItWas(t *testing.T) {
	const text = "id: water\nversion: \"1\"\n"
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	folder := document.Packed{Folder: fstest.MapFS{"packed.yaml": {Data: packed.Bytes()}, "plain.yaml": {Data: []byte(text)}, "torn.yaml": {Data: packed.Bytes()[:20]}}}
	for _, name := range []string{"packed.yaml", "plain.yaml"} {
		if read, err := fs.ReadFile(folder, name); err != nil || string(read) != text {
			t.Errorf("%s reads as %q, %v", name, read, err)
		}
		file, err := folder.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if read, failed := io.ReadAll(file); err != nil || failed != nil || string(read) != text || info.Size() != int64(len(text)) || info.Name() != name {
			t.Errorf("%s opens as %q of %d bytes, %v, %v", name, read, info.Size(), err, failed)
		}
	}
	if _, err := folder.ReadFile("torn.yaml"); err == nil {
		t.Error("half a packed file is read")
	}
	if _, err := folder.Open("none.yaml"); err == nil {
		t.Error("a file that is not there is opened")
	}
	if names, err := fs.Glob(folder, "p*.yaml"); err != nil || len(names) != 2 {
		t.Errorf("the folder lists %q, %v", names, err)
	}
}
