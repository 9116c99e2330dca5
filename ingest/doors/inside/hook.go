package inside

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"vigie/ingest"
)

// hook is what the broker asks and tells, and how a device is let in, see welcome.
type hook struct {
	mqtt.HookBase
	door *Door
}

// ID is part of mqtt.Hook.
func (*hook) ID() string { return "vigie" }

// Provides is part of mqtt.Hook.
func (*hook) Provides(what byte) bool {
	return bytes.IndexByte([]byte{
		mqtt.OnACLCheck, mqtt.OnSubscribed, mqtt.OnUnsubscribed, mqtt.OnWill, mqtt.OnPacketEncode,
	}, what) >= 0
}

// OnConnect lets a device in, or tells it why not. While nobody can tell whether its
// password is right, it is told that the service is not there now: a device that is told
// that its password is wrong may never come again.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c, ok := cl.Net.Conn.(*connection)
	device := string(pk.Connect.Username)
	if !ok || device == "" {
		return nil // refused below
	}
	password := string(pk.Connect.Password)
	h.door.claims(c, claim{device, password})
	ctx, cancel := context.WithTimeout(h.door.ctx, handshake)
	defer cancel()
	right, err := h.door.options.Authenticate(ctx, device, password)
	switch {
	case err != nil:
		h.door.counters.refused.Add(1)
		if h.door.unsure.due() {
			h.door.options.Log.Error("devices are refused for now: their passwords cannot be checked", "error", err)
		}
		return h.refuse(cl, packets.ErrServerUnavailable, err)
	case !right:
		return nil // refused below
	}
	if cl.Properties.Props.AuthenticationMethod != "" {
		return h.turnAway(cl, device, packets.ErrBadAuthenticationMethod, "it asks for another way to log in than a password")
	}
	if will := cl.Properties.Will; will.Flag != 0 {
		if reason := h.uselessWill(device, will); reason != "" {
			return h.turnAway(cl, device, packets.ErrPayloadFormatInvalid, "its last will could never be used: "+reason)
		}
	}
	if !h.door.proved(c, device, cl.ID, cl.Properties.Will) {
		return h.turnAway(cl, device, packets.ErrQuotaExceeded, "it has too many open")
	}
	c.trusted = true
	return nil
}

// uselessWill says why a last will could not be used, and nothing when it could: a
// device learns it when it connects, and not when it is gone.
func (h *hook) uselessWill(device string, will mqtt.Will) string {
	if h.door.options.Useful == nil {
		return ""
	}
	reasons := h.door.options.Useful(ingest.Message{
		Topic: will.TopicName, Device: deviceOf(h.door.options.Prefix, will.TopicName), Client: device, Payload: bytes.Clone(will.Payload), Received: h.door.options.Now(),
	})
	if len(reasons) == 0 {
		return ""
	}
	return reasons[0].Message
}

func deviceOf(prefix, topic string) string {
	device, _, _ := ingest.ParseTopic(prefix, topic)
	return device
}

// turnAway refuses a device that is known, and tells the operator.
func (h *hook) turnAway(cl *mqtt.Client, device string, code packets.Code, why string) error {
	h.door.counters.refused.Add(1)
	h.door.options.Log.Warn("a connection of a device was refused: "+why, "device", device, "from", cl.Net.Remote)
	return h.refuse(cl, code, code)
}

// refuse answers CONNECT with a code; MQTT 3.1.1 has others, see OnPacketEncode.
func (h *hook) refuse(cl *mqtt.Client, code packets.Code, why error) error {
	return errors.Join(why, h.door.server.SendConnack(cl, code, false, nil))
}

// OnConnectAuthenticate refuses a device whose password is wrong. Sessions are told
// apart by device and client id, so that no device takes over the session of another.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	c, ok := cl.Net.Conn.(*connection)
	device := string(pk.Connect.Username)
	if !ok || !c.trusted {
		h.door.counters.refused.Add(1)
		h.door.options.Log.Warn("a connection was refused: unknown device or wrong password", "device", device, "from", cl.Net.Remote)
		return false
	}
	cl.ID = device + "/" + cl.ID
	c.version, c.largest = cl.Properties.ProtocolVersion, cl.Properties.Props.MaximumPacketSize
	return true
}

