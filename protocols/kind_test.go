package protocols

import "testing"

// TestEveryMeasureIsTakenBySomeKind walks the tables of kinds and measures.
func TestEveryMeasureIsTakenBySomeKind(t *testing.T) {
	taken := map[string]bool{}
	for _, k := range Kinds() {
		if k.Title.FR == "" || k.Title.EN == "" || KindByID(k.ID).ID != k.ID {
			t.Errorf("the kind %q is not complete", k.ID)
		}
		for _, id := range k.Measures {
			m := MeasureByID(id)
			if m == nil {
				t.Fatalf("%s takes %q, which is no measure", k.ID, id)
			}
			taken[id] = true
			if k.Specimen != "" && len(m.Variants) > 0 && m.Variant(k.Specimen) == 0 {
				t.Errorf("%s has no variant %q", id, k.Specimen)
			}
		}
	}
	for _, m := range Measures() {
		if answered := m.Components[0].Grades != nil; !answered && !taken[m.ID] {
			t.Errorf("no kind of device takes %s", m.ID)
		}
	}
	if weight := MeasureByID("weight"); KindByID("oximeter").Takes(weight) || !KindByID("scale").Takes(weight) || !KindByID("toaster").Takes(weight) || !KindByID("symptom-app").Takes(weight) {
		t.Error("a weight is taken by a scale, a diary and a kind that is not known, not by an oximeter")
	}
}
