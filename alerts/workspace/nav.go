package workspace

import "vigie/alerts/access"

// places are the parts of the navigation, in order, by the pattern of their route: who may
// not go there, or where it is not served, does not see it.
var places = []struct{ name, pattern, link, word string }{
	{"desk", "GET /alerts", "/", "desk.title"}, // whose route all share: who sees no patients finds their account there
	{"list", "GET /alerts", "/alerts", "nav.alerts"},
	{"devices", "GET /devices", "/devices", "devices.title"},
	{"aside", "GET /set-aside", "/set-aside", "aside.title"},
	{"team", "GET /team", "/team", "nav.team"},
	{"enrol", "GET /enrol", "/enrol", "enrol.title"},
	{"figures", "GET /figures", "/figures", "figures.title"},
	{"accounts", "GET /accounts", "/accounts", "accounts.title"},
	{"retention", "GET /retention", "/retention", "retention.short"},
	{"trail", "GET /trail", "/trail", "trail.title"},
}

// navItem is one link of the navigation.
type navItem struct{ Name, Link, Text string }

// navigation lists where who asks may go.
func (w *Workspace) navigation(v view, who access.Who) (list []navItem) {
	for _, p := range places {
		needs, served := w.needs[p.pattern]
		if served && (needs == "" || who.May(needs)) {
			list = append(list, navItem{p.name, p.link, v.T(p.word)})
		}
	}
	return list
}
