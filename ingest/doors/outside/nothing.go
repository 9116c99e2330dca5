package outside

import "github.com/eclipse/paho.mqtt.golang/packets"

// nothing is a client's store that keeps nothing. What came in and was not
// acknowledged is kept by the broker, which sends it again: kept here as well,
// it would come twice. What goes out, receipts, is best effort.
type nothing struct{}

func (nothing) Open()                             {}
func (nothing) Put(string, packets.ControlPacket) {}
func (nothing) Get(string) packets.ControlPacket  { return nil }
func (nothing) All() []string                     { return nil }
func (nothing) Del(string)                        {}
func (nothing) Close()                            {}
func (nothing) Reset()                            {}
