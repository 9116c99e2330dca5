package service

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/cmd/vigie/config"
	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/ingest/formats/gateway"
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

// together says in one message what several have said, where a format has a way to.
var together = map[string]func(parts [][]byte) []byte{
	"readings": asList, "gatt": asList, "openmhealth": asList, "nightscout": asList, "thingsboard": asList,
	"senml": func(parts [][]byte) []byte { // records, whichever pack they are of
		for i := range parts {
			parts[i] = bytes.Trim(parts[i], "[]")
		}
		return asList(parts)
	},
	"senml-cbor": func(parts [][]byte) []byte { // of one record each, behind the head of its array
		all := []byte{0x98, byte(len(parts))}
		for _, part := range parts {
			all = append(all, part[1:]...)
		}
		return all
	},
	"fhir": func(parts [][]byte) []byte {
		for i := range parts {
			parts[i] = fmt.Appendf(nil, `{"resource":%s}`, parts[i])
		}
		return fmt.Appendf(nil, `{"resourceType":"Bundle","type":"collection","entry":%s}`, asList(parts))
	},
	"thingsboard-gateway": func(parts [][]byte) []byte { // one device's list
		name, _, _ := bytes.Cut(parts[0], []byte(":"))
		for i := range parts {
			parts[i] = bytes.TrimSuffix(bytes.TrimPrefix(parts[i], append(name, ":["...)), []byte("]}"))
		}
		return slices.Concat(name, []byte(":"), asList(parts), []byte("}"))
	},
}

func asList(parts [][]byte) []byte {
	return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]"))
}

// BenchmarkFormats is what a message costs to read, of each format and of each gateway that
// ships: of one reading, and of a hundred where the format takes several. It reports the
// processor time of a message, and of a reading in it.
func BenchmarkFormats(b *testing.B) {
	mappings, err := Gateways(config.Topics{Prefix: "vigie/v1", Gateways: gateway.IDs(), GatewayZone: "Europe/Paris"})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range speakers(b, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) {
		read := func(payload []byte, batch *ingest.Batch) { formats[s.format].Decode(s.topic, s.device, payload, batch) }
		if at := slices.IndexFunc(mappings, func(g ingest.Gateway) bool { return g.Owns(s.topic) }); at >= 0 {
			read = func(payload []byte, batch *ingest.Batch) { mappings[at].Read(s.topic, payload, batch) }
		}
		b.Run(s.format+"/1", func(b *testing.B) { benchmarkFormat(b, s.say(0), 1, read) })
		if together[s.format] != nil {
			const many = 100
			var parts [][]byte
			for n := range many {
				parts = append(parts, s.say(n))
			}
			b.Run(s.format+"/100", func(b *testing.B) { benchmarkFormat(b, together[s.format](parts), many, read) })
		}
	}
}

func benchmarkFormat(b *testing.B, payload []byte, readings int, read func(payload []byte, batch *ingest.Batch)) {
	b.ReportAllocs()
	before := usage.Own()
	for b.Loop() {
		var batch ingest.Batch
		read(payload, &batch)
		if len(batch.Readings) != readings || len(batch.Refused) > 0 {
			b.Fatalf("%d readings, refused %+v", len(batch.Readings), batch.Refused)
		}
	}
	spent := float64(usage.Own()-before) / float64(b.N)
	b.ReportMetric(spent, "cpu-ns/op")
	b.ReportMetric(spent/float64(readings), "cpu-ns/reading")
}
