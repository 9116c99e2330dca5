package workspace

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestColoursCanBeToldApart holds text to the contrast of WCAG 2.2, level AA:
// 4.5 to 1, in the light and in the dark.
func TestColoursCanBeToldApart(t *testing.T) {
	source, err := assetFiles.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\n\s*\}`).FindAllStringSubmatch(string(source), 2)
	if len(blocks) != 2 {
		t.Fatalf("%d themes, want 2", len(blocks))
	}
	for i, theme := range []string{"light", "dark"} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{3,6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range []string{
			"ink paper", "ink card", "ink faint", "soft paper", "soft card", "soft faint", "link card", "link paper", "brand-ink brand",
			"red card", "orange card", "yellow card", "technical card", "red faint", "orange faint", "yellow faint",
			"red red-soft", "orange orange-soft", "yellow yellow-soft", "ink red-soft", "ink orange-soft", "ink yellow-soft", "ink technical-soft",
		} {
			text, ground, _ := strings.Cut(pair, " ")
			a, known := colours[text]
			b, alsoKnown := colours[ground]
			if !known || !alsoKnown {
				t.Fatalf("%s: no colour for %q", theme, pair)
			}
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", theme, text, ground, ratio)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	digits := hex[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	total := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		part, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(part) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		total += weight * c
	}
	return total
}
