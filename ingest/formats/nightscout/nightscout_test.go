package nightscout_test

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/formats/nightscout"
	"vigie/protocols"
)

func decode(payload string) (batch ingest.Batch) {
	nightscout.Decoder{}.Decode("vigie/v1/cgm-1/nightscout", "cgm-1", []byte(payload), &batch)
	return batch
}

// said is what a payload gives.
func said(payload string) string {
	batch := decode(payload)
	var all []string
	for i := range batch.Readings {
		r := &batch.Readings[i]
		shown, limit := r.Shown(0)
		all = append(all, r.Measure.ID+"/"+r.Measure.Variants[r.Variant-1]+" "+limit.Sign()+shown.String()+" "+r.Time.Format(time.RFC3339Nano))
	}
	for _, r := range batch.Refused {
		text := "refused"
		for _, reason := range r.Reasons {
			text += " " + string(reason.Code) + " " + reason.Path
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func of(sgv, more string) string {
	return `{"type":"sgv","sgv":` + sgv + `,"date":1795240931000,"dateString":"2026-11-21T06:02:11.000Z","direction":"Flat","noise":1` + more + `}`
}

func TestEntriesAreReadOrRefused(t *testing.T) {
	const at = " 2026-11-21T06:02:11Z"
	for name, c := range map[string]struct{ payload, want string }{
		"an entry":                      {of("118", ""), "glucose/interstitial 118" + at},
		"as a text":                     {of(`"118"`, ""), "glucose/interstitial 118" + at},
		"a list":                        {"[" + of("118", "") + "," + of("7", "") + "]", "glucose/interstitial 118" + at + "; refused not-a-number [1].sgv"},
		"LOW of Dexcom":                 {of("39", ""), "glucose/interstitial < 40" + at},
		"LOW of Dexcom, named":          {of("39", `,"device":"dexcom"`), "glucose/interstitial < 40" + at},
		"HIGH of Dexcom":                {of("401", ""), "glucose/interstitial > 400" + at},
		"the same numbers of another":   {"[" + of("39", `,"device":"xDrip-LibreReceiver"`) + "," + of("401", `,"device":"xDrip-LibreReceiver"`) + "]", "glucose/interstitial 39" + at + "; glucose/interstitial 401" + at},
		"an id of the database":         {of("118", `,"_id":{"$oid":"6559a8ec7cd3a1e078474d5d"}`), "glucose/interstitial 118" + at},
		"dateString alone":              {`{"type":"sgv","sgv":118,"dateString":"2026-11-21T07:02:11.000+0100"}`, "glucose/interstitial 118" + at},
		"date alone":                    {`{"type":"sgv","sgv":118,"date":1795240931000}`, "glucose/interstitial 118" + at},
		"a date with a fraction":        {`{"type":"sgv","sgv":118,"date":1795240931000.25}`, "glucose/interstitial 118" + at},
		"a local dateString and a date": {`{"type":"sgv","sgv":118,"date":1795240931000,"dateString":"Sat Nov 21 2026"}`, "glucose/interstitial 118" + at},

		"an error code":         {of("10", ""), "refused not-a-number sgv"},
		"no JSON":               {"{", "refused malformed "},
		"an empty list":         {"[]", "refused malformed "},
		"a value twice":         {of("118", `,"sgv":39`), "refused malformed sgv"},
		"a meter":               {strings.Replace(of("118", ""), `"type":"sgv"`, `"type":"mbg"`, 1), "refused unknown-measure type"},
		"no type":               {`{"sgv":118,"date":1795240931000}`, "refused unknown-measure type"},
		"no value":              {`{"type":"sgv","date":1795240931000}`, "refused missing-value sgv"},
		"a word":                {of(`"LOW"`, ""), "refused not-a-number sgv"},
		"a list for a value":    {of(`[118]`, ""), "refused not-a-number sgv"},
		"null":                  {of("null", ""), "refused not-a-number sgv"},
		"beyond every sensor":   {of("4000", ""), "refused implausible sgv"},
		"no time":               {`{"type":"sgv","sgv":118}`, "refused missing-value date"},
		"two moments":           {strings.Replace(of("118", ""), "06:02:11", "07:02:11", 1), "refused inconsistent dateString"},
		"a date before 1970":    {`{"type":"sgv","sgv":118,"date":-1}`, "refused malformed date"},
		"a dateString and none": {`{"type":"sgv","sgv":118,"dateString":"21/11/2026"}`, "refused malformed dateString"},
	} {
		if got := said(c.payload); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

func TestAnEntryHasOneId(t *testing.T) {
	id := func(payload string) string { return decode(payload).Readings[0].ID }
	if got := id(of("118", `,"_id":"6559a8ec7cd3a1e078474d5d"`)); got != "6559a8ec7cd3a1e078474d5d" {
		t.Errorf("its own id is %q", got)
	}
	if got := id(of("118", `,"identifier":"0fd1"`)); got != "0fd1" {
		t.Errorf("its identifier is %q", got)
	}
	if id(of("118", "")) != id(of("119", "")) || id(of("118", "")) == id(of("118", `,"device":"other"`)) {
		t.Error("without one, it follows from who told it and when")
	}
}

// FuzzDecode holds that whatever comes is read or refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(of("118", "")))
	f.Add([]byte("[" + of("39", "") + ",3,{}]"))
	f.Add([]byte(`{"type":"sgv","sgv":"118","dateString":"2026-11-21T07:02:11.000+0100","_id":"a"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		batch := decode(string(payload))
		if len(batch.Readings)+len(batch.Refused) == 0 || len(batch.Parts) != len(batch.Readings) {
			t.Fatalf("a payload gives nothing, or readings without their parts: %+v", batch)
		}
		for i := range batch.Readings {
			r := &batch.Readings[i]
			if r.ID == "" || r.Measure == nil || r.Variant == 0 {
				t.Errorf("accepted %+v", r)
			}
			if shown, _ := r.Shown(0); shown < protocols.Value(39_000) {
				t.Errorf("accepted an error code as %s", shown)
			}
		}
	})
}
