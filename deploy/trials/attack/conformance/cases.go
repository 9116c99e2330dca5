package conformance

import "strings"

// What may come back.
var (
	nothing  = []string{""}
	anything = []string{"", "20", "e0"} // a refusal, told or not, as the standard leaves open
)

// Cases is the list.
func (b Broker) Cases() []Case {
	var all []Case
	for _, part := range [][]Case{b.connects(), b.connects5(), b.packets(), b.publications(), b.publications5(), b.subscriptions(), b.subscriptions5()} {
		all = append(all, part...)
	}
	return all
}

// connects are first packets of MQTT 3.1.1.
func (b Broker) connects() []Case {
	good := b.Connect(4, "raw")
	with := func(at int, value byte) string { return good[:at] + string([]byte{value}) + good[at+1:] }
	const level, flags = 2 + 6, 2 + 7
	wrong := Broker{Device: b.Device, Password: "not-" + b.Password}
	return []Case{
		{"CONNECT", 0, good, []string{"20020000"}, true},
		{"CONNECT of level 6", 0, with(level, 6), []string{"20020001"}, false},
		{"CONNECT of level 3 under the name of 4", 0, with(level, 3), []string{"20020001"}, false},
		{"CONNECT under another protocol name", 0, with(level-1, 'X'), anything, false},
		{"CONNECT with the reserved flag", 0, with(flags, 0xc3), anything, false},
		{"CONNECT with a last will of QoS 3", 0, b.connect(4, 0xc2|4|0x18, "", "raw", text(b.Prefix+"/"+b.Device+"/status")+text(`{"online":false}`)), anything, false},
		{"CONNECT that retains a last will that there is not", 0, with(flags, 0xc2|0x20), anything, false},
		{"CONNECT with a QoS of a last will that there is not", 0, with(flags, 0xc2|0x08), anything, false},
		{"CONNECT with a password and no user", 0, packet(0x10, text("MQTT")+"\x04\x42\x00\x3c"+text("raw")+text(b.Password)), anything, false},
		{"CONNECT without a client id", 0, b.Connect(4, ""), []string{"20020000"}, true},
		{"CONNECT without a client id, to be remembered", 0, b.connect(4, 0xc0, "", "", ""), []string{"20020002"}, false},
		{"CONNECT with a wrong password", 0, wrong.Connect(4, "raw"), []string{"20020004", "20020005"}, false},
		{"CONNECT with a client id that is no UTF-8", 0, b.Connect(4, "raw\xff"), anything, false},
		{"CONNECT with a client id with NUL", 0, b.Connect(4, "raw\x00"), anything, false},
		{"CONNECT cut short", 0, packet(0x10, good[2:20]), anything, false},
		{"CONNECT with something behind it", 0, packet(0x10, good[2:]+"x"), anything, false},
		{"CONNECT with flags in its first byte", 0, "\x11" + good[1:], nothing, false},
		{"CONNECT of an endless length", 0, "\x10\xff\xff\xff\xff\xff", nothing, false},
		{"a last will under another's name", 0, b.connect(4, 0xc6, "", "raw", text(b.Prefix+"/another/status")+text(`{"online":false}`)), anything, false},
		{"a last will under a wildcard", 0, b.connect(4, 0xc6, "", "raw", text(b.Prefix+"/+/status")+text(`{"online":false}`)), anything, false},
		{"a last will that is no status", 0, b.connect(4, 0xc6, "", "raw", text(b.Prefix+"/"+b.Device+"/status")+text(`gone`)), anything, false},
		{"PINGREQ first", 0, "\xc0\x00", nothing, false},
		{"PUBLISH first", 0, b.publish(0x30, "", "{}"), nothing, false},
		{"HTTP", 0, "GET / HTTP/1.1\r\n\r\n", nothing, false},
	}
}

