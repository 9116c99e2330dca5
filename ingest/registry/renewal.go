package registry

import (
	"slices"

	"vigie/protocols"
)

// checkRenewals ends an enrolment where another of the same patient under the same
// protocol takes over: from then on each reading counts in one of them, and rings once.
// So the last day of a prescription may be the first of the next one.
//
// An enrolment that ends sooner, and that the registry knows and the document does not
// name, is added to what is read.
func (c *checker) checkRenewals() {
	known := map[string]*Enrolment{}
	eachItem("enrolments", c.reg.Enrolments, func(e *Enrolment, path string) {
		for _, other := range c.sharing(e) {
			if other.takesOver(e) {
				e.Prescription = other.From
			}
			if ended := known[other.ID]; ended != nil {
				other = ended
			}
			if c.enrolled[other.ID] == nil && e.takesOver(other) {
				ended := *other
				ended.Prescription = e.From
				known[other.ID] = &ended
			}
			if e.doubles(other) && e.lacks(other) {
				c.warn(path+".devices", "rings-twice",
					protocols.Say("un appareil sert aussi à l'inclusion %s du même patient sous le même protocole : ses mesures alertent dans les deux", "a device also feeds the enrolment %s of the same patient under the same protocol: its readings ring in both", other.ID),
					protocols.Say("nommer tous les appareils de l'ancienne inclusion, ou commencer le lendemain de son dernier jour", "name every device of the former enrolment, or begin on the day after its last"))
			}
		}
	})
	for _, id := range keys(known) {
		c.reg.Enrolments = append(c.reg.Enrolments, *known[id])
	}
}

// sharing lists the other enrolments of the same patient under the same protocol that
// a device of e feeds: those of the document, and those that it does not replace.
func (c *checker) sharing(e *Enrolment) (others []*Enrolment) {
	for _, name := range e.Devices {
		for _, other := range c.feeding(name) {
			if other.ID != e.ID && other.Patient == e.Patient && other.Protocol == e.Protocol && !slices.Contains(others, other) {
				others = append(others, other)
			}
		}
	}
	return others
}

// feeding lists the enrolments that a device feeds once the document is imported.
func (c *checker) feeding(device string) []*Enrolment {
	if c.fed == nil {
		c.fed = map[string][]*Enrolment{}
		for i := range c.reg.Enrolments {
			e := &c.reg.Enrolments[i]
			for _, name := range e.Devices {
				if _, seen := c.fed[name]; !seen {
					c.fed[name] = c.knownUsers(name)
				}
				c.fed[name] = append(c.fed[name], e)
			}
		}
	}
	return c.fed[device]
}

// doubles reports whether e begins, with consent, before a former enrolment ends.
func (e *Enrolment) doubles(former *Enrolment) bool {
	return !e.Proposed && former.Begins().Before(e.From) && e.From.Before(former.Prescription) && e.Consent.At(e.From)
}

// lacks reports whether e does not name every device of a former enrolment.
func (e *Enrolment) lacks(former *Enrolment) bool {
	return slices.ContainsFunc(former.Devices, func(d string) bool { return !slices.Contains(e.Devices, d) })
}

// takesOver reports whether e goes on in the place of a former enrolment.
func (e *Enrolment) takesOver(former *Enrolment) bool { return e.doubles(former) && !e.lacks(former) }

// goesOn reports whether another enrolment goes on where one ends.
func (reg *Registry) goesOn(ended *Enrolment) bool {
	return slices.ContainsFunc(reg.Enrolments, func(e Enrolment) bool {
		return !e.Proposed && e.From.Equal(ended.Prescription) && e.Patient == ended.Patient && e.Protocol == ended.Protocol
	})
}
