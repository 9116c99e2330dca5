package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/ingest"
	"vigie/protocols"
	"vigie/seeds/stories"
)

// device is one device at somebody's home.
type device struct {
	name, password string
	kind           string
	client         mqtt.Client // nil while it is not connected
	receipts       chan receipt
}

// receipt is what a device is told of a reading.
type receipt struct {
	ID      string             `json:"id"`
	Verdict string             `json:"verdict"`
	Reasons []protocols.Reason `json:"reasons"`
}

// delivery is one message of a device.
type delivery struct {
	step    *stories.Step
	device  *device
	topic   string
	id      string
	payload []byte
	verdict string // what the device must be told
}

// patience is how long an answer of the service may take, by the clock on the wall.
const patience = 30 * time.Second

// reading is a reading as devices publish it.
type reading struct {
	ID      string             `json:"id"`
	Time    string             `json:"time"`
	Measure string             `json:"measure"`
	Values  map[string]float64 `json:"values"`
	Unit    map[string]string  `json:"unit"`
	Source  string             `json:"source"`
	Flags   []string           `json:"flags,omitempty"`
	Context map[string]string  `json:"context,omitempty"`
}

// readingOf writes a reading as its device publishes it. Its id follows from what it
// is, so that the same reading, written twice in a story, is the same again.
func (s *stage) readingOf(device string, r *protocols.Reading) reading {
	written := reading{Time: r.Time.Format(time.RFC3339), Measure: r.Measure.ID, Values: map[string]float64{}, Unit: map[string]string{}, Source: r.Source.String(), Flags: r.Flags}
	if r.DayOnly {
		written.Time = r.Time.In(s.story.Zone).Format(time.DateOnly)
	}
	id := []string{device, r.Measure.ID, written.Time}
	for i, v := range r.Values {
		if v != protocols.Missing {
			c := &r.Measure.Components[i]
			written.Values[c.Name], written.Unit[c.Name] = v.Float(), c.Unit
			id = append(id, v.String())
		}
	}
	if r.Variant > 0 {
		written.Context = map[string]string{"specimen": r.Measure.Variants[r.Variant-1]}
	}
	written.ID = strings.Join(id, "/")
	return written
}

// prepare has a device send a reading at this moment.
func (s *stage) prepare(step *stories.Step) error {
	d, err := s.deviceFor(step.Send)
	if err != nil {
		return err
	}
	r := s.readingOf(d.name, &step.Send.Reading)
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write a reading: %w", err)
	}
	sent := &delivery{step: step, device: d, topic: ingest.ReadingsTopic, id: r.ID, payload: payload, verdict: step.Send.Verdict}
	s.waiting = append(s.waiting, sent)
	if step.Send.Twice {
		again := *sent
		s.waiting = append(s.waiting, &again)
	}
	s.quiet = false
	s.tell("%s sends %s %s", d.name, r.Measure, valuesOf(&step.Send.Reading))
	return nil
}

func valuesOf(r *protocols.Reading) string {
	var list []string
	for i, v := range r.Values {
		if v != protocols.Missing {
			list = append(list, r.Measure.Components[i].Name+" "+v.String())
		}
	}
	return strings.Join(list, ", ")
}

// says has a device say something of itself.
func (s *stage) says(step *stories.Step) error {
	d := s.devices[step.Status.Device]
	if d == nil {
		d = s.devices[s.owner(step.Status.Patient)+"-"+step.Status.Device]
	}
	if d == nil {
		return fmt.Errorf("there is no device %q", step.Status.Device)
	}
	said := map[string]json.RawMessage{}
	for key, value := range step.Status.Payload {
		said[key] = json.RawMessage(value)
	}
	payload, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("write the status of a device: %w", err)
	}
	s.waiting = append(s.waiting, &delivery{step: step, device: d, topic: ingest.StatusTopic, payload: payload})
	s.quiet = false
	s.tell("%s says %s", d.name, payload)
	return nil
}

// deliver lets devices send what was prepared. While the service is away they keep
// it, and whoever keeps something sends that first.
func (s *stage) deliver() error {
	ready := s.waiting
	s.waiting = nil
	if s.service == nil {
		s.held = append(s.held, ready...)
		return nil
	}
	if !s.back.IsZero() && !s.back.After(s.Now()) {
		ready = append(s.held, ready...)
		s.held, s.back = nil, time.Time{}
	}
	for len(ready) > 0 {
		first := ready[0]
		if slices.ContainsFunc(s.held, func(d *delivery) bool { return d.device == first.device }) {
			s.held, ready = append(s.held, first), ready[1:]
			continue
		}
		n := 1
		for n < len(ready) && first.joins(ready[n]) {
			n++
		}
		if err := s.send(ready[:n]); err != nil {
			return err
		}
		ready = ready[n:]
	}
	return nil
}