// connects5 are first packets of MQTT 5.
func (b Broker) connects5() []Case {
	with := func(properties string) string { return b.connect(5, 0xc2, properties, "raw", "") }
	wrong := Broker{Device: b.Device, Password: "not-" + b.Password}
	return []Case{
		{"MQTT 5", 0, b.Connect(5, "raw"), []string{"200c000009210400280029002a00"}, true},
		{"MQTT 5 with a wrong password", 0, wrong.Connect(5, "raw"), []string{"2"}, false},
		{"MQTT 5 with an unknown property", 0, with("\x7f\x00"), anything, false},
		{"MQTT 5 with a property of another packet", 0, with("\x23\x00\x01"), anything, false},
		{"MQTT 5 with a receive maximum of 0", 0, with("\x21\x00\x00"), anything, false},
		{"MQTT 5 with a largest packet of 0", 0, with("\x27\x00\x00\x00\x00"), anything, false},
		{"MQTT 5 with a property given twice", 0, with("\x11\x00\x00\x00\x01\x11\x00\x00\x00\x01"), anything, false},
		{"MQTT 5 with properties cut short", 0, with("\x11\x00"), anything, false},
		{"MQTT 5 with a session that ends", 0, with("\x11\x00\x00\x00\x0a"), []string{"20"}, true},
		{"MQTT 5 that asks for another way to log in", 0, with("\x15" + text("SCRAM-SHA-1")), []string{"20"}, false},
	}
}

// packets are packets that carry no message, of both versions.
func (b Broker) packets() []Case {
	var all []Case
	for version, closing := range map[byte][]string{4: nothing, 5: anything} {
		name := map[byte]string{4: "3.1.1: ", 5: "5: "}[version]
		again := b.Connect(version, "raw-again")
		all = append(all, []Case{
			{name + "PINGREQ", version, "\xc0\x00", []string{"d000"}, true},
			{name + "PINGREQ with flags", version, "\xc1\x00", closing, false},
			{name + "a second CONNECT", version, again, closing, false},
			{name + "CONNACK of a device", version, "\x20\x02\x00\x00", closing, false},
			{name + "SUBACK of a device", version, "\x90\x03\x00\x01\x00", closing, false},
			{name + "UNSUBACK of a device", version, "\xb0\x02\x00\x01", closing, false},
			{name + "PINGRESP of a device", version, "\xd0\x00", closing, false},
			{name + "a packet of type 0", version, "\x00\x00", closing, false},
			{name + "PUBREL", version, "\x62\x02\x00\x07", []string{"70020007"}, true},
			{name + "PUBREL with other flags", version, "\x60\x02\x00\x07", closing, false},
			{name + "PUBREL of packet 0", version, "\x62\x02\x00\x00", closing, false},
			{name + "PUBREL cut short", version, "\x62\x01\x00", closing, false},
			{name + "PUBACK of what was never sent", version, "\x40\x02\x00\x07", nothing, true},
			{name + "DISCONNECT", version, "\xe0\x00", nothing, false},
			{name + "DISCONNECT with flags", version, "\xe1\x00", closing, false},
			{name + "a length of five bytes", version, "\xc0\x80\x80\x80\x80\x00", closing, false},
		}...)
	}
	return append(all,
		Case{"3.1.1: a packet of type 15", 4, "\xf0\x00", nothing, false},
		Case{"5: AUTH that nobody asked for", 5, "\xf0\x00", anything, false},
		Case{"5: PUBREL with a reason", 5, "\x62\x03\x00\x07\x00", []string{"70020007"}, true},
		Case{"5: DISCONNECT that makes a session last", 5, packet(0xe0, "\x00"+packet5("\x11\x00\x00\x00\x0a")), []string{"", "e0"}, false},
	)
}

// publish is a PUBLISH under the device's readings; id and properties stand between
// topic and payload.
func (b Broker) publish(first byte, between, payload string) string {
	return packet(first, text(b.Prefix+"/"+b.Device+"/readings")+between+payload)
}

