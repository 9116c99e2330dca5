package native_test

import (
	"testing"

	"vigie/ingest"
	"vigie/ingest/formats/native"
)

// Whoever looks at what was refused reads what the device sent and what it can send, in
// people's units and in both languages.
func TestWhatWasRefusedIsToldToAPerson(t *testing.T) {
	for name, c := range map[string]struct{ payload, fr, en string }{
		"an impossible weight": {
			`{"id":"1","time":"2026-11-27T06:15:00+01:00","measure":"weight","values":{"value":761.2},"unit":"kg"}`,
			"Envoyé : poids 761,2 kg, daté du 27 nov. à 06:15. Un appareil peut indiquer de 2 à 400 kg.",
			"Sent: body weight 761.2 kg, dated 27 Nov at 06:15. A device can report 2 to 400 kg.",
		},
		"the same in a message of several": {
			`[{"id":"1","time":"2026-11-27T06:15:00Z","measure":"weight","values":{"value":80},"unit":"kg"},{"id":"2","time":"2026-11-27T06:16:00Z","measure":"weight","values":{"value":0.5},"unit":"kg"}]`,
			"Envoyé : poids 0,5 kg, daté du 27 nov. à 06:16. Un appareil peut indiquer de 2 à 400 kg.",
			"Sent: body weight 0.5 kg, dated 27 Nov at 06:16. A device can report 2 to 400 kg.",
		},
		"two numbers the wrong way round": {
			`{"id":"1","time":"2026-11-27T05:50:00Z","measure":"blood-pressure","values":{"diastolic":131,"systolic":84,"pulse":70},"unit":"mmHg"}`,
			"Envoyé : systolique 84, diastolique 131, pouls 70, daté du 27 nov. à 05:50. La pression diastolique est au-dessus de la systolique.",
			"Sent: systolic 84, diastolic 131, pulse 70, dated 27 Nov at 05:50. The diastolic pressure is above the systolic.",
		},
		"a unit of something else": {
			`{"id":"1","time":"2026-11-27T05:50:00Z","measure":"glucose","values":{"value":1.31},"unit":"mm[Hg]"}`,
			"Envoyé : glucose 1,31 mmHg, daté du 27 nov. à 05:50. L'unité n'est pas de cette mesure, qui se donne en mg/dL ou mmol/L ou g/L.",
			"Sent: glucose 1.31 mmHg, dated 27 Nov at 05:50. The unit does not belong to this measure, which is given in mg/dL or mmol/L or g/L.",
		},
		"no measure that is known": {`{"id":"1","time":"2026-11-27T05:50:00Z","measure":"mood","values":{"value":1}}`, "", ""},
		"no JSON":                  {`{"measure"`, "", ""},
	} {
		batch := &ingest.Batch{}
		native.Decoder{}.Decode("", "scale-1", []byte(c.payload), batch)
		if len(batch.Refused) != 1 {
			t.Fatalf("%s: %d refused", name, len(batch.Refused))
		}
		refused := batch.Refused[0]
		if told := native.Told(refused.Payload, refused.Reasons[0]); told.FR != c.fr || told.EN != c.en {
			t.Errorf("%s: %q\n%q", name, told.FR, told.EN)
		}
	}
}
