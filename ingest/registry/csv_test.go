package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

func checkCSV(t *testing.T, table, record string, known Known) (Registry, []document.Problem) {
	t.Helper()
	doc, problems := ParseCSV([]byte(table), record)
	reg, more, err := Check(t.Context(), doc, heart, known)
	if err != nil {
		t.Fatal(err)
	}
	return reg, append(problems, more...)
}

func TestTableSaysTheSameAsYAML(t *testing.T) {
	want, _ := check(t, ward[strings.Index(ward, "devices:"):strings.Index(ward, "enrolments:")], nil)
	for name, table := range map[string]string{
		"commas":     "name,serial,kind,brand,model\nscale-1,A1,scale,Balancia,B-200\nscale-2,A2,scale,Balancia,B-200\n",
		"semicolons": "\ufeffname;serial;kind;brand;model\r\nscale-1;A1;scale;Balancia;B-200\r\nscale-2;A2;scale;Balancia;B-200\r\n",
		"tabs":       "name\tserial\tkind\tbrand\tmodel\nscale-1\tA1\tscale\tBalancia\tB-200\nscale-2\tA2\tscale\tBalancia\tB-200",
	} {
		got, problems := checkCSV(t, table, "devices", nil)
		if len(problems) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v\n%+v", name, problems, got)
		}
	}
}

func TestOneTableMayHoldEverything(t *testing.T) {
	reg, problems := checkCSV(t, `record,id,name,time_zone,opens,closes,days,serial,kind,brand,identity.ins,identity.oid,identity.birth_name,identity.given_names,identity.first_given_name,identity.sex,identity.birth_date,identity.birth_place,patient,protocol,version,team,physician,devices,consent.given,consent.date,consent.scope,from,prescription_end,settings.fast-gain.value,settings.fast-gain.author,settings.fast-gain.date,settings.fast-gain.reason
teams,cardio,Cardiologie,Europe/Paris,08:30,18:00,monday friday,,,,,,,,,,,,,,,,,,,,,,,,,,
patients,p-1,,,,,,,,,277076322082910,1.2.250.1.213.1.4.10,DURAND,ANNE MARIE,ANNE,F,1977-07-04,63220,,,,,,,,,,,,,,,
devices,,scale-1,,,,,A1,scale,Balancia,,,,,,,,,,,,,,,,,,,,,,,
devices,,scale-2,,,,,A2,scale,Balancia,,,,,,,,,,,,,,,,,,,,,,,
enrolments,e-1,,Indian/Reunion,,,,,,,,,,,,,,,p-1,heart-failure,1,cardio,10001234565,scale-1 scale-2,true,2026-01-02,weight,2026-01-05,2026-12-31,1.5,Dr Aubry,2026-01-05,small build
`, "", nil)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	e := reg.Enrolments[0]
	if len(e.Devices) != 2 || e.Settings["fast-gain"].Value != 1500 || !slices.Equal(reg.Teams[0].Days, []string{"monday", "friday"}) {
		t.Errorf("%+v", reg)
	}
}

func TestProblemsOfATableNameTheCell(t *testing.T) {
	for _, c := range []struct{ table, record, code, place string }{
		{"name,serial,kind\nscale-1,A1,scale\n\"scale 2\",A2,scale\n", "devices", "bad-name", "3:1"},
		{"name,seriel,kind\nscale-1,A1,scale\n", "devices", "unknown-key", "2:9"},
		{"name,serial,kind\nscale-1,A1\n", "devices", "malformed", "2:1"},
		{"name,serial,kind\nscale-1,\"A1,scale\n", "devices", "malformed", "2:19"},
		{"name,serial,kind\nscale-1,A1,scale\n", "", "unknown-record", "2:1"},
		{"record,name,serial,kind\ndevice,scale-1,A1,scale\n", "", "unknown-record", "2:1"},
		{"name.first,name\na,b\n", "devices", "wrong-shape", "2:1"},
	} {
		_, problems := checkCSV(t, c.table, c.record, nil)
		if !slices.ContainsFunc(problems, func(p document.Problem) bool {
			return p.Message.FR != "" && p.Code == c.code && fmt.Sprintf("%d:%d", p.Line, p.Column) == c.place
		}) {
			t.Errorf("%q: want %s at %s, got %+v", c.table, c.code, c.place, problems)
		}
	}
}

// FuzzCheck holds the reading of a registry to never panicking, whatever the
// document.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(ward), false)
	f.Add([]byte("record,id,settings.a.value\nenrolments,e-1,4\n"), true)
	f.Add([]byte("teams: {a: [b]}\nenrolments: [[1], null, {settings: {x: 3}, pauses: [1]}]"), false)
	f.Fuzz(func(t *testing.T, data []byte, table bool) {
		var doc *document.Node
		if table {
			doc, _ = ParseCSV(data, "")
		} else if parsed, err := yaml.Parse(data); err == nil {
			doc = parsed
		} else {
			return
		}
		reg, problems, err := Check(t.Context(), doc, heart, nil)
		if err != nil {
			t.Fatal(err)
		}
		if Refused(problems) {
			return
		}
		var out strings.Builder
		if err := Write(&out, &reg); err != nil {
			t.Fatal(err)
		}
	})
}