// publications are of MQTT 3.1.1. A payload that is no reading is set aside, and
// acknowledged like any other.
func (b Broker) publications() []Case {
	topic := func(name string) string { return packet(0x32, text(name)+"\x00\x01"+"{}") }
	return []Case{
		{"PUBLISH of QoS 0", 4, b.publish(0x30, "", "{}") + "\xc0\x00", []string{"d000"}, true},
		{"PUBLISH of QoS 1", 4, b.publish(0x32, "\x00\x01", "{}"), []string{"40020001"}, true},
		{"PUBLISH of QoS 1, again", 4, b.publish(0x3a, "\x00\x01", "{}"), []string{"40020001"}, true},
		{"PUBLISH of QoS 1, to be retained", 4, b.publish(0x33, "\x00\x01", "{}"), []string{"40020001"}, true},
		{"PUBLISH of QoS 2", 4, b.publish(0x34, "\x00\x01", "{}"), []string{"50020001"}, true},
		{"PUBLISH of QoS 3", 4, b.publish(0x36, "\x00\x01", "{}"), nothing, false},
		{"PUBLISH without a payload", 4, b.publish(0x32, "\x00\x01", ""), []string{"40020001"}, true},
		{"PUBLISH of packet 0", 4, b.publish(0x32, "\x00\x00", "{}"), nothing, false},
		{"PUBLISH without a packet id", 4, packet(0x32, text("a")), nothing, false},
		{"PUBLISH under no topic", 4, topic(""), nothing, false},
		{"PUBLISH under a topic with +", 4, topic(b.Prefix + "/+/readings"), nothing, false},
		{"PUBLISH under a topic with #", 4, topic(b.Prefix + "/" + b.Device + "/#"), nothing, false},
		{"PUBLISH under a topic with NUL", 4, topic(b.Prefix + "/" + b.Device + "/\x00"), nothing, false},
		{"PUBLISH under a topic that is no UTF-8", 4, topic("\xff"), nothing, false},
		{"PUBLISH under a topic with half a character", 4, topic("\xed\xa0\x80"), nothing, false},
		{"PUBLISH under a topic beyond the end", 4, "\x30\x03\x00\x09a", nothing, false},
		{"PUBLISH of one byte", 4, "\x30\x01\x00", nothing, false},
		{"PUBLISH under another's name", 4, topic(b.Prefix + "/another/readings"), []string{"40020001"}, true}, // set aside and told
	}
}

// publications5 are of MQTT 5.
func (b Broker) publications5() []Case {
	with := func(properties string) string { return b.publish(0x32, "\x00\x01"+packet5(properties), "{}") }
	var flood strings.Builder
	for id := range 1025 {
		flood.WriteString(b.publish(0x34, string([]byte{byte((id + 1) >> 8), byte(id + 1)})+"\x00", "{}"))
	}
	return []Case{
		{"5: PUBLISH of QoS 1", 5, with(""), []string{"40020001"}, true},
		{"5: PUBLISH with a type and an own property", 5, with("\x03" + text("application/json") + "\x26" + text("a") + text("b")), []string{"40020001"}, true},
		{"5: PUBLISH with a topic alias", 5, with("\x23\x00\x01"), []string{"e00194", "e0"}, false},
		{"5: PUBLISH with a topic alias and no topic", 5, packet(0x32, text("")+"\x00\x01"+packet5("\x23\x00\x01")+"{}"), []string{"e00194", "e0"}, false},
		{"5: PUBLISH under no topic", 5, packet(0x32, text("")+"\x00\x01\x00{}"), []string{"e001"}, false},
		{"5: PUBLISH with an unknown property", 5, with("\x7f\x00"), []string{"e00181", "e00182"}, false},
		{"5: PUBLISH with a property of CONNECT", 5, with("\x11\x00\x00\x00\x01"), []string{"e00181", "e00182"}, false},
		{"5: PUBLISH with a subscription identifier", 5, with("\x0b\x01"), []string{"e00182"}, false},
		{"5: PUBLISH with a response topic with +", 5, with("\x08" + text("a/+")), []string{"e00182"}, false},
		{"5: PUBLISH with properties beyond the end", 5, packet(0x32, text("a")+"\x00\x01\x7f"), []string{"e00181"}, false},
		{"5: PUBLISH under a topic with +", 5, packet(0x32, text("a/+")+"\x00\x01\x00{}"), []string{"e00190"}, false},
		{"5: PUBLISH of QoS 3", 5, b.publish(0x36, "\x00\x01\x00", "{}"), []string{"e00181"}, false},
		{"5: PUBLISH of packet 0", 5, b.publish(0x32, "\x00\x00\x00", "{}"), []string{"e00182"}, false},
		{"5: more of QoS 2 than announced", 5, flood.String(), []string{"5002"}, false}, // and DISCONNECT 0x93 behind
	}
}

