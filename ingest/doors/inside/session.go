package inside

import (
	"errors"
	"os"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// establish serves a connection from its CONNECT on, as the library would by itself
// (EstablishConnection). The library has a goroutine more for each connection, which waits
// for publications to deliver, and there are none: everything that a device is sent is
// written when it is due.
func (d *Door) establish(c *connection) error {
	c.peer = d.server.NewClient(c, listenerID, "", false)
	if err := d.welcome(c, c.peer); err != nil {
		return err
	}
	return d.converse(c)
}

// converse serves a connection with a session until its end, or until it is parked, which
// is errIdle: it is not to be touched any more.
func (d *Door) converse(c *connection) error {
	for c.socket == nil || !c.socket.late() {
		err := c.peer.Read(d.handle)
		if !errors.Is(err, errIdle) {
			d.ended(c, c.peer, err)
			return err
		}
		if c.socket.park(c) {
			return errIdle
		}
	}
	d.ended(c, c.peer, os.ErrDeadlineExceeded)
	return os.ErrDeadlineExceeded
}

// welcome reads CONNECT and answers it. An error says why there is no session.
func (d *Door) welcome(c *connection, cl *mqtt.Client) error {
	var header packets.FixedHeader
	if err := cl.ReadFixedHeader(&header); err != nil {
		return err
	}
	if header.Type != packets.Connect {
		return packets.ErrProtocolViolationRequireFirstConnect
	}
	pk, err := cl.ReadPacket(&header)
	if err != nil {
		return err
	}
	cl.ParseConnect(listenerID, pk)
	h := &hook{door: d}
	if code := unfit(cl, pk); code != packets.CodeSuccess {
		return h.refuse(cl, code, code)
	}
	if err := h.OnConnect(cl, pk); err != nil {
		return err
	}
	if !h.OnConnectAuthenticate(cl, pk) {
		return h.refuse(cl, packets.ErrBadUsernameOrPassword, packets.ErrBadUsernameOrPassword)
	}
	h.OnSessionEstablish(cl, pk)
	present := d.inherit(cl, pk)
	d.server.Clients.Add(cl)
	if err := d.server.SendConnack(cl, packets.CodeSuccess, present, nil); err != nil {
		return err
	}
	h.OnSessionEstablished(cl, pk)
	return nil
}

// unfit says why a CONNECT that could be read cannot be granted.
func unfit(cl *mqtt.Client, pk packets.Packet) packets.Code {
	if code := pk.ConnectValidate(); code != packets.CodeSuccess {
		return code
	}
	if cl.Properties.ProtocolVersion < 5 && !pk.Connect.Clean && pk.Connect.ClientIdentifier == "" {
		return packets.ErrUnspecifiedError
	}
	return packets.CodeSuccess
}

// inherit ends the session that goes by the same client id, and reports whether the new
// one goes on from it, with its subscriptions: that is all that a session holds, as
// nothing is delivered but receipts at QoS 0.
func (d *Door) inherit(cl *mqtt.Client, pk packets.Packet) bool {
	existing, ok := d.server.Clients.Get(cl.ID)
	if !ok {
		return false
	}
	// That it is gone already is no fault.
	_ = d.server.DisconnectClient(existing, packets.ErrSessionTakenOver)
	kept := existing.State.Subscriptions.GetAll()
	d.server.UnsubscribeClient(existing)
	if pk.Connect.Clean || existing.Properties.Clean && existing.Properties.ProtocolVersion < 5 {
		return false
	}
	for filter, subscription := range kept {
		d.server.Topics.Subscribe(cl.ID, subscription)
		cl.State.Subscriptions.Add(filter, subscription)
	}
	return true
}

// handle gives the broker a packet that is no publication.
func (d *Door) handle(cl *mqtt.Client, pk packets.Packet) error {
	err := d.server.InjectPacket(cl, pk)
	var code packets.Code
	if errors.As(err, &code) && cl.Properties.ProtocolVersion == 5 && code.Code >= packets.ErrUnspecifiedError.Code {
		_ = d.server.DisconnectClient(cl, code) // it says what err says
	}
	return err
}

// ended ends the session of a connection, unless it is kept for the device to come back.
// Without an error the device has said that it leaves.
func (d *Door) ended(c *connection, cl *mqtt.Client, err error) {
	if err != nil {
		if cl.Properties.Will.Flag != 0 {
			d.lastWill(c, cl.Properties.Will)
		}
		cl.Stop(err)
	}
	p := &cl.Properties
	if p.ProtocolVersion == 5 && p.Props.SessionExpiryInterval != 0 || p.ProtocolVersion < 5 && !p.Clean {
		return
	}
	d.sessionEnds(c.device, cl)
	if present, ok := d.server.Clients.Get(cl.ID); ok && present == cl { // else another has taken its place
		d.server.UnsubscribeClient(cl)
		d.server.Clients.Delete(cl.ID)
	}
}
