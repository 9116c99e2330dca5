package outside

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"vigie/ingest"
)

// A broker may take a subscription and deliver nothing: one that does not know shared
// subscriptions takes "$share/…" for a name like any other, and one whose access list
// lacks Vigie's part drops in silence. So a message of the door's own, the canary,
// travels as those of devices do: published under the prefix, and taken under the same
// filter. Any node of the group may take it; one that is not its sender says so under
// a topic to which the sender alone listens.
const (
	canaryName  = "~canary" // in the place of a device; no device may have that name
	canaryPing  = "ping"
	canaryBack  = "back"
	canaryEnd   = "end" // see empty
	canaryEvery = 15 * time.Second
	canaryFirst = 250 * time.Millisecond // before the first
	canaryMost  = time.Minute            // while none is back
	canaryTries = 3                      // that tell a broker that delivers nothing from one that is not there
	// canaryLost is how long none may be back: a node of the group that is gone may
	// take its share of them.
	canaryLost = 3 * time.Minute
)

// canaryTopic is where the canary of a node travels.
func (o *Options) canaryTopic(kind string) string {
	return ingest.Topic(o.Prefix, canaryName, fmt.Sprintf("%x/%s", o.ClientID, kind))
}

// sing sends canaries until the door closes. Until the first is back they come close
// after one another, then ever more seldom: Mosquitto hangs up on whoever publishes
// what its access list does not grant.
func (d *Door) sing() {
	defer close(d.silent)
	wait := canaryFirst
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-d.ctx.Done():
			timer.Stop()
			return
		}
		if d.Connected() {
			d.send(d.options.canaryTopic(canaryPing))
			d.sung.Add(1)
		}
		switch {
		case d.returns():
			wait = canaryEvery
		case d.Connected():
			wait = min(2*wait, canaryMost)
		}
	}
}

// returns reports whether a canary is back, of late.
func (d *Door) returns() bool {
	back := d.CanaryBack()
	return !back.IsZero() && time.Since(back) <= canaryLost
}

// send publishes an empty message at QoS 0: a broker keeps none for who is away.
func (d *Door) send(topic string) {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName = topic
	var written bytes.Buffer
	if err := p.Write(&written); err != nil {
		d.options.Log.Error("the message that tries the broker cannot be written", "error", err)
		return
	}
	if l := d.sessions[0].link.Load(); l != nil {
		l.offer(written.Bytes())
	}
}

// heard takes a canary. What follows its name in the topic says whose it is.
func (d *Door) heard(rest string) {
	sender, kind, _ := strings.Cut(rest, "/")
	switch {
	case sender == fmt.Sprintf("%x", d.options.ClientID):
		d.back.Store(time.Now().UnixNano())
	case kind == canaryPing:
		d.send(ingest.Topic(d.options.Prefix, canaryName, sender+"/"+canaryBack))
	}
}

// CanaryBack is when a message of the door's own last came back from the broker, by
// the machine's clock; zero when none has yet.
func (d *Door) CanaryBack() time.Time {
	if nanos := d.back.Load(); nanos != 0 {
		return time.Unix(0, nanos)
	}
	return time.Time{}
}

// Ready returns a sentence when what devices publish does not come here.
func (d *Door) Ready() error {
	connected, back := d.Connected(), d.returns()
	switch {
	case connected && back:
		return nil
	case !connected && (back || d.sung.Load() < canaryTries):
		return errAway
	}
	return fmt.Errorf("the broker outside takes the subscription to %s and brings nothing back of what is published there: "+
		"see that it knows shared subscriptions if there is a shared_group, and that its access list lets this user read and write %s/#", d.options.filter(), d.options.Prefix)
}