// subscriptions are of MQTT 3.1.1.
func (b Broker) subscriptions() []Case {
	own := b.Prefix + "/" + b.Device + "/receipts"
	subscribe := func(filters ...string) string { return packet(0x82, "\x00\x01"+strings.Join(filters, "")) }
	return []Case{
		{"SUBSCRIBE to its receipts", 4, subscribe(text(own) + "\x01"), []string{"9003000101"}, true},
		{"SUBSCRIBE to its receipts at QoS 2", 4, subscribe(text(own) + "\x02"), []string{"900300010"}, true},
		{"SUBSCRIBE to another's receipts", 4, subscribe(text(b.Prefix+"/another/receipts") + "\x01"), []string{"9003000180"}, true},
		{"SUBSCRIBE to everything", 4, subscribe(text("#") + "\x01"), []string{"9003000180"}, true},
		{"SUBSCRIBE to two filters, one its own", 4, subscribe(text("#")+"\x01", text(own)+"\x00"), []string{"900400018000"}, true},
		{"SUBSCRIBE to a filter that is none", 4, subscribe(text("a/#/b") + "\x01"), []string{"9003000180", ""}, true},
		{"SUBSCRIBE to a filter with NUL", 4, subscribe(text("a\x00") + "\x01"), nothing, false},
		{"SUBSCRIBE to a filter that is no UTF-8", 4, subscribe(text("\xff") + "\x01"), nothing, false},
		{"SUBSCRIBE to nothing", 4, subscribe(), nothing, false},
		{"SUBSCRIBE of QoS 3", 4, subscribe(text(own) + "\x03"), nothing, false},
		{"SUBSCRIBE with reserved bits", 4, subscribe(text(own) + "\x41"), nothing, false},
		{"SUBSCRIBE without a QoS", 4, subscribe(text(own)), nothing, false},
		{"SUBSCRIBE with other flags", 4, packet(0x80, "\x00\x01"+text(own)+"\x01"), nothing, false},
		{"SUBSCRIBE of packet 0", 4, packet(0x82, "\x00\x00"+text(own)+"\x01"), nothing, false},
		{"UNSUBSCRIBE", 4, packet(0xa2, "\x00\x01"+text(own)), []string{"b0020001"}, true},
		{"UNSUBSCRIBE from nothing", 4, packet(0xa2, "\x00\x01"), nothing, false},
		{"UNSUBSCRIBE with other flags", 4, packet(0xa0, "\x00\x01"+text(own)), nothing, false},
		{"UNSUBSCRIBE of packet 0", 4, packet(0xa2, "\x00\x00"+text(own)), nothing, false},
	}
}

// subscriptions5 are of MQTT 5.
func (b Broker) subscriptions5() []Case {
	own := b.Prefix + "/" + b.Device + "/receipts"
	subscribe := func(properties, filter, options string) string {
		return packet(0x82, "\x00\x01"+packet5(properties)+text(filter)+options)
	}
	return []Case{
		{"5: SUBSCRIBE to its receipts", 5, subscribe("", own, "\x01"), []string{"900400010001"}, true},
		{"5: SUBSCRIBE to a wildcard", 5, subscribe("", b.Prefix+"/+/receipts", "\x01"), []string{"9004000100a2", "900400010087"}, true},
		{"5: SUBSCRIBE to a shared filter", 5, subscribe("", "$share/group/"+own, "\x01"), []string{"90040001009e", "900400010087"}, true},
		{"5: SUBSCRIBE to a shared filter, not to one's own", 5, subscribe("", "$share/group/"+own, "\x05"), []string{"90040001009e", "900400010087", "900400010082", "e0"}, true},
		{"5: SUBSCRIBE with an identifier of 0", 5, subscribe("\x0b\x00", own, "\x01"), []string{"e0"}, false},
		{"5: SUBSCRIBE with reserved bits", 5, subscribe("", own, "\xc1"), anything, false},
		{"5: SUBSCRIBE with retain handling 3", 5, subscribe("", own, "\x31"), anything, false},
		{"5: SUBSCRIBE without options", 5, packet(0x82, "\x00\x01\x00"+text(own)), anything, false},
		{"5: SUBSCRIBE with an unknown property", 5, subscribe("\x7f\x00", own, "\x01"), anything, false},
		{"5: SUBSCRIBE cut short in its properties", 5, packet(0x82, "\x00\x01\x05"), anything, false},
		{"5: UNSUBSCRIBE", 5, packet(0xa2, "\x00\x01\x00"+text(own)), []string{"b00400010011", "b00400010000"}, true},
	}
}
