package document

import "vigie/protocols"

// Component reads the name of a component of m. It returns -1 for a name that m does not
// have, and notes those that it has.
func (r *Reader) Component(at Place, m *protocols.Measure) int {
	name := r.Word(at)
	i := m.Component(name)
	if i < 0 {
		r.Fault(at, "unknown-component", protocols.Say("« %s » n'a pas de composante « %s »", "%s has no component %q", m.ID, name), Suggest(name, m.ComponentNames()))
	}
	return i
}
