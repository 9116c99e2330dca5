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

// channels are the channels there are, by name.
var channels = map[string]Channel{}

// Channel is what a registry knows of a channel by which teams may be reached.
type Channel struct {
	Name  string
	Takes func(address string) bool // reports whether an address is one of the channel
	// Vanishes is true where an address may end by itself: nobody may be reached by that
	// channel alone.
	Vanishes bool
}

// RegisterChannel adds a channel. It is called before any registry is read.
func RegisterChannel(c Channel) { channels[c.Name] = c }

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
	c.checkLasting(t.First(), path+".contacts")
	c.checkReach(t.Escalate, path+".escalate")
	c.checkLasting(t.Escalate, path+".escalate")
	eachItem(path+".escalate_then", t.EscalateThen, func(step *Contacts, where string) {
		c.checkReach(*step, where)
		c.checkLasting(*step, where)
	})
	if t.Rota == nil {
		return
	}
	eachItem(path+".rota.people", t.Rota.People, func(p *Person, where string) {
		c.checkReach(p.Contacts, where+".contacts")
		c.checkLasting(p.Reached(), where+".contacts")
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
		of, known := channels[channel]
		if !known {
			c.refuse(where, "unknown-channel", protocols.Say("aucun canal « %s »", "no channel %q", channel), document.Suggest(channel, slices.Sorted(maps.Keys(channels))))
			continue
		}
		for i, address := range contacts[channel] {
			if of.Takes(address) {
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

// checkLasting holds that nobody is reached by a channel alone whose addresses end by
// themselves: whoever clears a telephone would be on duty and hear nothing.
func (c *checker) checkLasting(contacts Contacts, path string) {
	for _, channel := range contacts.Channels() {
		if !channels[channel].Vanishes {
			return
		}
	}
	if len(contacts) > 0 {
		c.refuse(path, "contact-may-end", protocols.Say("un appareil peut se désabonner de lui-même : ce contact ne suffit pas", "a device may unsubscribe by itself: this contact is not enough"),
			protocols.Say("ajouter une adresse de courriel à côté", "add a mail address beside it"))
	}
}

// each calls f with every list of contacts of a team, and keeps what f returns.
func (t *Team) each(f func(Contacts) Contacts) {
	t.Contacts, t.Escalate = f(t.Contacts), f(t.Escalate)
	for i := range t.EscalateThen {
		t.EscalateThen[i] = f(t.EscalateThen[i])
	}
	if t.Rota != nil {
		for i := range t.Rota.People {
			t.Rota.People[i].Contacts = f(t.Rota.People[i].Contacts)
		}
	}
}

// Without takes a contact out of every list of a team. It returns what else stands in those
// lists; nil where the team does not have the contact.
func (t *Team) Without(channel, address string) (beside Contacts) {
	if t.Rota != nil { // a person's mail may stand under a key of its own
		for i := range t.Rota.People {
			if p := &t.Rota.People[i]; slices.Contains(p.Contacts[channel], address) {
				beside = p.Reached().and(beside)
			}
		}
	}
	t.each(func(c Contacts) Contacts {
		if !slices.Contains(c[channel], address) {
			return c
		}
		beside = c.and(beside)
		c = maps.Clone(c)
		if c[channel] = slices.DeleteFunc(slices.Clone(c[channel]), func(a string) bool { return a == address }); len(c[channel]) == 0 {
			delete(c, channel)
		}
		return c
	})
	if beside != nil {
		beside[channel] = slices.DeleteFunc(beside[channel], func(a string) bool { return a == address })
	}
	return beside
}

// Of lists the contacts of a team that are of a channel, each once.
func (t *Team) Of(channel string) []string {
	all := Contacts{}
	t.each(func(c Contacts) Contacts {
		all = all.and(Contacts{channel: c[channel]})
		return c
	})
	return all[channel]
}
