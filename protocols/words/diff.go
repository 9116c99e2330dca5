package words

import (
	"slices"
	"strings"

	"vigie/protocols"
)

// Diff says what changes for a patient who moves from protocol a to protocol b,
// in "fr" or "en". A sheet without parts means that nothing changes.
func Diff(a, b *protocols.Protocol, language string) *Sheet {
	before, after := &narrator{protocol: a, language: language, named: true}, &narrator{protocol: b, language: language, named: true}
	d := &difference{before, after}
	sheet := &Sheet{Title: after.say("De %s version %s à %s version %s", "From %s version %s to %s version %s", a.ID, a.Version, b.ID, b.Version)}
	for _, part := range []SheetPart{d.general(), d.observations(), d.parameters(), d.rules(), d.answers()} {
		if len(part.Lines)+len(part.Items) > 0 {
			sheet.Parts = append(sheet.Parts, part)
		}
	}
	if len(sheet.Parts) == 0 {
		sheet.Lead = []string{after.say("Rien ne change pour le patient.", "Nothing changes for the patient.")}
	}
	return sheet
}

// difference compares the sentences of two protocols: what reads the same is
// the same for a patient.
type difference struct{ before, after *narrator }

// changed is a line that says so, or nothing.
func (d *difference) changed(what, before, after string) []string {
	if before == after {
		return nil
	}
	return []string{d.after.say("%s — avant : %s", "%s — before: %s", what, before), d.after.say("%s — maintenant : %s", "%s — now: %s", what, after)}
}

func (d *difference) general() SheetPart {
	w := d.after
	part := SheetPart{Heading: w.say("En général", "In general")}
	was, is := d.before.whom(), d.after.whom()
	part.Lines = append(part.Lines, d.changed(w.say("Validation", "Validation"), d.before.lead()[1], d.after.lead()[1])...)
	part.Lines = append(part.Lines, d.changed(w.say("Pour qui", "For whom"), strings.Join(was.Lines, " "), strings.Join(is.Lines, " "))...)
	part.Lines = append(part.Lines, d.changed(w.say("Ce que le patient lit", "What the patient reads"), d.before.told().Lines[0], d.after.told().Lines[0])...)
	return part
}

func (d *difference) observations() SheetPart {
	part := SheetPart{Heading: d.after.observed().Heading}
	was, is := d.before.observed().Lines, d.after.observed().Lines
	for _, line := range was {
		if !slices.Contains(is, line) {
			part.Lines = append(part.Lines, d.after.say("Avant : %s", "Before: %s", line))
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			part.Lines = append(part.Lines, d.after.say("Maintenant : %s", "Now: %s", line))
		}
	}
	return part
}

func (d *difference) parameters() SheetPart {
	part := SheetPart{Heading: d.after.adjustable().Heading}
	named := func(w *narrator) (items []keyed) {
		for i := range w.protocol.Parameters {
			p := &w.protocol.Parameters[i]
			items = append(items, keyed{p.Name, w.parameter(p)})
		}
		return items
	}
	part.Items = d.items(named(d.before), named(d.after))
	return part
}

func (d *difference) rules() SheetPart {
	part := SheetPart{Heading: d.after.say("Règles", "Rules")}
	named := func(w *narrator) (items []keyed) {
		for i := range w.protocol.Rules {
			items = append(items, keyed{w.protocol.Rules[i].ID, w.rule(&w.protocol.Rules[i])})
		}
		return items
	}
	part.Items = d.items(named(d.before), named(d.after))
	return part
}

// keyed is an item with the name by which it is found again.
type keyed struct {
	key  string
	item SheetItem
}

// items says of each item whether it is new, gone or different.
func (d *difference) items(was, is []keyed) []SheetItem {
	w := d.after
	var changes []SheetItem
	find := func(list []keyed, key string) *SheetItem {
		for i := range list {
			if list[i].key == key {
				return &list[i].item
			}
		}
		return nil
	}
	for _, k := range is {
		old := find(was, k.key)
		switch {
		case old == nil:
			changes = append(changes, SheetItem{w.say("Nouveau : %s", "New: %s", k.item.Title), k.item.Lines})
		default:
			if lines := d.lines(old, &k.item); len(lines) > 0 {
				changes = append(changes, SheetItem{w.say("Changé : %s", "Changed: %s", k.item.Title), lines})
			}
		}
	}
	for _, k := range was {
		if find(is, k.key) == nil {
			changes = append(changes, SheetItem{w.say("Supprimé : %s", "Removed: %s", k.item.Title), k.item.Lines})
		}
	}
	return changes
}

func (d *difference) lines(old, current *SheetItem) []string {
	var lines []string
	if old.Title != current.Title {
		lines = append(lines, d.after.say("Avant : %s", "Before: %s", old.Title))
	}
	for _, line := range old.Lines {
		if !slices.Contains(current.Lines, line) {
			lines = append(lines, d.after.say("Avant : %s", "Before: %s", line))
		}
	}
	for _, line := range current.Lines {
		if !slices.Contains(old.Lines, line) {
			lines = append(lines, d.after.say("Maintenant : %s", "Now: %s", line))
		}
	}
	return lines
}

func (d *difference) answers() SheetPart {
	part := SheetPart{Heading: d.after.answers().Heading}
	was, is := d.before.answers().Lines, d.after.answers().Lines
	for _, line := range is {
		if !slices.Contains(was, line) {
			part.Lines = append(part.Lines, d.after.say("Maintenant : %s", "Now: %s", line))
		}
	}
	for _, line := range was {
		if !slices.Contains(is, line) {
			part.Lines = append(part.Lines, d.after.say("Avant : %s", "Before: %s", line))
		}
	}
	return part
}
