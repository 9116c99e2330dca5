// Package systems lists the systems that Vigie is for. The release, the table of what
// builds where, and the tests walk this list.
package systems

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// System is an operating system on a processor, as Go names them.
type System struct {
	OS   string // "linux"
	Arch string // "amd64"
	ARM  string // of 32-bit ARM, the version that it has to have: "7"
	// Tests says how deploy/test runs the tests there.
	Tests Tests
	// Like names a system of the list that this one differs from in types alone, if in
	// anything: deploy/test makes code for that one.
	Like string
}

// Tests is how tests are run on a system.
type Tests string

// The ways in which tests are run.
const (
	Native   Tests = "all, on this machine"
	Narrow   Tests = "all, on this machine, as a program of 32 bits"
	Emulated Tests = "protocols, ingest and alerts, under qemu-user"
	Apart    Tests = "none; what this system does otherwise is tested apart, without it"
)

// All are the systems that Vigie builds and runs on.
var All = []System{
	{OS: "linux", Arch: "amd64", Tests: Native},
	{OS: "linux", Arch: "arm64", Tests: Emulated},
	{OS: "linux", Arch: "arm", ARM: "7", Tests: Apart, Like: "linux-386"},
	{OS: "linux", Arch: "386", Tests: Narrow},
	{OS: "darwin", Arch: "arm64", Tests: Apart},
	{OS: "darwin", Arch: "amd64", Tests: Apart, Like: "darwin-arm64"},
	{OS: "windows", Arch: "amd64", Tests: Apart},
	{OS: "windows", Arch: "arm64", Tests: Apart, Like: "windows-amd64"},
	{OS: "freebsd", Arch: "amd64", Tests: Apart, Like: "darwin-arm64"},
}

// Programs are the commands that a person runs.
var Programs = []string{"vigie", "simulator"}

// cold are packages that no reading passes through, formats whose cost is that of
// encoding/json, and those that wait for a disk or for another server anyway. Nothing is
// inlined in them: a program weighs 1.4 MB less.
var cold = []string{
	"vigie/alerts/access/...", "vigie/alerts/billing", "vigie/alerts/channels/...", "vigie/alerts/erasure", "vigie/alerts/figures", "vigie/alerts/listing",
	"vigie/alerts/reviews", "vigie/alerts/trail", "vigie/alerts/workspace/...", "vigie/cmd/...", "vigie/ingest/formats/fhir", "vigie/ingest/formats/gatt",
	"vigie/ingest/disk", "vigie/ingest/formats/gateway", "vigie/ingest/formats/nightscout", "vigie/ingest/formats/openmhealth", "vigie/ingest/formats/recorded/...", "vigie/ingest/formats/senml", "vigie/ingest/registry/...",
	"vigie/ingest/yaml", "vigie/protocols/cbor", "vigie/protocols/chart", "vigie/protocols/danger", "vigie/protocols/document", "vigie/protocols/engine/plain", "vigie/protocols/language", "vigie/protocols/library", "vigie/protocols/nomenclature",
	"vigie/protocols/replay/...", "vigie/protocols/review", "vigie/protocols/trial", "vigie/protocols/words", "vigie/seeds/...", "vigie/seeds/measure",
	"github.com/HdrHistogram/...", "github.com/VictoriaMetrics/...", "github.com/alexedwards/...", "github.com/apapsch/...", "github.com/boombuler/...", "github.com/coreos/go-oidc/...", "github.com/gabriel-vasile/...", "github.com/go-jose/...", "github.com/go-playground/...",
	"github.com/goccy/...", "github.com/gofrs/...", "github.com/google/uuid", "github.com/gorilla/...", "github.com/klauspost/...",
	"github.com/leodido/...", "github.com/mochi-mqtt/...", "github.com/oapi-codegen/...", "github.com/pires/...", "github.com/pquerna/...", "github.com/rickar/...", "github.com/robfig/...", "github.com/spf13/...",
	"github.com/wneessen/...", "golang.org/x/net/...", "golang.org/x/oauth2/...", "golang.org/x/text/...",
	"github.com/influxdata/influxdb-client-go/...", "github.com/jackc/...", "golang.org/x/crypto/...", "golang.org/x/sync/...", "vigie/ingest/conformance/...", "vigie/ingest/stores/influx", "vigie/ingest/stores/postgres",
	"crypto/internal/fips140/mldsa", "crypto/internal/fips140/mlkem", "crypto/internal/fips140/nistec", "encoding/gob", "internal/profile", "log/slog", "os", "runtime/pprof",
	"archive/zip", "crypto/ecdsa", "crypto/elliptic", "crypto/rsa", "crypto/tls", "crypto/x509", "crypto/x509/pkix", "database/sql", "debug/...", "encoding/asn1",
	"encoding/csv", "encoding/pem", "encoding/xml", "flag", "go/token", "html", "html/template", "image/...", "log", "math/big", "mime", "mime/multipart", "net/http",
	"net/http/...", "net/mail", "net/textproto", "net/url", "os/exec", "regexp", "regexp/syntax", "text/tabwriter", "text/template", "text/template/parse",
	"vendor/golang.org/x/net/...", "vendor/golang.org/x/text/...",
}

// Stripped are the flags that leave out of a program what only a debugger reads. On amd64
// they leave a quarter of the room that aligns functions, 450 kB less; measured, no slower.
// Cold packages inline nothing. The tag leaves out 1.4 MB: which PostgreSQL type pgx takes for
// a Go value where the server is not asked. The store asks the server, but for questions whose
// every argument is a text, which pgx writes without that table.
func (s System) Stripped() []string {
	linked := "-ldflags=-s -w"
	if s.Arch == "amd64" {
		linked += " -funcalign=8"
	}
	flags := []string{linked, "-tags=nopgxregisterdefaulttypes"}
	for _, p := range cold {
		flags = append(flags, "-gcflags="+p+"=-l")
	}
	return flags
}

// Heaviest is how many bytes a stripped program may weigh.
const Heaviest = 32 << 20

// Weigh returns how many bytes a program weighs, and an error when that is too many.
func Weigh(program string) (int64, error) {
	file, err := os.Stat(program)
	if err != nil {
		return 0, err
	}
	if file.Size() > Heaviest {
		return file.Size(), fmt.Errorf("%s weighs %d bytes, and at most %d are allowed", filepath.Base(program), file.Size(), Heaviest)
	}
	return file.Size(), nil
}

// Name is how people find it: "linux-armv7".
func (s System) Name() string {
	if s.ARM != "" {
		return s.OS + "-" + s.Arch + "v" + s.ARM
	}
	return s.OS + "-" + s.Arch
}

// Environment tells the toolchain to build for the system, without C and without what
// the person's own settings add.
func (s System) Environment() []string {
	return []string{"GOOS=" + s.OS, "GOARCH=" + s.Arch, "GOARM=" + s.ARM, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly"}
}

// Program is the file name of a command there.
func (s System) Program(command string) string {
	if s.OS == "windows" {
		return command + ".exe"
	}
	return command
}

// Named are the systems with one of these names; all of them without a name, and false
// when a name is unknown.
func Named(names string) (list []System, known bool) {
	if names == "" {
		return All, true
	}
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, s := range All {
			if s.Name() == name {
				list, found = append(list, s), true
			}
		}
		if !found {
			return nil, false
		}
	}
	return list, true
}