// joins reports whether two readings travel in one message.
func (d *delivery) joins(next *delivery) bool {
	return d.device == next.device && d.topic == next.topic && d.topic == ingest.ReadingsTopic && d.id != next.id
}

// send sends one message and waits until it is acknowledged, and for receipts where
// the story says what they must be.
func (s *stage) send(message []*delivery) error {
	d := message[0].device
	if err := d.connect(s.service.Broker(), s.config.Topics.Prefix); err != nil {
		return err
	}
	payload := message[0].payload
	if len(message) > 1 {
		list := make([]json.RawMessage, len(message))
		for i := range message {
			list[i] = message[i].payload
		}
		payload, _ = json.Marshal(list) // of what was marshalled before
	}
	for len(d.receipts) > 0 {
		<-d.receipts
	}
	token := d.client.Publish(ingest.Topic(s.config.Topics.Prefix, d.name, message[0].topic), 1, false, payload)
	if !token.WaitTimeout(patience) {
		return fmt.Errorf("%s: the message is not acknowledged", d.name)
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("%s: send a message: %w", d.name, err)
	}
	return s.verdicts(d, message)
}

func (s *stage) verdicts(d *device, message []*delivery) error {
	if !slices.ContainsFunc(message, func(m *delivery) bool { return m.verdict != "" }) {
		return nil
	}
	came := map[string]receipt{}
	for range message {
		select {
		case r := <-d.receipts:
			came[r.ID] = r
		case <-time.After(patience):
			return fmt.Errorf("%s: no receipt came", d.name)
		}
	}
	for _, m := range message {
		if m.verdict == "" {
			continue
		}
		told := came[m.id].Verdict
		for _, reason := range came[m.id].Reasons {
			told += " " + string(reason.Code)
		}
		if !slices.Contains(strings.Fields(told), m.verdict) {
			s.differ(m.step.Line, m.step.Column, protocols.Text{FR: "l'appareil a reçu une autre réponse", EN: "the device was told otherwise"}, []string{m.verdict}, []string{told})
		}
	}
	return nil
}

// connect opens the device's connection where it is not open.
func (d *device) connect(broker, prefix string) error {
	if d.client != nil && d.client.IsConnected() {
		return nil
	}
	if d.receipts == nil {
		d.receipts = make(chan receipt, 10_000)
	}
	d.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID(d.name).SetUsername(d.name).SetPassword(d.password).
		SetCleanSession(false).SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(patience).SetKeepAlive(0))
	for _, do := range []func() mqtt.Token{
		d.client.Connect,
		func() mqtt.Token {
			return d.client.Subscribe(ingest.Topic(prefix, d.name, ingest.ReceiptsTopic), 1, func(_ mqtt.Client, m mqtt.Message) { d.told(m.Payload()) })
		},
	} {
		token := do()
		if !token.WaitTimeout(patience) {
			return fmt.Errorf("%s: the broker does not answer", d.name)
		}
		if err := token.Error(); err != nil {
			return fmt.Errorf("%s: connect to the broker: %w", d.name, err)
		}
	}
	return nil
}

// told takes receipts, of which a message may hold several.
func (d *device) told(payload []byte) {
	var list []receipt
	if err := json.Unmarshal(payload, &list); err != nil {
		var one receipt
		if json.Unmarshal(payload, &one) == nil {
			list = append(list, one)
		}
	}
	for _, r := range list {
		select {
		case d.receipts <- r:
		default:
		}
	}
}

func (d *device) disconnect() {
	if d.client != nil {
		d.client.Disconnect(0)
		d.client = nil
	}
}

// deviceFor finds who sends a reading: the device that is named, or the patient's one
// for that measure.
func (s *stage) deviceFor(send *stories.Sending) (*device, error) {
	patient := s.owner(send.Patient)
	if send.Device != "" {
		for _, name := range []string{send.Device, patient + "-" + send.Device} {
			if d := s.devices[name]; d != nil {
				return d, nil
			}
		}
		return nil, fmt.Errorf("there is no device %q", send.Device)
	}
	if patient == "" {
		return nil, errors.New("several patients are followed: say whose reading it is (patient: …)")
	}
	var first *device
	for _, name := range s.care.devicesOf(patient) {
		d := s.devices[name]
		if d == nil {
			continue
		}
		if first == nil && protocols.KindByID(d.kind).Takes(send.Reading.Measure) {
			first = d
		}
		if measures(d.kind, &send.Reading) {
			return d, nil
		}
	}
	if first == nil {
		return nil, fmt.Errorf("%s has no device that measures %s", patient, send.Reading.Measure.ID)
	}
	return first, nil
}

// owner is the patient that is named, or the only one.
func (s *stage) owner(patient string) string {
	if patient == "" && len(s.care.order) == 1 {
		return s.care.order[0]
	}
	return patient
}
