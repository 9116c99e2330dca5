package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"vigie/ingest"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Opened is an archive that was held against its manifest.
type Opened struct {
	*Manifest
	zip *zip.ReadCloser
}

// Open reads the manifest of an archive and holds every file against it. The caller
// closes the archive.
func Open(file string) (*Opened, error) {
	in, err := zip.OpenReader(file)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	m, err := check(&in.Reader)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", file, err), in.Close())
	}
	return &Opened{m, in}, nil
}

// Close closes the file.
func (o *Opened) Close() error { return o.zip.Close() }

// Holds reports whether the archive has a file of that name.
func (o *Opened) Holds(name string) bool {
	return slices.ContainsFunc(o.Files, func(f File) bool { return f.Name == name })
}

// Read reads one file of the archive.
func (o *Opened) Read(name string) ([]byte, error) { return read(&o.zip.Reader, name) }

func check(in *zip.Reader) (*Manifest, error) {
	text, err := read(in, manifestFile)
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", manifestFile, err)
	}
	if m.Format != Format {
		return nil, fmt.Errorf("it is a %q, and this version reads %q", m.Format, Format)
	}
	for _, f := range m.Files {
		text, err := read(in, f.Name)
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("%s is not what the manifest says: the archive was changed or is damaged; ask for it again", f.Name)
		}
	}
	for _, f := range in.File {
		known := func(a File) bool { return a.Name == f.Name }
		if f.Name != manifestFile && !slices.ContainsFunc(m.Files, known) {
			return nil, fmt.Errorf("%s is not in the manifest: the archive was changed", f.Name)
		}
	}
	return m, nil
}

// largestArchived bounds a file of an archive: a year of a glucose sensor is 40 MB.
const largestArchived = 1 << 30

// read reads one file of an archive.
func read(in *zip.Reader, name string) (text []byte, err error) {
	file, err := in.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the archive holds no %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, largestArchived+1))
	if err == nil && len(text) > largestArchived {
		err = fmt.Errorf("%s is larger than %d bytes", name, largestArchived)
	}
	return text, err
}

// Decoder reads what devices send.
type Decoder interface {
	Decode(topic, device string, payload []byte, to *ingest.Batch)
}

// Readings are the readings of an archive by device, in the order of time, and how
// many of them were struck out. decoder reads what devices send.
func (o *Opened) Readings(decoder Decoder, now time.Time) (byDevice map[string][]protocols.Reading, struck int, err error) {
	text, err := o.Read("readings.json")
	if err != nil {
		return nil, 0, err
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, 0, fmt.Errorf("read readings.json: %w", err)
	}
	batches := map[string]*ingest.Batch{}
	for _, one := range all {
		var of map[string]json.RawMessage
		var about struct {
			Device string `json:"device"`
			Struck bool   `json:"struck"`
		}
		if err := errors.Join(json.Unmarshal(one, &about), document.ReadJSON(one, &of, false)); err != nil {
			return nil, 0, fmt.Errorf("read readings.json: %w", err)
		}
		if about.Struck {
			struck++
			continue
		}
		delete(of, "device") // a device does not say its own name
		sent, err := json.Marshal(of)
		if err != nil {
			return nil, 0, err
		}
		if batches[about.Device] == nil {
			batches[about.Device] = &ingest.Batch{}
		}
		decoder.Decode("", about.Device, sent, batches[about.Device])
	}
	byDevice = map[string][]protocols.Reading{}
	origin := &protocols.Origin{Batch: ingest.BatchName(now)}
	for device, batch := range batches {
		if len(batch.Refused) > 0 {
			return nil, 0, fmt.Errorf("readings.json: %d readings of %s cannot be read: %s", len(batch.Refused), device, batch.Refused[0].Reasons[0].Code)
		}
		for i := range batch.Readings {
			batch.Readings[i].Patient, batch.Readings[i].Origin = o.Patient, origin
		}
		byDevice[device] = batch.Readings
	}
	return byDevice, struck, nil
}
