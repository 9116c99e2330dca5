package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// pushView is the part of somebody's own page that is about the devices which push messages
// reach. nil where they are closed.
type pushView struct {
	Key     string // that browsers subscribe with
	Teams   string // in whose rota the person stands; empty for none
	Devices []pushDevice
}

// pushDevice is one subscription of a browser.
type pushDevice struct {
	Shown  string
	Digest string // by which a form and a script name it
}

// PushSaid is what the last form came to.
func (v accountView) PushSaid() string {
	if v.said == "" {
		return ""
	}
	return v.T("push." + v.said)
}

// pushSaid takes from an address only what a form can have come to.
func pushSaid(asked string) string {
	if asked == "subscribed" || asked == "dropped" {
		return asked
	}
	return ""
}

func (w *Workspace) canPush() bool { return w.PushKey != "" && w.Change != nil }

// worker shows a message that comes while no page is open. It stands under a name of its
// own, since browsers look there for a newer one.
func (w *Workspace) pushWorker(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", kinds["js"])
	rw.Header().Set("Cache-Control", "no-cache")
	if _, err := rw.Write(w.pages.worker); err != nil {
		w.Log.Debug("the worker was not sent", "error", err)
	}
}

// pushOf lists the devices of who asks.
func (w *Workspace) pushOf(r *http.Request, login string) (*pushView, error) {
	if !w.canPush() || login == "" {
		return nil, nil
	}
	teams, err := w.rotasOf(r, login)
	if err != nil {
		return nil, err
	}
	v := &pushView{Key: w.PushKey}
	var names []string
	for i := range teams {
		names = append(names, teams[i].Name)
		for _, address := range devicesOf(&teams[i], access.From(r.Context()), login) {
			d := pushDevice{alerts.ShownContact(alerts.Contact(alerts.Push, address)), digestOf(address)}
			if !slices.Contains(v.Devices, d) {
				v.Devices = append(v.Devices, d)
			}
		}
	}
	v.Teams = strings.Join(names, ", ")
	return v, nil
}

func digestOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}

// rotasOf are the teams of who asks in whose rota they stand.
func (w *Workspace) rotasOf(r *http.Request, login string) (found []registry.Team, err error) {
	who := access.From(r.Context())
	for _, id := range who.Teams {
		team, err := w.Change.Team(r.Context(), id)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(selfIn(team, who, login)) > 0 {
			found = append(found, *team)
		}
	}
	return found, nil
}

// selfIn is who asks in the rota of a team: by the login, or by the name that signs acts, as
// alerts are assigned.
func selfIn(team *registry.Team, who access.Who, login string) (people []*registry.Person) {
	if team.Rota == nil {
		return nil
	}
	for i := range team.Rota.People {
		if p := &team.Rota.People[i]; p.ID == login || p.Name == who.Name {
			people = append(people, p)
		}
	}
	return people
}

func devicesOf(team *registry.Team, who access.Who, login string) (addresses []string) {
	for _, p := range selfIn(team, who, login) {
		addresses = append(addresses, p.Contacts[alerts.Push]...)
	}
	return addresses
}

// mostDevices is how many devices of one person are told.
const mostDevices = 5

// subscribeForm adds a device of who asks to their contacts, or takes one out.
func (w *Workspace) subscribeForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	said, err := w.subscribe(r)
	var refused *alerts.Refused
	if errors.As(err, &refused) {
		w.showOwnAccount(rw, r, statuses[refused.Code], accountView{Error: refused.Text.In(languageOf(r))})
		return
	}
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	http.Redirect(rw, r, "/account?said="+said+"#push", http.StatusSeeOther)
}

func (w *Workspace) subscribe(r *http.Request) (said string, err error) {
	ctx, who := r.Context(), access.From(r.Context())
	account, err := w.Accounts.Store.Account(ctx, who.Account)
	if err != nil {
		return "", err
	}
	teams, err := w.rotasOf(r, account.Login)
	if err != nil {
		return "", err
	}
	if len(teams) == 0 {
		return "", errNotAllowed
	}
	address, drop := r.PostForm.Get("address"), r.PostForm.Get("drop")
	for i := range teams {
		team := &teams[i]
		seen := registry.Tag(team)
		if changed, err := changeDevices(selfIn(team, who, account.Login), address, drop); err != nil || !changed {
			if err != nil {
				return "", err
			}
			continue
		}
		if err := w.keepDevices(r, team, seen); err != nil {
			return "", err
		}
	}
	if drop != "" {
		return "dropped", nil
	}
	return "subscribed", nil
}

// changeDevices adds a device to a person, or takes one out. It reports whether anything
// differs.
func changeDevices(people []*registry.Person, address, drop string) (changed bool, err error) {
	for _, p := range people {
		devices := slices.Clone(p.Contacts[alerts.Push])
		kept := slices.DeleteFunc(slices.Clone(devices), func(a string) bool { return a == address || digestOf(a) == drop })
		if address != "" {
			kept = append(kept, address)
		}
		if len(kept) > mostDevices {
			return false, refuse(codeUnusable, "Cinq appareils au plus : retirez-en un d'abord.", "Five devices at most: remove one first.")
		}
		if slices.Equal(devices, kept) {
			continue
		}
		changed = true
		contacts := registry.Contacts{alerts.Push: kept}
		for channel, list := range p.Contacts {
			if channel != alerts.Push {
				contacts[channel] = list
			}
		}
		if len(kept) == 0 {
			delete(contacts, alerts.Push)
		}
		p.Contacts = contacts
	}
	return changed, nil
}

// keepDevices keeps a team with the devices of who asks, who may change nothing else of it.
func (w *Workspace) keepDevices(r *http.Request, team *registry.Team, seen string) error {
	whole, err := registry.Object(team)
	if err != nil {
		return err
	}
	change := registry.Change{Item: registry.Item{Kind: registry.KindTeam, ID: team.ID}, Whole: whole, Seen: seen, By: w.by(r)}
	change.Before = func(any) error {
		actsFor(r.Context(), "", change.Item.String(), "")
		return nil
	}
	done, err := change.Make(r.Context(), w.Change, w.Protocol)
	if errors.Is(err, registry.ErrChanged) {
		return errChanged
	}
	if err != nil {
		return err
	}
	if registry.Refused(done.Problems) {
		w.Log.Warn("a device cannot be subscribed", "path", done.Problems[0].Path, "code", done.Problems[0].Code)
		return &alerts.Refused{Code: codeUnusable, Text: protocols.Text{
			FR: "Cet appareil ne peut pas être inscrit : " + done.Problems[0].Message.FR + ".", EN: "This device cannot be subscribed: " + done.Problems[0].Message.EN + "."}}
	}
	w.guards.forget()
	return nil
}