// OnPacketEncode mends what the library answers: to a device of MQTT 3.1.1 with the
// codes of MQTT 5 (3.1.1, section 3.2.2.3), and to one of MQTT 5 without saying what
// there is not (5.0, sections 3.2.2.3.11 to 13).
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type != packets.Connack {
		return pk
	}
	if cl.Properties.ProtocolVersion == 5 {
		p := &pk.Properties
		p.WildcardSubAvailable, p.WildcardSubAvailableFlag = 0, true
		p.SubIDAvailable, p.SubIDAvailableFlag = 0, true
		p.SharedSubAvailable, p.SharedSubAvailableFlag = 0, true
		return pk
	}
	if pk.ReasonCode >= packets.ErrUnspecifiedError.Code {
		pk.ReasonCode = connack3(pk.ReasonCode)
	}
	return pk
}

// connack3 is the code of MQTT 3.1.1 for one of MQTT 5.
func connack3(code byte) byte {
	switch code {
	case packets.ErrUnsupportedProtocolVersion.Code, packets.ErrProtocolViolationProtocolVersion.Code:
		return packets.Err3UnsupportedProtocolVersion.Code
	case packets.ErrClientIdentifierNotValid.Code, packets.ErrUnspecifiedError.Code: // no client id, and a session to be kept
		return packets.Err3ClientIdentifierNotValid.Code
	case packets.ErrServerUnavailable.Code, packets.ErrServerBusy.Code, packets.ErrQuotaExceeded.Code: // it may come again
		return packets.Err3ServerUnavailable.Code
	}
	return packets.Err3NotAuthorized.Code
}

// OnSessionEstablish makes room for a session: a device has so many, and those
// that it did not come back to go first.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) {
	for _, old := range h.door.sessionBegins(cl.Net.Conn.(*connection).device, cl) {
		h.door.server.UnsubscribeClient(old)
		if present, ok := h.door.server.Clients.Get(old.ID); ok && present == old {
			h.door.server.Clients.Delete(old.ID)
		}
	}
}

// OnSessionEstablished lets the publications of a connection in. A session that
// went on from a former connection has its subscriptions already.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	c := cl.Net.Conn.(*connection)
	c.established = true
	if _, subscribed := cl.State.Subscriptions.Get(h.receipts(c.device)); subscribed {
		c.listen(true)
	}
}

func (h *hook) receipts(device string) string {
	return ingest.Topic(h.door.options.Prefix, device, ingest.ReceiptsTopic)
}

// OnACLCheck lets a device subscribe to its own receipts only. Nothing is ever
// published through the broker.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	c, ok := cl.Net.Conn.(*connection)
	return ok && !write && topic == h.receipts(c.device)
}

// OnSubscribed is part of mqtt.Hook.
func (h *hook) OnSubscribed(cl *mqtt.Client, pk packets.Packet, codes []byte) {
	c, ok := cl.Net.Conn.(*connection)
	for i, filter := range pk.Filters {
		if ok && codes[i] <= packets.CodeGrantedQos2.Code && filter.Filter == h.receipts(c.device) {
			c.listen(true)
		}
	}
}

// OnUnsubscribed is part of mqtt.Hook.
func (h *hook) OnUnsubscribed(cl *mqtt.Client, pk packets.Packet) {
	c, ok := cl.Net.Conn.(*connection)
	for _, filter := range pk.Filters {
		if ok && filter.Filter == h.receipts(c.device) {
			c.listen(false)
		}
	}
}

// OnWill takes the last will of a device whose connection broke, and leaves the
// broker none, now or later.
func (h *hook) OnWill(cl *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	cl.Properties.Will.WillDelayInterval = 0
	if c, ok := cl.Net.Conn.(*connection); ok && c.established {
		h.door.lastWill(c, will)
	}
	return mqtt.Will{}, nil
}

// lastWill submits a last will. A device that has connected again meanwhile is not
// gone.
func (d *Door) lastWill(c *connection, will mqtt.Will) {
	if !d.elsewhere(c) {
		d.receive(c, publication{topic: will.TopicName, payload: will.Payload}, func(error) {})
	}
}

// listenerID is what the broker calls where its clients come from.
const listenerID = "devices"

// handshake is how long a connection may take to say who it is.
const handshake = 20 * time.Second

