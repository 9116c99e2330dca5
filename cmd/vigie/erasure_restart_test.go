package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/deploy/servers"
)

// hers are words that only the record of the patient of the sample holds.
var hers = []string{"DURAND", "277076322082910", "p-0001", "e-0001"}

// holding lists which of these words the files of a folder hold, and where.
func holding(t *testing.T, folder string, words []string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) {
				found = append(found, word+" in "+entry.Name())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// killed ends a service as a power cut does.
func killed(t *testing.T, process *exec.Cmd) {
	t.Helper()
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // says that it was killed
}

// twoPatients puts two patients into a store: she of the sample, whom nobody follows any
// more, and another one.
func twoPatients(t *testing.T, data string) {
	t.Helper()
	sample, err := os.ReadFile("../../deploy/registry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := write(t, folder, "two.yaml", strings.Replace(string(sample), "\ndevices:", `
  - id: p-0099
    identity: {ins: "279035121518989", oid: 1.2.250.1.213.1.4.10, birth_name: ROUX, given_names: INES, first_given_name: INES, sex: F, birth_date: "1979-03-12", birth_place: "51215"}
devices:`, 1))
	typedWell(t, data, "registry", "import", "--author", "Op", "--passwords", filepath.Join(folder, "first.csv"), file)
	typedWell(t, data, "consent", "withdraw", "e-0001", "--author", "Mme Hoarau", "--on", "2026-11-02")
}

// TestAnErasureHoldsHoweverOftenTheServiceIsKilled restores a backup from before an
// erasure and starts the program itself on it: killed at one moment after another of its
// start, then killed whenever it serves. Whoever is served from that store on, she is not;
// the other patient is, and nothing is done twice.
func TestAnErasureHoldsHoweverOftenTheServiceIsKilled(t *testing.T) {
	folder := t.TempDir()
	data, before := filepath.Join(folder, "data"), filepath.Join(folder, "before.db")
	twoPatients(t, data)
	typedWell(t, data, "backup", before)
	typedWell(t, data, "patient", "erase", "p-0001", "--author", "Mme Hoarau", "--reason", "demande du 20/11")
	list, err := os.ReadFile(filepath.Join(data, "erasures"))
	if err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(folder, "restored")
	typedWell(t, restored, "restore", before)
	if len(holding(t, restored, hers)) == 0 {
		t.Fatal("the backup does not name her: the search finds nothing")
	}
	write(t, restored, "erasures", string(list))

	// elsewhere is that folder once more.
	elsewhere := func() string {
		t.Helper()
		other := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(other, os.DirFS(restored)); err != nil {
			t.Fatal(err)
		}
		return other
	}
	// erased looks into a folder on which a service has served, and returns how often the
	// trail says that she was erased.
	erased := func(data string) int {
		t.Helper()
		if found := holding(t, data, hers); len(found) > 0 {
			t.Errorf("the folder holds %v", found)
		}
		if kept, err := os.ReadFile(filepath.Join(data, "erasures")); err != nil || !bytes.Equal(kept, list) {
			t.Errorf("the list of erasures has become %q, %v", kept, err)
		}
		if known := typedWell(t, data, "patient", "list"); !strings.Contains(known, "p-0099") {
			t.Errorf("the other patient is gone: %s", known)
		}
		if whole := typedWell(t, data, "audit", "verify"); !strings.Contains(whole, "entières") {
			t.Errorf("the trail: %s", whole)
		}
		return strings.Count(typedWell(t, data, "audit", "search", "--limit", "0"), "patient erase")
	}

	once := elsewhere()
	begun := time.Now()
	process, _ := serving(t, "--data", once)
	takes := time.Since(begun)
	killed(t, process)
	for range 2 {
		if times := erased(once); times != 1 {
			t.Errorf("the trail says %d times that she was erased", times)
		}
		process, _ = serving(t, "--data", once)
		killed(t, process)
	}

	moments := 6
	if testing.Short() {
		moments = 3
	}
	for k := range moments {
		data := elsewhere()
		process := serveProcess(t, "--data", data)
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(takes * time.Duration(k+1) / time.Duration(moments+1)) // the moment is what is tried
		killed(t, process)
		process, _ = serving(t, "--data", data)
		killed(t, process)
		if times := erased(data); times < 1 || times > 2 {
			t.Errorf("killed after %v, the trail says %d times that she was erased", takes*time.Duration(k+1)/time.Duration(moments+1), times)
		}
	}
}

// TestAnErasureInPostgreSQLHoldsHoweverOftenItIsKilled kills `vigie patient erase` itself at
// one moment after another, and the program that starts on a dump from before the erasure.
// From where the erasure stands in the list, whoever is served from that store, she is not.
func TestAnErasureInPostgreSQLHoldsHoweverOftenItIsKilled(t *testing.T) {
	server := servers.Postgres(t)
	const url = "VIGIE_STORE_POSTGRES_URL"
	t.Setenv(url, server.URL)
	before := filepath.Join(t.TempDir(), "data")
	twoPatients(t, before)
	if dump, err := server.Dumped(server.URL); err != nil || !bytes.Contains(dump, []byte(hers[0])) {
		t.Fatalf("the database does not name her: the search finds nothing: %v", err)
	}
	// elsewhere is the store once more, with its folder.
	elsewhere := func() (data string) {
		t.Helper()
		copied, err := server.Copied(server.URL)
		if err == nil {
			data = filepath.Join(t.TempDir(), "data")
			err = os.CopyFS(data, os.DirFS(before))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(url, copied)
		return data
	}
	gone := func(data, when string) {
		t.Helper()
		process, _ := serving(t, "--data", data)
		killed(t, process)
		dump, err := server.Dumped(os.Getenv(url))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range hers {
			if bytes.Contains(dump, []byte(word)) {
				t.Errorf("%s: a dump holds %s", when, word)
			}
		}
		if found := holding(t, data, hers); len(found) > 0 {
			t.Errorf("%s: the folder holds %v", when, found)
		}
		if known := typedWell(t, data, "patient", "list"); !strings.Contains(known, "p-0099") || strings.Contains(known, "p-0001") {
			t.Errorf("%s: the patients are %s", when, known)
		}
		if whole := typedWell(t, data, "audit", "verify"); !strings.Contains(whole, "entières") {
			t.Errorf("%s: the trail: %s", when, whole)
		}
		if times := strings.Count(typedWell(t, data, "audit", "search", "--limit", "0"), "patient erase"); times < 1 || times > 2 {
			t.Errorf("%s: the trail says %d times that she was erased", when, times)
		}
	}
	erasing := func(data string) *exec.Cmd {
		process := exec.Command(os.Args[0], "patient", "erase", "p-0001", "--author", "Mme Hoarau", "--reason", "demande du 20/11", "--data", data)
		process.Env = append(os.Environ(), asVigie+"=yes")
		return process
	}
	moments := 2
	if testing.Short() {
		moments = 1
	}
	var list []byte
	for k := range moments {
		data, after := elsewhere(), time.Duration(k)*15*time.Millisecond
		process := erasing(data)
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		begun, err := time.Now(), error(nil)
		for len(list) == 0 && time.Since(begun) < time.Minute { // from there on it is to be done
			list, err = os.ReadFile(filepath.Join(data, "erasures"))
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(after) // the moment is what is tried
		killed(t, process)
		gone(data, fmt.Sprintf("the command was killed %v after the list was written", after))
		if k < moments-1 {
			list = nil
		}
	}
	data := elsewhere() // a dump from before
	write(t, data, "erasures", string(list))
	begun := time.Now()
	gone(data, "a dump from before")
	starts := time.Since(begun)
	for k := range moments {
		data, after := elsewhere(), starts*time.Duration(k+1)/time.Duration(2*moments+1)
		write(t, data, "erasures", string(list))
		process := serveProcess(t, "--data", data)
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		killed(t, process)
		gone(data, "the start was killed after "+after.String())
	}
}
