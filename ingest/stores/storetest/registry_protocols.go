package storetest

import (
	"testing"
	"time"

	"vigie/ingest/registry"
)

func usedProtocols(t *testing.T, store Registry) {
	first := registry.UsedProtocol{ID: "heart-failure", Version: "1", Text: "id: heart-failure\n", First: noon}
	for _, used := range []registry.UsedProtocol{
		{ID: "heart-failure", Version: "2", Text: "second", First: noon.Add(time.Hour)},
		first,
		{ID: "heart-failure", Version: "1", Text: "changed since", First: noon.Add(2 * time.Hour)},
	} {
		if err := store.UseProtocol(t.Context(), used); err != nil {
			t.Fatal(err)
		}
	}
	list, err := store.UsedProtocols(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0] != first || list[1].Version != "2" {
		t.Errorf("used were %+v, want versions 1 and 2 as they were first", list)
	}
}
