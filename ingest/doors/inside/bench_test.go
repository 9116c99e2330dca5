package inside_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"vigie/deploy/usage"
	"vigie/ingest"
	"vigie/ingest/doors/inside"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// publishersVariable makes the test binary a process of publishers, so that what
// the service uses of the processor can be told from what they use.
const publishersVariable = "VIGIE_BENCH_PUBLISHERS"

func TestMain(m *testing.M) {
	if addr := os.Getenv(publishersVariable); addr != "" {
		work := publishers
		if len(os.Args) == 2 {
			work = crowd
		}
		if err := work(addr, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// publishers lets so many devices publish so many blood pressures in all, each
// with so many in flight.
func publishers(addr string, args []string) error {
	var numbers [3]int
	for i, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		numbers[i] = n
	}
	devices, inFlight, count := numbers[0], numbers[1], numbers[2]
	faults := make(chan error, devices)
	for i := range devices {
		go func() { faults <- publisher(addr, fmt.Sprintf("bp-%d", i), inFlight, count/devices) }()
	}
	for range devices {
		if err := <-faults; err != nil {
			return err
		}
	}
	return nil
}

// publisher is one device.
func publisher(addr, device string, inFlight, count int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(connectPacket(device)); err != nil {
		return err
	}
	reader := bufio.NewReaderSize(conn, 4096)
	if _, err := reader.Discard(4); err != nil {
		return fmt.Errorf("connect %s: %w", device, err)
	}
	slots := make(chan struct{}, inFlight)
	read := make(chan error, 1)
	go func() {
		for range count {
			if _, err := reader.Discard(4); err != nil {
				read <- err
				return
			}
			<-slots
		}
		read <- nil
	}()
	writer := bufio.NewWriterSize(conn, 16<<10)
	topic := "vigie/v1/" + device + "/readings"
	began := time.Now().Add(-24 * time.Hour)
	for i := range count {
		select {
		case slots <- struct{}{}:
		default:
			if err := writer.Flush(); err != nil {
				return err
			}
			slots <- struct{}{}
		}
		if _, err := writer.Write(publishPacket(topic, uint16(i%65535+1), pressure(began.Add(time.Duration(i)*time.Second), i))); err != nil {
			return err
		}
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return <-read
}

func connectPacket(device string) []byte {
	var body []byte
	text := func(s string) {
		body = binary.BigEndian.AppendUint16(body, uint16(len(s)))
		body = append(body, s...)
	}
	text("MQTT")
	body = append(body, 4, 0b11000010, 0, 60)
	text(device)
	text(device)
	text("password")
	return append([]byte{0x10, byte(len(body))}, body...)
}

func publishPacket(topic string, id uint16, payload []byte) []byte {
	packet := append(make([]byte, 0, 400), 0x32)
	packet = binary.AppendUvarint(packet, uint64(2+len(topic)+2+len(payload)))
	packet = binary.BigEndian.AppendUint16(packet, uint16(len(topic)))
	packet = append(packet, topic...)
	packet = binary.BigEndian.AppendUint16(packet, id)
	return append(packet, payload...)
}

func pressure(at time.Time, n int) []byte {
	var id [16]byte
	rand.Read(id[:])
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16|7<<12|uint64(id[7]))
	return fmt.Appendf(nil, `{"id":"%x-%x-%x-%x-%x","time":"%s","measure":"blood-pressure","values":{"systolic":%d,"diastolic":81,"pulse":72},"unit":"mmHg","source":"device","context":{"posture":"sitting"},"battery":87}`,
		id[:4], id[4:6], id[6:8], id[8:10], id[10:], at.Format(time.RFC3339Nano), 118+n%7)
}

// BenchmarkDoor takes blood pressures at QoS 1 over TCP from a process of
// publishers to a synced commit and back to their acknowledgement.
func BenchmarkDoor(b *testing.B) {
	for _, c := range []struct{ devices, inFlight int }{{50, 20}, {50, 100}, {1000, 5}} {
		b.Run(fmt.Sprintf("devices=%d,in-flight=%d", c.devices, c.inFlight), func(b *testing.B) { benchmarkDoor(b, c.devices, c.inFlight) })
	}
}

func benchmarkDoor(b *testing.B, devices, inFlight int) {
	s := openBench(b, devices)
	b.ReportAllocs()
	before := usage.Own()
	b.ResetTimer()
	publish := exec.Command(os.Args[0], strconv.Itoa(devices), strconv.Itoa(inFlight), strconv.Itoa(b.N))
	publish.Env = append(os.Environ(), publishersVariable+"="+s.door.Addr().String())
	if out, err := publish.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	b.StopTimer()
	b.ReportMetric(float64(usage.Own()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
	s.close()
	if got := s.door.Figures().Done; got < int64(b.N/devices*devices) {
		b.Errorf("%d of %d were committed", got, b.N)
	}
}

// benched is a service under load.
type benched struct {
	b        *testing.B
	store    *sqlite.Store
	pipeline *ingest.Pipeline
	door     *inside.Door
}

func openBench(b *testing.B, devices int) *benched {
	b.Helper()
	store, err := sqlite.Open(filepath.Join(b.TempDir(), "vigie.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store.Import(context.Background(), manyDevices(devices), "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		b.Fatal(err)
	}
	limits := ingest.DefaultLimits()
	limits.Rate = 0
	pipeline, err := ingest.New(ingest.Config{
		Store: store, Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}}, Prefix: "vigie/v1",
		Plans: ingest.Plans(func(id, version string) *protocols.Protocol { return shipped[id+"@"+version] }),
		Now:   time.Now, Limits: limits,
	})
	if err != nil {
		b.Fatal(err)
	}
	listener, err := inside.Listen("127.0.0.1:0", false)
	if err != nil {
		b.Fatal(err)
	}
	door, err := inside.Open(inside.Options{Listener: listener, Prefix: "vigie/v1", Authenticate: inside.Credentials(store), Offer: pipeline.Offer}, pipeline.Submit)
	if err != nil {
		b.Fatal(err)
	}
	return &benched{b, store, pipeline, door}
}

func (s *benched) close() {
	for _, err := range []error{s.door.Stop(), func() error { s.pipeline.Close(); return nil }(), s.door.Close(), s.store.Close()} {
		if err != nil {
			s.b.Error(err)
		}
	}
}

func manyDevices(count int) *registry.Registry {
	var reg registry.Registry
	secret := registry.HashSecret("password")
	for i := range count {
		patient, device := fmt.Sprintf("p%d", i), fmt.Sprintf("bp-%d", i)
		reg.Patients = append(reg.Patients, registry.Patient{ID: patient})
		reg.Devices = append(reg.Devices, registry.Device{Name: device, Kind: "blood-pressure-monitor", Secret: secret})
		reg.Enrolments = append(reg.Enrolments, registry.Enrolment{ID: "e" + patient, Patient: patient, Protocol: "heart-failure", Version: "11", Zone: "Europe/Paris",
			Devices: []string{device}, Consent: registry.Consent{Given: true, Date: time.Now().AddDate(0, 0, -20), Scope: "all"},
			From: time.Now().AddDate(0, 0, -20), Prescription: time.Now().AddDate(0, 11, 0)})
	}
	return &reg
}

// crowd connects so many devices at once, lets each publish one reading, and
// stays until it is told to go.
func crowd(addr string, args []string) error {
	devices, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	faults := make(chan error, devices)
	done := make(chan struct{})
	for i := range devices {
		go func() { faults <- oneOf(addr, fmt.Sprintf("bp-%d", i), done) }()
	}
	for range devices {
		if err := <-faults; err != nil {
			return err
		}
	}
	fmt.Println("all are answered")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	close(done)
	return err
}

func oneOf(addr, device string, done chan struct{}) error {
	conn, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		return err
	}
	go func() { <-done; conn.Close() }()
	packets := append(connectPacket(device), publishPacket("vigie/v1/"+device+"/readings", 1, pressure(time.Now(), 1))...)
	if _, err := conn.Write(packets); err != nil {
		return err
	}
	var answers [8]byte // CONNACK and PUBACK
	if _, err := io.ReadFull(conn, answers[:]); err != nil {
		return fmt.Errorf("%s: %w", device, err)
	}
	return nil
}

// BenchmarkReconnection lets 10,000 devices connect at once, with a reading each:
// what comes after an outage. It reports how long it takes until the last one is
// answered, and the memory that a connection takes afterwards.
func BenchmarkReconnection(b *testing.B) {
	const devices = 10_000
	if most := openFiles(); most < devices+500 {
		b.Skipf("the limit of open files is %d: raise it above %d", most, devices+500)
	}
	for b.Loop() {
		s := openBench(b, devices)
		before := memory()
		began := time.Now()
		cpu := usage.Own()
		publish := exec.Command(os.Args[0], strconv.Itoa(devices))
		publish.Env = append(os.Environ(), publishersVariable+"="+s.door.Addr().String())
		publish.Stderr = os.Stderr
		in, err := publish.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := publish.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := publish.Start(); err != nil {
			b.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/storm")
		b.ReportMetric(float64(usage.Own()-cpu)/devices, "cpu-ns/device")
		b.ReportMetric(float64(memory()-before)/devices, "B/connection")
		if open := s.door.Figures().Connections; open != devices {
			b.Errorf("%d are connected", open)
		}
		fmt.Fprintln(in)
		if err := publish.Wait(); err != nil {
			b.Error(err)
		}
		s.close()
	}
}

// memory is what is in use of heap and stacks, after a collection.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