// accept accepts connections until the listener is closed.
func (d *Door) accept() {
	for {
		conn, err := d.options.Listener.Accept()
		if err != nil {
			if d.stopping.Load() {
				return
			}
			if d.unaccepted.due() {
				d.options.Log.Error("connections cannot be accepted; is the limit of open files too low (ulimit -n, LimitNOFILE)?", "error", err)
			}
			d.pause()
			continue
		}
		c := d.take(conn)
		if !d.admit(c) {
			d.counters.refused.Add(1)
			d.refuse(c.Conn)
			continue
		}
		go d.serve(c)
	}
}

// take makes a connection of what was accepted.
func (d *Door) take(conn net.Conn) *connection {
	if d.poller != nil {
		watched, err := d.poller.adopt(conn)
		if err != nil { // it fails when it is read
			d.options.Log.Debug("a connection cannot be watched", "from", conn.RemoteAddr(), "error", err)
		}
		conn = watched
	}
	socket := socketOf(conn)
	if d.options.TLS != nil {
		conn = tls.Server(conn, d.options.TLS)
	}
	c := newConnection(d, conn)
	c.socket = socket
	return c
}

// seldom tells when to log again what happens to many devices at once: a line for
// each would bury everything else.
type seldom struct{ last atomic.Int64 }

func (s *seldom) due() bool {
	now, last := time.Now().UnixNano(), s.last.Load()
	soon := now >= last && now-last < int64(10*time.Second) // a clock may be put back
	return !soon && s.last.CompareAndSwap(last, now)
}

// pause keeps a lack of file descriptors from keeping a processor busy.
func (d *Door) pause() {
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.ctx.Done():
	}
}

func (d *Door) refuse(conn net.Conn) {
	if d.crowded.due() {
		d.options.Log.Warn("connections are refused: too many are open", "from", conn.RemoteAddr())
	}
	if err := conn.Close(); err != nil {
		d.options.Log.Debug("a refused connection could not be closed", "error", err)
	}
}

func (d *Door) serve(c *connection) {
	err := c.Conn.SetReadDeadline(time.Now().Add(handshake))
	if secure, is := c.Conn.(*tls.Conn); is && err == nil {
		if err = secure.HandshakeContext(d.ctx); err != nil {
			d.counters.refused.Add(1)
			d.options.Log.Warn("a connection was refused: no agreement on encryption (TLS); does the device trust our certificate, and does it speak TLS 1.2 at least?",
				"from", c.RemoteAddr(), "error", err)
		}
	}
	if err == nil {
		err = d.guarded(c, d.establish)
	}
	d.leave(c, err)
}

// leave closes a connection that is over. One that is parked is not.
func (d *Door) leave(c *connection, err error) {
	if errors.Is(err, errIdle) {
		return
	}
	defer d.serving.Done()
	if c.peer != nil {
		c.peer.Stop(nil)
	}
	if err != nil {
		d.options.Log.Debug("a connection ended", "device", c.device, "from", c.RemoteAddr(), "error", err)
	}
	if err := c.Close(); err != nil {
		d.options.Log.Debug("a connection could not be closed", "error", err)
	}
}

// guarded lets the broker have a connection. Some malformed packets are more than
// it can bear: they end the connection that they came by, and nothing else.
func (d *Door) guarded(c *connection, serve func(*connection) error) (err error) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		d.tellFault(c, fault)
		err = d.broken(c, fault)
	}()
	return serve(c)
}

// broken is the end of a connection by which more came than can be borne.
func (d *Door) broken(c *connection, fault any) error {
	if c.established && c.will.Flag != 0 {
		d.lastWill(c, c.will)
	}
	return fmt.Errorf("%w: %v", errProtocol, fault)
}

// mostStacks is how many faults of the broker library are told with their stack:
// whoever knows how to cause one can send many.
const mostStacks = 8

// tellFault says that a packet was more than the broker can bear.
func (d *Door) tellFault(c *connection, fault any) {
	what := []any{"device", c.device, "from", c.RemoteAddr(), "fault", fault}
	if d.counters.faults.Add(1) <= mostStacks {
		what = append(what, "stack", string(debug.Stack()))
	}
	d.options.Log.Error("a packet could not be handled, its connection ends", what...)
}
