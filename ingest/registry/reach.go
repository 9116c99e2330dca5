package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"vigie/protocols"
	"vigie/protocols/document"
)

// mail is the channel of an address that stands in a plain list, without a channel.
const mail = "mail"

// Contacts are addresses by the name of the channel that serves them:
//
//	{mail: [equipe@chu.example], webhook: [https://records.example/alerts]}
//
// A plain list holds addresses of mail. Contacts of mail alone are written as such a
// list, which programs of earlier versions read.
type Contacts map[string][]string

// channels are the channels there are, by name, each with the test of its addresses.
var channels = map[string]func(address string) bool{}

// RegisterChannel adds a channel by which teams may be reached. takes reports whether an
// address is one of the channel. It is called before any registry is read.
func RegisterChannel(name string, takes func(address string) bool) { channels[name] = takes }

// Of are the contacts of which only addresses of mail are known.
func Of(addresses ...string) Contacts {
	if len(addresses) == 0 {
		return nil
	}
	return Contacts{mail: addresses}
}

// First are the contacts of a team that are told first, and the systems that hear of
// everything: those under contacts, mail and webhook.
func (t *Team) First() Contacts {
	all := t.Contacts.and(Of(t.Mail...))
	if t.Webhook != "" {
		all = all.and(Contacts{"webhook": {t.Webhook}})
	}
	return all
}

// Reached are the contacts of a person: those under contacts and mail.
func (p *Person) Reached() Contacts { return p.Contacts.and(Of(p.Mail...)) }

// and adds further contacts, each once.
func (c Contacts) and(more Contacts) Contacts {
	all := Contacts{}
	for _, from := range []Contacts{more, c} {
		for channel, addresses := range from {
			for _, address := range addresses {
				if !slices.Contains(all[channel], address) {
					all[channel] = append(all[channel], address)
				}
			}
		}
	}
	return all
}

// Channels lists the channels in which somebody is reached, in the order of their names.
func (c Contacts) Channels() []string { return slices.Sorted(maps.Keys(c)) }

// ofMailAlone reports whether a plain list says the same.
func (c Contacts) ofMailAlone() bool {
	return len(c) == 0 || len(c) == 1 && c[mail] != nil
}

// MarshalJSON writes a plain list where only addresses of mail are known.
func (c Contacts) MarshalJSON() ([]byte, error) {
	if c.ofMailAlone() {
		return json.Marshal(c[mail])
	}
	return json.Marshal(map[string][]string(c))
}

// UnmarshalJSON reads a plain list, or lists by channel.
func (c *Contacts) UnmarshalJSON(text []byte) error {
	var list []string
	if json.Unmarshal(text, &list) == nil {
		*c = Of(list...)
		return nil
	}
	return json.Unmarshal(text, (*map[string][]string)(c))
}

// UnmarshalYAML is UnmarshalJSON for files that are read without places.
func (c *Contacts) UnmarshalYAML(read func(any) error) error {
	var list []string
	if read(&list) == nil {
		*c = Of(list...)
		return nil
	}
	return read((*map[string][]string)(c))
}

// MarshalYAML is MarshalJSON for files.
func (c Contacts) MarshalYAML() (any, error) {
	if c.ofMailAlone() {
		return c[mail], nil
	}
	return map[string][]string(c), nil
}

// contacts reads Contacts from a document.
func (d *decoder) contacts(at document.Place, into reflect.Value) {
	if at.Node.Kind == document.Mapping {
		var by map[string][]string
		d.Fill(at, &by)
		into.Set(reflect.ValueOf(Contacts(by)))
		return
	}
	var list []string
	d.Fill(at, &list)
	into.Set(reflect.ValueOf(Of(list...)))
}

// checkContacts holds that the channels of a team exist, and that each address is one of
// its channel. Addresses of mail under the key mail are looked at like any field.
func (c *checker) checkContacts(t *Team, path string) {
	c.checkReach(t.Contacts, path+".contacts")
	c.checkReach(t.Escalate, path+".escalate")
	eachItem(path+".escalate_then", t.EscalateThen, func(step *Contacts, where string) { c.checkReach(*step, where) })
	if t.Rota == nil {
		return
	}
	eachItem(path+".rota.people", t.Rota.People, func(p *Person, where string) {
		c.checkReach(p.Contacts, where+".contacts")
		if len(p.Reached()) == 0 {
			c.refuse(where+".mail", missing.code, missing.sentence, missing.wayOut)
		}
	})
}

func (c *checker) checkReach(contacts Contacts, path string) {
	listed := c.doc.Find(path).Node.Kind == document.List
	for _, channel := range contacts.Channels() {
		where := path
		if !listed {
			where = document.Join(path, channel)
		}
		takes, known := channels[channel]
		if !known {
			c.refuse(where, "unknown-channel", protocols.Say("aucun canal « %s »", "no channel %q", channel), document.Suggest(channel, slices.Sorted(maps.Keys(channels))))
			continue
		}
		for i, address := range contacts[channel] {
			if takes(address) {
				continue
			}
			said := complaint{"bad-address", protocols.Say("ce n'est pas une adresse du canal %s", "this is no address of the channel %s", channel), none}
			if channel == mail {
				said = complaints["email"]
			}
			c.refuse(fmt.Sprintf("%s[%d]", where, i), said.code, said.sentence, said.wayOut)
		}
	}
}
