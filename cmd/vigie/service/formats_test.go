package service

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/seeds"
)

// TestEveryFormatHasItsTopic walks the folders of the formats. A decoder that no topic
// leads to would be written and never called.
func TestEveryFormatHasItsTopic(t *testing.T) {
	called := map[string]bool{}
	for _, decoder := range formats {
		kind := reflect.TypeOf(decoder)
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		called[kind.PkgPath()+"."+kind.Name()] = true
	}
	files, err := filepath.Glob("../../../ingest/formats/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	decodes := regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?(\w+)\) Decode\([^)]*\*ingest\.Batch\)`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range decodes.FindAllStringSubmatch(string(source), -1) {
			found++
			folder := filepath.Base(filepath.Dir(file))
			if !called["vigie/ingest/formats/"+folder+"."+match[1]] {
				t.Errorf("%s: %s decodes, and no topic in formats.go leads to it", file, match[1])
			}
		}
	}
	if found == 0 {
		t.Error("no decoder was found: the test looks in the wrong place")
	}
}

// sampleOf is the message that stands in the folder of a format, under the name of its topic.
func sampleOf(t testing.TB, topic string) []byte {
	t.Helper()
	files, err := filepath.Glob("../../../ingest/formats/*/samples/" + topic + ".*")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v: the samples of %s are %v, want one", err, topic, files)
	}
	sample, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return sample
}

// answered is where the receipts of a device go.
type answered chan []ingest.Receipt

func (answered) Wanted(string) bool                         { return true }
func (a answered) Send(_ string, receipts []ingest.Receipt) { a <- receipts }

// TestEveryFormatBehavesAsOurOwn delivers the sample of each as brokers do: again, retained,
// in a storm, under another's name, and cut. The receipts are those of our own format.
func TestEveryFormatBehavesAsOurOwn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 6, 10, 0, 0, time.UTC)
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	for topic, decoder := range formats {
		t.Run(topic, func(t *testing.T) {
			sample := sampleOf(t, topic)
			var batch ingest.Batch
			decoder.Decode("", "", sample, &batch)
			if len(batch.Readings) != 1 || len(batch.Refused) != 0 {
				t.Fatalf("the sample gives %+v", batch)
			}
			backend, err := openEmbedded(t.TempDir(), nil, shelf)
			if err != nil {
				t.Fatal(err)
			}
			defer backend.store.Close()
			crowd, err := seeds.Crowd(2, now, batch.Readings[0].Measure.ID, "secret")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := backend.registry.Import(t.Context(), &crowd, "a test", now); err != nil {
				t.Fatal(err)
			}
			receipts := make(answered, 64)
			pipeline, err := ingest.New(ingest.Config{Store: backend.store, Formats: formats, Prefix: "vigie/v1", Plans: ingest.Plans(shelf.Protocol),
				Receipts: receipts, Now: func() time.Time { return now }, Limits: ingest.DefaultLimits()})
			if err != nil {
				t.Fatal(err)
			}
			defer pipeline.Close()
			device := seeds.CrowdDevice(0)
			deliver := func(m ingest.Message) string {
				m.Client, m.Received, m.QoS = device, now, 1
				m.Done = func(err error) {
					if err != nil {
						t.Errorf("not acknowledged: %v", err)
					}
				}
				pipeline.Submit(t.Context(), m)
				var told []string
				for _, r := range <-receipts {
					told = append(told, string(r.Verdict))
					for _, reason := range r.Reasons {
						told = append(told, string(reason.Code))
					}
				}
				return strings.Join(told, " ")
			}
			own := ingest.Topic("vigie/v1", device, topic)
			other := ingest.Topic("vigie/v1", seeds.CrowdDevice(1), topic)
			var got []string
			for _, m := range []ingest.Message{
				{Topic: other, Device: seeds.CrowdDevice(1), Payload: sample},
				{Topic: own, Device: device, Payload: sample[:len(sample)/2]},
				{Topic: own, Device: device, Payload: sample},
				{Topic: own, Device: device, Payload: sample},
				{Topic: own, Device: device, Payload: sample, Retained: true},
			} {
				got = append(got, deliver(m))
			}
			for range 20 {
				if verdict := deliver(ingest.Message{Topic: own, Device: device, Payload: sample}); verdict != "duplicate" {
					t.Errorf("in a storm: %s", verdict)
				}
			}
			const want = "set-aside wrong-topic, set-aside malformed, accepted, duplicate, duplicate"
			if strings.Join(got, ", ") != want {
				t.Errorf("%s, want %s", strings.Join(got, ", "), want)
			}
		})
	}
}

// BenchmarkDecode is what a message of each format costs to read.
func BenchmarkDecode(b *testing.B) {
	for topic, decoder := range formats {
		sample := sampleOf(b, topic)
		b.Run(topic, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(sample)))
			for b.Loop() {
				var batch ingest.Batch
				decoder.Decode("", "", sample, &batch)
				if len(batch.Readings) != 1 {
					b.Fatalf("%+v", batch)
				}
			}
		})
	}
}
