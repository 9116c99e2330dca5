package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

func init() {
	RegisterChannel(Channel{Name: "mail", Takes: func(address string) bool { return strings.Contains(address, "@") }})
	RegisterChannel(Channel{Name: "pager", Takes: func(address string) bool { return strings.HasPrefix(address, "+") }})
	RegisterChannel(Channel{Name: "push", Takes: func(address string) bool { return strings.HasPrefix(address, "https:") }, Vanishes: true})
}

const byChannel = `teams:
  - id: a
    name: A
    time_zone: Europe/Paris
    opens: "08:00"
    closes: "18:00"
    days: [monday]
    mail: [equipe@chu.example]
    contacts: {pager: ["+33100"], mail: [equipe@chu.example, autre@chu.example]}
    escalate: [astreinte@chu.example]
    escalate_then: [{pager: ["+33200"]}]
    rota:
      people: [{id: p, name: P, contacts: {pager: ["+33300"]}}]
`

// TestATeamIsReachedByChannel reads contacts by channel from a file and from a store.
func TestATeamIsReachedByChannel(t *testing.T) {
	reg, problems := check(t, byChannel, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	text, err := json.Marshal(reg.Teams[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"escalate":["astreinte@chu.example"]`) {
		t.Errorf("mail alone is kept as %s, want the list that earlier versions read", text)
	}
	var kept Team
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	if err := Write(&file, &Registry{Teams: []Team{kept}}); err != nil {
		t.Fatal(err)
	}
	exported, problems := check(t, file.String(), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, team := range []Team{reg.Teams[0], kept, exported.Teams[0]} {
		got := fmt.Sprint(team.First(), team.Escalate, team.EscalateThen, team.Rota.People[0].Reached())
		if want := "map[mail:[equipe@chu.example autre@chu.example] pager:[+33100]] map[mail:[astreinte@chu.example]] [map[pager:[+33200]]] map[pager:[+33300]]"; got != want {
			t.Errorf("read as %s\nwant    %s", got, want)
		}
	}
}

func TestATableNamesContactsByChannel(t *testing.T) {
	reg, problems := checkCSV(t, "id,name,time_zone,opens,closes,days,contacts.pager,escalate\na,A,Europe/Paris,08:00,18:00,monday,+331 +332,a@chu.example\n", "teams", nil)
	if len(problems) > 0 || len(reg.Teams) != 1 || fmt.Sprint(reg.Teams[0].Contacts, reg.Teams[0].Escalate) != "map[pager:[+331 +332]] map[mail:[a@chu.example]]" {
		t.Errorf("read as %+v, %+v", reg.Teams, problems)
	}
}

func TestAContactOfNoChannelIsRefusedWhereItStands(t *testing.T) {
	for _, c := range []struct{ from, to, code, place string }{
		{`pager: ["+33100"]`, `paper: ["+33100"]`, "unknown-channel", "9:23"},
		{`["+33100"]`, `["33100"]`, "bad-address", "9:24"},
		{`[astreinte@chu.example]`, `[astreinte]`, "bad-mail", "10:16"},
		{`contacts: {pager: ["+33300"]}`, `mail: []`, "missing", ""},
		{`[{pager: ["+33200"]}]`, `[{pager: [200]}]`, "bad-address", ""},
		{`[{pager: ["+33200"]}]`, `pager`, "wrong-shape", ""},
		{`[astreinte@chu.example]`, `{push: ["https://a"]}`, "contact-may-end", ""},
		{`[{pager: ["+33200"]}]`, `[{push: ["https://a"]}]`, "contact-may-end", ""},
		{`contacts: {pager: ["+33300"]}`, `contacts: {push: ["https://a", "https://b"]}`, "contact-may-end", ""},
	} {
		doc, err := yaml.Parse([]byte(strings.Replace(byChannel, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		_, problems, err := Check(t.Context(), doc, heart, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(problems, func(p document.Problem) bool {
			return p.Code == c.code && (c.place == "" || fmt.Sprintf("%d:%d", p.Line, p.Column) == c.place)
		}) {
			t.Errorf("%s: want %s at %s, got %+v", c.to, c.code, c.place, problems)
		}
	}
}

// A device beside a mail address is a contact like any other. Taken out of the team, it
// leaves everybody reached, and the file as it was before.
func TestADeviceThatIsNoMoreLeavesItsPersonReached(t *testing.T) {
	before, problems := check(t, byChannel, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	text := strings.NewReplacer(`[astreinte@chu.example]`, `{mail: [astreinte@chu.example], push: ["https://a"]}`, `{pager: ["+33300"]}`, `{pager: ["+33300"], push: ["https://a", "https://b"]}`).Replace(byChannel)
	reg, problems := check(t, text, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	team := &reg.Teams[0]
	if got := team.Of("push"); !slices.Equal(got, []string{"https://a", "https://b"}) {
		t.Errorf("the devices of the team are %v", got)
	}
	if got := team.Without("push", "https://c"); got != nil {
		t.Errorf("beside a device that nobody has stands %v", got)
	}
	if got := fmt.Sprint(team.Without("push", "https://a")); got != "map[mail:[astreinte@chu.example] pager:[+33300] push:[https://b]]" {
		t.Errorf("beside it stands %v", got)
	}
	if got := fmt.Sprint(team.Without("push", "https://b")); got != "map[pager:[+33300] push:[]]" {
		t.Errorf("beside the other stands %v", got)
	}
	if Tag(team) != Tag(&before.Teams[0]) {
		t.Errorf("the team is %+v, want %+v", team, before.Teams[0])
	}
}
