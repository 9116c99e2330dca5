package inside_test

import (
	"testing"

	"vigie/deploy/trials/attack/conformance"
)

// The list is the one that deploy/attack runs against a service.
func TestWhatIsSentByHandIsAnsweredAsTheStandardsSay(t *testing.T) {
	s := begin(t)
	tried, differs, err := conformance.Run(conformance.Broker{Address: s.addr, Device: "scale-1", Password: "password-of-scale-1", Prefix: "vigie/v1"})
	if err != nil {
		t.Fatal(err)
	}
	if tried < 100 {
		t.Errorf("only %d cases", tried)
	}
	for _, d := range differs {
		t.Error(d)
	}
}
