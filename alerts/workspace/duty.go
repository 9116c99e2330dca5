package workspace

import (
	"errors"
	"net/http"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
)

var errNoTeam = refuse(alerts.Unknown, "Aucune équipe ne porte cette référence.", "There is no care team with this reference.")

// dutyJSON is who answers for a team, as programs read it.
type dutyJSON struct {
	Team        string       `json:"team"`
	At          time.Time    `json:"at"`
	Open        bool         `json:"open"`
	OnDuty      []personJSON `json:"on_duty"`
	Next        *changeJSON  `json:"next,omitempty"`
	Unreachable time.Time    `json:"unreachable_from,omitzero"` // nobody reads what is to call somebody then
}

type changeJSON struct {
	At     time.Time    `json:"at"`
	OnDuty []personJSON `json:"on_duty"`
}

type personJSON struct {
	ID   string   `json:"id,omitempty"`
	Name string   `json:"name,omitempty"`
	Mail []string `json:"mail"`
	// Contacts are the addresses of other channels, by channel.
	Contacts map[string][]string `json:"contacts,omitempty"`
}

func peopleJSON(people []alerts.Person) []personJSON {
	list := make([]personJSON, len(people))
	for i, p := range people {
		list[i] = personJSON{ID: p.ID, Name: p.Name}
		for _, contact := range p.Contacts {
			channel, address := alerts.ChannelOf(contact)
			if channel == alerts.Mail {
				list[i].Mail = append(list[i].Mail, address)
				continue
			}
			if list[i].Contacts == nil {
				list[i].Contacts = map[string][]string{}
			}
			list[i].Contacts[channel] = append(list[i].Contacts[channel], address)
		}
	}
	return list
}

// duty says who is on duty for a team now, or at another moment, and who is next.
func (w *Workspace) duty(rw http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !access.From(r.Context()).MayIn(access.SeePatients, id) {
		w.fail(rw, r, errNoTeam)
		return
	}
	at := w.Now().UTC()
	if asked := r.URL.Query().Get("at"); asked != "" {
		var err error
		if at, err = instant("at", asked); err != nil {
			w.fail(rw, r, err)
			return
		}
	}
	d, err := w.Duty(r.Context(), id, at)
	if errors.Is(err, registry.ErrNotFound) {
		err = errNoTeam
	}
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	answer := dutyJSON{Team: id, At: at, Open: d.Open, OnDuty: peopleJSON(d.OnDuty), Unreachable: d.Unreachable}
	if !d.Next.IsZero() {
		answer.Next = &changeJSON{d.Next, peopleJSON(d.Then)}
	}
	w.reply(rw, r, http.StatusOK, answer)
}
