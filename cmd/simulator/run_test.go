package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/formats/gatt"
	"vigie/seeds/scenario"
)

func TestAScenarioIsWrittenWithTheTruthBeside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "truth.json")
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetArgs([]string{"run", "decompensation", "--days", "30", "--truth", file})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	var truth scenario.Truth
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &truth) != nil || len(truth.Events) == 0 || truth.Events[0].Kind != "decompensation" {
		t.Errorf("%v: the truth is %s", err, text)
	}
	if lines := bytes.Count(out.Bytes(), []byte("\n")); lines != truth.Readings || lines == 0 {
		t.Errorf("%d messages of %d readings", lines, truth.Readings)
	}
	root.SetArgs([]string{"run", "love"})
	if root.Execute() == nil {
		t.Error("there is no such scenario")
	}
}

// kept is a broker that takes everything, and remembers what it acknowledged.
type kept struct {
	mqtt.HookBase
	mu       sync.Mutex
	messages []string
}

func (k *kept) ID() string { return "kept" }

func (k *kept) Provides(event byte) bool {
	return event == mqtt.OnConnectAuthenticate || event == mqtt.OnACLCheck || event == mqtt.OnPublish
}

func (k *kept) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

func (k *kept) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

func (k *kept) OnPublish(_ *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if strings.HasSuffix(pk.TopicName, "/gatt") {
		k.messages = append(k.messages, string(pk.Payload))
	}
	return pk, nil
}

// At a broker, the devices say in another format what the file holds in ours.
func TestAScenarioIsPublishedToABroker(t *testing.T) {
	k := &kept{}
	_, address := servers.Hooked(t, k, nil)
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	file := filepath.Join(t.TempDir(), "truth.json")
	root.SetArgs([]string{"run", "patchy-network", "--days", "28", "--now", "--format", "gatt", "--broker", "tcp://" + address, "--truth", file})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var truth scenario.Truth
	var told played
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &truth) != nil || json.Unmarshal(out.Bytes(), &told) != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	ids := map[string]int{}
	for _, m := range k.messages {
		var batch ingest.Batch
		gatt.Decoder{}.Decode("", "d", []byte(m), &batch)
		if len(batch.Refused) > 0 {
			t.Logf("refused %s: %+v", m, batch.Refused[0].Reasons)
		}
		for i := range batch.Readings {
			ids[batch.Readings[i].ID]++
			if age := time.Since(batch.Readings[i].Time); age < 0 || age > 30*24*time.Hour {
				t.Errorf("a reading is %s old", age)
			}
		}
	}
	if told.Cut == 0 || told.Cut != truth.Cuts || told.Again < told.Cut {
		t.Errorf("%d connections were to break: %+v", truth.Cuts, told)
	}
	if len(ids) != truth.Readings || truth.Readings < 15 || truth.Unsaid == 0 || told.Acknowledged != told.Messages {
		t.Errorf("%d readings came; the truth says %d, with %d unsaid; %+v", len(ids), truth.Readings, truth.Unsaid, told)
	}
	for _, args := range [][]string{{"--format", "morse"}, {"--broker", "tcp://127.0.0.1:1", "--ca", filepath.Join(t.TempDir(), "none.pem")}} {
		root := rootCommand()
		root.SetArgs(append([]string{"run", "steady"}, args...))
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), args[len(args)-2]) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
